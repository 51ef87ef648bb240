"""Observations, tables, statistics, figures, report: `report` makes everything of a run folder."""

from testbed.results.report import Report, report

__all__ = ["Report", "report"]
