"""The example of docs/captures.md answers its question, and the page names every class."""

import gzip
import json
import re
from pathlib import Path

import pytest
from scapy.utils import wrpcapng

from testbed.wiretap import layers
from testbed.wiretap.layers import Handshake, Have, Interested
from tests.wiretap.layers.values import answer, cut

PAGE = (Path(__file__).parents[3] / "docs" / "captures.md").read_text()
SECTION = PAGE.partition("## With scapy\n")[2].partition("\n## ")[0]
WIRE = b"".join(map(bytes, [Handshake(), Have(index=1), Interested(), Have(index=2)]))


def test_the_example_counts_have_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    (named,) = re.findall(r'Path\("(.+)"\)', code)
    (capture,) = re.findall(r'trial / "(p3\.[\w.]+)"', code)
    trial = tmp_path / named
    trial.mkdir(parents=True)
    addresses = {"p2": "198.18.0.3", "p3": "198.18.0.2"}
    hosts = [{"name": name, "address": address} for name, address in addresses.items()]
    (trial / "trial.json").write_text(json.dumps({"hosts": hosts}))
    wrpcapng(str(tmp_path / "plain"), [*cut(WIRE, 75), answer(0, WIRE)])
    (trial / capture).write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "captures.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out == "2 {'p2': 2}\n"


def test_the_page_names_every_class() -> None:
    named = re.sub(r"`Udp(\w+)`", r"`Udp\1` `Udp\1Answer`", SECTION)
    assert [name for name in layers.__all__ if name not in named] == []
