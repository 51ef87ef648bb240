"""Files between servents: who downloads what from whom, and who is served first."""
