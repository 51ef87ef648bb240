"""Measuring links: real traffic, and what was asked against what was measured."""
