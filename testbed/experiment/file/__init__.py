"""From a YAML file to values; every mistake is reported with its line and column."""
