"""What a browser gets first: a page without data, its script and its styles."""

from html import escape
from string import Template
from typing import Final

from testbed.results.page.inlining import ASSETS, script, style

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
RUNS_SCRIPT: Final = "served/runs.js"
RUN_SCRIPT: Final = "served/run.js"

__all__ = ["HEADERS", "RUNS_SCRIPT", "RUN_SCRIPT", "script", "shell", "style"]


def shell(title: str, entry: str, root: str) -> str:
    """Return a page whose script draws it; `root` leads from it to the first page."""
    template = Template((ASSETS / "served.html").read_text(encoding="utf-8"))
    return template.substitute(title=escape(title), script=escape(f"{root}assets/{entry}"), root=escape(root))
