"""The audit of one trial's folder, in a process of its own.

    python -m testbed.audit FOLDER

It prints what the trial's record keeps of it, as JSON.
"""

import sys
from pathlib import Path

from pydantic import ValidationError

from testbed.audit.trials import as_record, audit_trial
from testbed.errors import ExplainedError
from testbed.runfolder.record import RECORD, TrialRecord


def main() -> None:
    """Audit the folder that the command line names."""
    folder = Path(sys.argv[1]).resolve()
    try:
        record = TrialRecord.model_validate_json((folder / RECORD).read_bytes())
        print(as_record(audit_trial(folder, record)).model_dump_json())
    except (ExplainedError, ValidationError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
