"""The page of a run as one file."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from testbed.results.made import Report
from testbed.results.page.contents import Contents, names_of
from testbed.results.page.inlining import ASSETS, script, style
from testbed.results.page.packing import Parts
from testbed.results.tables import whole_file
from testbed.runfolder.handles import Folder

PAGE: Final = "report.html"
_BESIDE: Final = "The same results are beside it, as tables (CSV) and figures (PDF, SVG)."


def write_page(made: Report, folder: Folder) -> Path:
    """Write the page of a run into its folder."""
    text = page(made.run.plan.title, made.run.plan.question, Contents(made).collect())
    with whole_file(folder, PAGE) as file:
        file.write(text.encode())
    return folder.path / PAGE


def page(title: str, question: str, parts: Parts, *, entry: str = "main.js", instead: str = _BESIDE) -> str:
    """Return a page with this data, which a script draws; `instead` says what serves without it.

    Its policy allows its own script and styles, and no request to anywhere.
    """
    code, look = script(entry), style()
    template = Template((ASSETS / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        policy=escape(_policy(code, look)),
        title=escape(title),
        question=escape(question),
        instead=escape(instead),
        style=look,
        script=code,
        data="\n".join(_element(name, parts.by_name[name]) for name in names_of(parts.by_name)),
    )


def _element(name: str, text: str) -> str:
    """Return an element that holds a part; base64 has no character that means something in HTML."""
    return f'<script type="text/plain" id="data:{escape(name)}">{text}</script>'


def _policy(code: str, look: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(code)}",
            f"style-src {_hash(look)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
