"""A reader: answers the server's questions, one after the other, until the server closes its standard input."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from testbed.errors import ExplainedError
from testbed.serving.framing import framed, read_message
from testbed.serving.reader.answering import Answerer, answerer_of
from testbed.serving.reader.catalogue import Catalogue, UnknownRunError

Send: TypeAlias = Callable[[object], object]


def main(kind: str, runs: str, named: str) -> None:
    """Answer until there are no more questions."""
    _keep_out_of_the_way()
    # Whatever a library prints must not get between the answers.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        answerer = answerer_of(kind, Catalogue(Path(runs), Path(named) if named else None))
        with suppress(EOFError, BrokenPipeError):
            while True:
                answer(answerer, read_message(sys.stdin.buffer), lambda message: answers.write(framed(message)))


def answer(answerer: Answerer, question: dict[str, Any], send: Send) -> None:
    """Answer a question: with how far it is, any number of times, then with the answer or why there is none."""
    before = time.process_time()
    try:
        found = answerer.answer(question, lambda done, all_: send({"progress": [done, all_]}))
        send({"answer": found, "cost": time.process_time() - before})
    except UnknownRunError as error:
        send({"unknown": str(error)})
    except ExplainedError as error:
        send({"refused": str(error)})
    except BrokenPipeError:
        raise
    except OSError as error:
        send({"refused": f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}"})
    except Exception as error:
        traceback.print_exc()
        send({"refused": f"{type(error).__name__}: {error}; this is an error of the testbed, see its terminal"})


def _keep_out_of_the_way() -> None:
    """Run only when nothing else wants to: a trial may be running. Ctrl-C is for the server, which then ends this."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


if __name__ == "__main__":
    main(*sys.argv[1:])
