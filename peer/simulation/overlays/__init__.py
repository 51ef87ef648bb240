"""Overlays in virtual time: real nodes, on a network whose only property is how long a message takes."""
