"""Means with intervals, fairness, and tests of differences."""
