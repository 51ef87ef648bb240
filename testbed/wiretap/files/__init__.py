"""Files of captures, and the blocks that they are made of."""
