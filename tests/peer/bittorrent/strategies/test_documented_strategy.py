"""The strategy that docs/strategies.md develops works as written there."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from peer.bittorrent.strategies.parts import chokers, seed_chokers
from peer.bittorrent.strategies.parts.departures import parse_departure
from peer.bittorrent.strategies.registry import STRATEGIES

PAGE = (Path(__file__).parents[4] / "docs" / "strategies.md").read_text()
FILE, TRIAL, PRINTED = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("equal_shares", None)


def test_documented_strategy_prints_what_the_page_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "equal_shares.py").write_text(FILE)
    exec(compile(TRIAL, "docs/strategies.md", "exec"), {})  # noqa: S102  # the page's own code
    assert capsys.readouterr().out == PRINTED


def test_page_names_every_strategy_and_reason() -> None:
    reasons = [value for module in (chokers, seed_chokers) for name, value in vars(module).items() if name.isupper()]
    words = [*STRATEGIES, *(reason for reason in reasons if isinstance(reason, str))]
    assert "optimistic" in words
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_documented_departures_can_be_parsed() -> None:
    section = PAGE.partition("### Departure")[2].partition("\n## ")[0]
    texts = re.findall(r"^\| `(.*?)` \|", section, re.MULTILINE)
    assert len(texts) == 6
    for text in texts:
        parse_departure(text)
