"""What a browser gets besides data: a page that its scripts draw, the scripts, and the styles.

They are those of `testbed.results.page`, which is not imported here: it would bring pandas and all that draws figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Final

_FOLDER: Final = "results/page/assets"
STYLE: Final = "style.css"


@dataclass(frozen=True)
class Assets:
    """All of it, by name. Whatever else is asked for does not exist."""

    template: Template
    files: Mapping[str, str]

    @classmethod
    def read(cls) -> "Assets":
        """Read it from the package."""
        folder = files("testbed") / _FOLDER
        styles = sorted((folder / "styles").iterdir(), key=lambda file: file.name)
        style = "\n".join(file.read_text(encoding="utf-8") for file in styles)
        template = Template((folder / "served.html").read_text(encoding="utf-8"))
        return cls(template, {STYLE: style, **_scripts(folder / "scripts", "")})

    def shell(self, title: str, script: str, root: str) -> str:
        """Return a page that a script draws; `root` leads from it to the first page."""
        return self.template.substitute(title=escape(title), script=script, style=STYLE, root=root)


def _scripts(folder: Traversable, path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in folder.iterdir():
        name = f"{path}{each.name}"
        found |= _scripts(each, f"{name}/") if each.is_dir() else {name: each.read_text(encoding="utf-8")}
    return found
