"""The results of a run folder: `report` makes all tables, figures and a page, and evaluates the expectations."""

from testbed.results.made import Report
from testbed.results.report import report

__all__ = ["Report", "report"]
