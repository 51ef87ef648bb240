"""Performing one trial: its engine, its applications, what is monitored, and the verdict."""
