"""Connections with neighbours, and our identities."""
