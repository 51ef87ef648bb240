"""From frames to messages: packets, and the connections and exchanges that they make up."""
