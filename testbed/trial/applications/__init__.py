"""The programs of a trial, from launch to exit."""
