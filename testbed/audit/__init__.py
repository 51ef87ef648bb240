"""The audit of a trial: what its traces say, against what its captures show.

`traced` reads a trace, `seen` gathers messages of a capture; `pairing` finds the connections that are the same, and
`comparing`, `pieces` and `times` what does not agree in them. Only `trials` reads files. docs/captures.md says what is
compared, and which differences are explained.
"""
