"""Commands about what is installed here: shipped topologies and experiments, and the machine itself."""
