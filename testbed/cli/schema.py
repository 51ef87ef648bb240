"""`testbed schema`: what an experiment file can say, for editors."""

import json

from testbed.experiment.schema.experiment import experiment_schema


def print_schema() -> None:
    """Print it."""
    print(json.dumps(experiment_schema(), indent=2))
