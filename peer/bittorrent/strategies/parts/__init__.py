"""The parts of which strategies are put together."""
