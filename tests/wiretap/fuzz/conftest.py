"""`bin/test --fuzz MINUTES` repeats the tests of this folder, too."""

from tests.peer.fuzz.conftest import rounds

__all__ = ["rounds"]
