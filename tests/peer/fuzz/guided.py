"""Fuzz one reader of bytes with inputs that an instrumented interpreter finds: those that reach new code.

    .venv/bin/python -m pip install atheris
    .venv/bin/python -m tests.peer.fuzz.guided bencode -max_total_time=60

Options are those of libFuzzer. An input that raises anything but the decoders' own error is printed and kept in a file.
"""

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory


def main(arguments: list[str]) -> None:
    """Fuzz until an option or a finding ends it."""
    try:
        import atheris
    except ImportError:
        sys.exit("guided fuzzing needs atheris; install it: .venv/bin/python -m pip install atheris")
    with atheris.instrument_imports(include=["peer"]):
        targets = import_module("tests.peer.fuzz.targets").TARGETS
    name, *options = arguments or [""]
    if name not in targets:
        sys.exit(f"expected one of {', '.join(targets)}, found {name!r}")
    with TemporaryDirectory() as folder:
        for number, good in enumerate(targets[name].good):
            Path(folder, str(number)).write_bytes(good)
        atheris.Setup([sys.argv[0], *options, folder], targets[name].run)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
