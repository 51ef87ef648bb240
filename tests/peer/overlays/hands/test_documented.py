"""The example of docs/find/running.md works as the page says."""

import re
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from contract.encoding import decode
from peer.overlays.overlay import DatagramOverlay
from peer.overlays.registry import OVERLAYS, overlay_named
from tests.peer.overlays.running import REPOSITORY
from tests.peer.programs import events, named, running

PAGE: Final = (REPOSITORY / "docs" / "find" / "running.md").read_text()


def test_overlays_and_their_roles_are_listed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\w+) \| `([\w.]+)` \|$", PAGE, re.MULTILINE)
    expected = [
        (name, role, "datagrams" if isinstance(overlay, DatagramOverlay) else "connections", _path(made.parameters))
        for name in OVERLAYS
        for overlay in [overlay_named(name)]
        for role, made in overlay.roles.items()
    ]
    assert rows == expected


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def test_the_example_finds_what_the_page_says(tmp_path: Path) -> None:
    for name, text in re.findall(r"`(\w+\.json)`:\n\n```json\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text)
    commands = re.findall(r"^    python -m peer (node .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    with ExitStack() as undo:
        programs = []
        for command in commands:
            words = [tmp_path / word if word[0] != "-" and "." in word else word for word in command.split()]
            programs.append(undo.enter_context(running(*words, cwd=REPOSITORY)).ready())
        assert [program.line() for program in programs] == ["completed"] * 3
        assert [program.end(signal.SIGINT) for program in programs] == [0, 0, 0]
    shown = [decode(line.encode()) for line in re.findall(r'^    (\{"t".*\})$', PAGE, re.MULTILINE)]
    recorded = [decode(line)[1] for line in (tmp_path / "bob.jsonl").read_bytes().splitlines()[1:]]
    told = [event for event in recorded if event.event in {"search_began", "answer_came", "search_ended"}]
    assert told == [event for _, event in shown]
    assert named(events(tmp_path / "alice.jsonl"), "node_left")[0]["by_word"] is True
