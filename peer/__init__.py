"""Programs that hosts run; knows nothing of the testbed."""

from typing import Final

OUR_VERSION: Final = "Testbed 0.1.0"
"""How our programs name themselves: in traces, torrents, extension handshakes and HTTP requests."""
