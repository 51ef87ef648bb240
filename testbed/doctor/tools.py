"""Programs and libraries that the testbed uses, with their versions."""

import os
import shutil
from typing import Final, NamedTuple

from testbed.doctor.checks import Check
from testbed.network.delaybox import PROGRAM as DELAY_BOX
from testbed.runs.commit import commit_of
from testbed.runs.versions import versions


class _Tool(NamedTuple):
    command: str
    package: str
    purpose: str
    required: bool


_TOOLS: Final = (
    _Tool("ip", "iproute2", "inspecting the network in `testbed shell`", required=False),
    _Tool("tc", "iproute2", "inspecting the shapers in `testbed shell`", required=False),
    _Tool("ping", "iputils-ping", "pingall in `testbed shell`", required=False),
    _Tool("tcpdump", "tcpdump", "filters of captures", required=False),
    _Tool("mn", "mininet", "the topologies in plain Mininet", required=False),
    _Tool("mnexec", "mininet", "plain Mininet", required=False),
    _Tool("xterm", "xterm", "xterm in `testbed shell`", required=False),
    _Tool("xhost", "x11-xserver-utils", "xterm in `testbed shell`", required=False),
)


def check_tools() -> list[Check]:
    """Find each tool, or name the package that has it."""
    return [_check_tool(tool) for tool in _TOOLS] + [_check_delay_box()]


def _check_tool(tool: _Tool) -> Check:
    found = shutil.which(tool.command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    mend = "" if found else f"sudo apt-get install {tool.package}   (for {tool.purpose})"
    return Check("tools", tool.command, "ok" if found else "missing", found or "not found", mend, tool.required)


def _check_delay_box() -> Check:
    """Check for the compiled helper that delays packets where the kernel has no netem."""
    if DELAY_BOX.exists():
        return Check("tools", DELAY_BOX.name, "ok", str(DELAY_BOX))
    mend = "sudo testbed doctor   (compiles it, in a clone)"
    return Check("tools", DELAY_BOX.name, "missing", "not compiled", mend, required=False)


def check_versions() -> list[Check]:
    """List the versions, and the commit of the testbed."""
    return [Check("versions", name, "ok", version) for name, version in versions().items()] + [_check_commit()]


def _check_commit() -> Check:
    commit, dirty = commit_of()
    if commit is None:
        mend = "run a clone with git installed, or what was built from one (docs/install.md)"
        return Check("versions", "commit", "missing", "not known, so results cannot name it", mend, required=False)
    states = {True: ", with changes", False: "", None: ", perhaps with changes"}
    return Check("versions", "commit", "ok", commit + states[dirty])
