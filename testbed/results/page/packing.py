"""The data of a page: compressed parts, each of which the browser opens when it is wanted, up to a total size."""

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, Final

MOST_BYTES: Final = 4_500_000
"""The most that all data of a page takes, so that it can be sent by mail and opens at once."""
_LEVEL: Final = 9


def packed(content: object) -> str:
    """Return data as text that no HTML parser can misread: JSON, compressed (zlib), in base64."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def unpacked(text: str) -> Any:
    """Return data that was packed; raises ValueError if it was not."""
    try:
        return json.loads(zlib.decompress(b64decode(text)))
    except zlib.error as error:
        raise ValueError(str(error)) from error


@dataclass
class Parts:
    """The parts of a page by name. The first that are added are the ones that are kept."""

    most: int = MOST_BYTES
    by_name: dict[str, str] = field(default_factory=dict)
    bytes: int = 0

    def add(self, name: str, content: object, most: int | None = None) -> bool:
        """Add a part if there is room for it, and it is not larger than `most`; returns whether it was added."""
        text = packed(content)
        if self.bytes + len(text) > self.most or (most is not None and len(text) > most):
            return False
        self.put(name, text)
        return True

    def require(self, name: str, content: object) -> None:
        """Add a part without which there is no page."""
        self.put(name, packed(content))

    def put(self, name: str, text: str) -> None:
        """Add a part that is packed."""
        self.by_name[name] = text
        self.bytes += len(text)
