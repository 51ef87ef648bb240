"""The results of a run folder: `report` makes all tables and figures, and evaluates the expectations."""

from testbed.results.report import Report, report

__all__ = ["Report", "report"]
