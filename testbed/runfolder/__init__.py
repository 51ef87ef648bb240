"""What a run leaves behind: its layout, for writing and for reading."""
