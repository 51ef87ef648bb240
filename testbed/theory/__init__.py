"""The bounds that measured times are held against; pure."""
