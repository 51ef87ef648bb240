"""Figures for papers, as the experiment file declares them: PDF and SVG, the same bytes from the same numbers."""

from testbed.results.figures.drawing import FORMS, FigureError, draw, numbers_of, write_figure

__all__ = ["FORMS", "FigureError", "draw", "numbers_of", "write_figure"]
