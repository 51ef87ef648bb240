"""Reading experiment files; every mistake is reported with its line and column."""
