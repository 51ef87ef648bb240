"""Files of captures: the blocks that they are made of, and the frames in them with their times and link types."""
