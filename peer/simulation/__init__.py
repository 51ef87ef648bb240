"""Swarms in virtual time, over links that are arithmetic."""
