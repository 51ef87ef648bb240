"""The audit of a trial that has just ended, in a process of its own: it needs memory, and its failure is no trial's."""

import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from testbed.runfolder.record import AuditRecord


def audited(folder: Path) -> AuditRecord:
    """Audit a trial's folder, which has its record already."""
    command = [sys.executable, "-m", "testbed.audit", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    try:
        return AuditRecord.model_validate_json(done.stdout)
    except ValidationError:
        return AuditRecord(agree=0, failed=_last_line(done.stderr) or f"it ended with exit status {done.returncode}")


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
