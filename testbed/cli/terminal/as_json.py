"""Results as JSON, for programs."""

import json
import math
from collections.abc import Mapping


def print_json(value: object) -> None:
    """Print plain values; a number that JSON cannot have, as a mean of nothing is, becomes null."""
    print(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
