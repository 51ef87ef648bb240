"""Options and arguments that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli import completion

ExperimentPath = Annotated[
    Path,
    typer.Argument(
        metavar="EXPERIMENT",
        help="An experiment file, or the name of a shipped experiment.",
        autocompletion=completion.experiments,
    ),
]
Experiments = Annotated[
    list[Path],
    typer.Argument(
        metavar="EXPERIMENT",
        help="Experiment files, names of shipped experiments, or - for standard input.",
        autocompletion=completion.experiments,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Give a key of the file another value (can be repeated)."),
]
OnlyTrials = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="TRIAL",
        help="Run only this trial (can be repeated): its number in the plan, or a part of its id.",
    ),
]
Runs = Annotated[
    Path,
    typer.Option("--runs", "--out", metavar="FOLDER", help="The folder of all run folders.", envvar="TESTBED_RUNS"),
]
RUNS = Path("runs")
RUN_HELP = "A run folder, its name, or an experiment's name for its latest run."
RunName = Annotated[Path, typer.Argument(metavar="RUN", help=RUN_HELP, autocompletion=completion.runs)]
RunNames = Annotated[
    list[Path],
    typer.Argument(metavar="RUN", help=f"The first is compared with. {RUN_HELP}", autocompletion=completion.runs),
]
LatestRun = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help=f"{RUN_HELP} Default: the latest of all.", autocompletion=completion.runs),
]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]
Target = Annotated[
    str,
    typer.Argument(
        metavar="TOPOLOGY",
        help="star, two-isps, tree, a file like my.py, module:name, or an experiment file.",
        autocompletion=completion.targets,
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Parameters of the topology: n=10 up='8 Mbit/s' ..."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress lines.")]


class Alone(StrEnum):
    """Which directions of links are also measured separately."""

    KINDS = "kinds"
    ALL = "all"
    NONE = "none"


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(f"testbed {importlib.metadata.version('testbed')} from {Path(__file__).resolve().parents[2]}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Print the version, and the folder that it runs from."
    ),
]
