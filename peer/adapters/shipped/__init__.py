"""The adapters that come with us, each in a module of its own (docs/applications.md)."""
