"""The JSON Schema of experiment files."""

from typing import Any, Final

from testbed.experiment.schema.experiment import Experiment

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def experiment_schema() -> dict[str, Any]:
    """Return the schema of what a file can say; what takes several keys together to judge is not in it."""
    schema = Experiment.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, **schema, "title": "An experiment of the testbed"}
