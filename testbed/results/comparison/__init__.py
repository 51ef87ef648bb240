"""Runs of one experiment compared: ratios with intervals, and what can be said of them."""

from testbed.results.comparison.comparison import Comparison, Request, compare
from testbed.results.comparison.guards import Guard
from testbed.results.comparison.samples import Pairing

__all__ = ["Comparison", "Guard", "Pairing", "Request", "compare"]
