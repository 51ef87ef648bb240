"""opentracker, over HTTP and UDP at once."""

import os
from pathlib import Path
from typing import Final

from peer.adapters.life.server import Service
from peer.adapters.program import AdapterError, output_of

_NOBODY: Final = 65534
_VERSION: Final = ("dpkg-query", "--show", "--showformat=${Version}", "opentracker")


class Opentracker(Service):
    """It refuses to run as root, so it gets a user namespace in which it is nobody.

    The distribution's build serves the torrents of a list, and others may serve all.
    """

    program = "opentracker"
    install = "apt-get install opentracker"

    @classmethod
    def version(cls) -> str:
        """Return the version of its package: the program does not know it."""
        cls.executable()
        try:
            return output_of(_VERSION).strip()
        except AdapterError:
            return ""

    def command(self) -> list[str | Path]:
        site, port = self.site, str(self.site.address.port)
        (self.folder / "listed").write_text(f"{site.info_hash}\n")
        self.folder.chmod(0o755)
        where = ("-i", site.address.host, "-p", port, "-P", port, "-d", self.folder, "-w", "listed")
        as_nobody = ("unshare", f"--map-user={_NOBODY}") if os.geteuid() == 0 else ()
        return [*as_nobody, self.executable(), *where]
