"""The commands of `python -m peer`, a module for each: its options, and a thin function that runs it.

A module has EPILOG, `add_to(parser)` and `run(chosen)`, and DESCRIPTION if its summary in `main` is not enough.
"""
