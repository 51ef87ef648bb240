from pathlib import Path

import pytest

from tests.audit.trials import performed

HOMES = "homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial of which the traces and the captures tell the truth; not to be changed."""
    return performed(tmp_path_factory.mktemp("audited"), peers=HOMES)
