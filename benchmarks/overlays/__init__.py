"""Overlays in virtual time, beside their laws."""
