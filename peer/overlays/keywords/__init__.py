"""Searching words with a hash table that only knows exact keys: a list of items under the key of each word."""
