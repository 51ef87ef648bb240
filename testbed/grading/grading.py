"""The points that a submission earns with its run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contract.wording import counted, one_or_many
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile, make_plan
from testbed.experiment.language.expressions import parse_expectation
from testbed.experiment.language.tokens import ExpressionError
from testbed.grading.marking import AnswerError, Marking, Question, answers_in
from testbed.results.report import outcomes, read_tables
from testbed.results.tables import Tables
from testbed.runfolder.folder import RunFolder


@dataclass(frozen=True)
class Mark:
    """The points of one question, and why it has not all of them."""

    question: Question
    points: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grade:
    """What a submission has earned."""

    marking: Marking
    marks: tuple[Mark, ...]

    @property
    def points(self) -> int:
        return sum(mark.points for mark in self.marks)

    @property
    def has_passed(self) -> bool:
        return self.points >= self.marking.pass_points


class MarkingError(ExplainedError):
    """The marking itself is wrong: no submission can be graded with it."""


class NotGradedError(ExplainedError):
    """A submission cannot be graded as it is, or not yet."""


def grade(marking: Marking, submission: ExperimentFile, run: RunFolder, *, with_suspect: bool = False) -> Grade:
    """Mark each question; raise NotGradedError unless the whole run can be used."""
    if changes := marking.forbidden_changes(submission.source):
        raise NotGradedError(f"it is another experiment than {marking.start.file}: {'; '.join(changes)}")
    run = run.declaring(make_plan(submission))
    tables, damages = read_tables(run, with_suspect=with_suspect)
    if problems := [*map(str, damages), *_unusable(run, tables, with_suspect=with_suspect)]:
        raise NotGradedError("; ".join(problems))
    marker = _Marker(marking, answers_in(submission.source), tables, with_suspect)
    return Grade(marking, tuple(map(marker.mark, marking.questions)))


def _unusable(run: RunFolder, tables: Tables, *, with_suspect: bool) -> Iterator[str]:
    """Say which trials are not there, or cannot be used: means over the others would be other results."""
    if missing := run.missing():
        are = one_or_many(len(missing), "is", "are")
        yield f"{len(missing)} of {counted(len(run.plan.trials), 'trial')} {are} missing: run it again"
        return
    trials = tables.trials
    for name, reasons in _of_verdict("failed", tables):
        yield f"{name} failed: {reasons}"
    if (suspect := len(_of_verdict("suspect", tables))) and not with_suspect:
        are = one_or_many(suspect, "is", "are")
        total = counted(len(trials), "trial")
        yield f"{suspect} of {total} {are} suspect: measure again with `testbed run --redo-suspect`"


def _of_verdict(verdict: str, tables: Tables) -> list[tuple[str, str]]:
    found = tables.trials[tables.trials["verdict"] == verdict]
    return list(zip(found["trial"], found["reasons"], strict=True))


@dataclass(frozen=True)
class _Marker:
    """Marks the questions of one submission."""

    marking: Marking
    answers: Mapping[str, object]
    tables: Tables
    with_suspect: bool

    def mark(self, question: Question) -> Mark:
        try:
            expectations = question.filled(self.answers)
        except AnswerError as error:
            return Mark(question, 0, (str(error),))
        for text in expectations:
            self._check(text, question)
        found = outcomes(expectations, self.tables, with_suspect=self.with_suspect)
        missed = tuple(str(outcome) for outcome in found if not outcome.holds)
        return Mark(question, 0 if missed else question.points, missed)

    def _check(self, text: str, question: Question) -> None:
        """Refuse an expectation that cannot be evaluated: that is the lecturer's error, and must cost no points."""
        try:
            columns = parse_expectation(text).columns
        except ExpressionError as error:
            if question.needs:
                raise NotGradedError(f"with the answers, {text!r} cannot be read: {error}") from error
            raise MarkingError(f"{self.marking.file}: {question.asks}: {text!r}: {error}") from error
        if self.tables.first_having(columns, self.tables.columns.expected_of) is None:
            raise MarkingError(f"{self.marking.file}: {question.asks}: no table has {', '.join(columns)}: {text!r}")
