"""The life of a program: arguments, start gate, signals, exit status."""
