"""Commands about what a run has measured: its tables and figures, its audit, runs compared, grades."""
