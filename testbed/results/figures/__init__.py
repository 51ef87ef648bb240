"""Figures for papers, as the experiment file declares them: PDF and SVG, the same bytes from the same numbers."""

from testbed.results.figures.drawing import FigureError, draw, styled_figure, write_figure

__all__ = ["FigureError", "draw", "styled_figure", "write_figure"]
