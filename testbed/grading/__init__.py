"""Assignments of a course: what a lecturer asks, and how many points the run of a submission earns."""
