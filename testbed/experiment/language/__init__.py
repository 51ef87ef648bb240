"""The small language of `when:`, `where:` and `expect:`."""
