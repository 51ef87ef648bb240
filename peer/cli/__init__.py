"""The commands of `python -m peer`: each a parser of options, and a thin function."""
