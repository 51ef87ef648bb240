"""How searches in overlays grow with the number of nodes, in virtual time and emulated."""
