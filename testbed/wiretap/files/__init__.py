"""Capture files: the frames in them, each with its time and its link type."""
