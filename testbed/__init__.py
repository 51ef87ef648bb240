"""The researcher's tool: from an experiment file to tables and figures."""
