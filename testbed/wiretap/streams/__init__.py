"""From frames to messages: packets, the streams that they carry, and what is said in them."""
