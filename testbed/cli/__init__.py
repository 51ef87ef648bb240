"""Command line: one function a command; says nothing that a library module could say."""

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def testbed() -> None:
    """Measure peer-to-peer file distribution on an emulated network, with real sockets."""


def main() -> None:
    """Run the `testbed` command."""
    app()
