"""Laws of overlays, measured in virtual time."""
