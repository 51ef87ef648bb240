"""The life of a program: arguments, readiness, start gate, signals, exit status."""
