"""The emulated network: sandbox, hosts, shaped links, and their measurement."""
