"""`testbed grade`: mark submissions of an assignment by their runs."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.wording import counted
from testbed.cli.experiment.files import open_experiment
from testbed.cli.results.report import extra_explained
from testbed.cli.runs.naming import run_named
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import line_width, wrapped
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentError, ExperimentFile, make_plan
from testbed.runfolder.collection import latest_run
from testbed.runfolder.folder import RunFolder

if TYPE_CHECKING:
    from testbed.grading.grading import Grade, Mark
    from testbed.grading.marking import Marking

_COLUMNS: Final = ("submission", "question", "points", "of", "why")


@dataclass(frozen=True)
class GradeOptions:
    """Where the runs are, and how the grades are printed."""

    runs: Path
    run: Path | None
    settings: Sequence[str]
    with_suspect: bool
    as_csv: bool
    as_json: bool


@dataclass(frozen=True)
class _Graded:
    """A submission with its grade, or why it has none."""

    submission: Path
    grade: "Grade | None"
    why_not: str = ""


def grade_submissions(marking_file: Path, submissions: Sequence[Path], options: GradeOptions) -> int:
    """Grade each submission and print the points; 1 if one has not passed, or cannot be graded."""
    with extra_explained():
        from testbed.grading.marking import read_marking
    if options.run is not None and len(submissions) > 1:
        raise ExplainedError("--run names the run of one submission: grade the others without it")
    marking = read_marking(marking_file)
    graded = [_graded(marking, path, options) for path in submissions]
    if options.as_json:
        print_json([_as_json(each) for each in graded])
    elif options.as_csv:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(_COLUMNS)
        rows.writerows(row for each in graded for row in _rows(each))
    else:
        width = line_width(sys.stdout)
        texts = ("\n".join(_lines(each.submission, each.grade, width)) for each in graded if each.grade is not None)
        print("\n\n".join(texts))
    for each in graded:
        if each.grade is None:
            complain(f"{each.submission}: not graded: {each.why_not}")
    return int(any(each.grade is None or not each.grade.has_passed for each in graded))


def _graded(marking: "Marking", path: Path, options: GradeOptions) -> _Graded:
    """Grade one submission; whatever is wrong with it must not keep the others from their grades."""
    from testbed.grading.grading import MarkingError, grade

    try:
        submission = open_experiment(path, options.settings)
        run = _run_of(submission, options)
        return _Graded(path, grade(marking, submission, run, with_suspect=options.with_suspect))
    except MarkingError:
        raise
    except ExperimentError as error:
        return _Graded(path, None, f"it has errors: {error}")
    except ExplainedError as error:
        return _Graded(path, None, str(error))


def _run_of(submission: ExperimentFile, options: GradeOptions) -> RunFolder:
    if options.run is not None:
        return RunFolder.open(run_named(options.run, options.runs))
    return latest_run(options.runs, submission.path.stem, make_plan(submission))


def _lines(submission: Path, grade: "Grade", width: int | None) -> Iterator[str]:
    verdict = "passed" if grade.has_passed else "not passed"
    yield f"{submission}: {grade.points} of {counted(grade.marking.points, 'point')}: {verdict}"
    for mark in grade.marks:
        yield wrapped(f"  {mark.points} of {mark.question.points}  {mark.question.asks}", width, indent=10)
        for reason in mark.reasons:
            yield wrapped(f"          {reason}", width, indent=10)


def _rows(graded: _Graded) -> Iterator[list[object]]:
    if graded.grade is None:
        yield [graded.submission, "", "", "", f"not graded: {graded.why_not}"]
        return
    for mark in graded.grade.marks:
        yield [graded.submission, mark.question.asks, mark.points, mark.question.points, "; ".join(mark.reasons)]


def _as_json(graded: _Graded) -> dict[str, object]:
    grade = graded.grade
    if grade is None:
        return {"submission": str(graded.submission), "graded": False, "why_not": graded.why_not}
    return {
        "submission": str(graded.submission),
        "graded": True,
        "points": grade.points,
        "of": grade.marking.points,
        "passed": grade.has_passed,
        "questions": [_mark_as_json(mark) for mark in grade.marks],
    }


def _mark_as_json(mark: "Mark") -> dict[str, object]:
    return {
        "asks": mark.question.asks,
        "points": mark.points,
        "of": mark.question.points,
        "reasons": list(mark.reasons),
    }
