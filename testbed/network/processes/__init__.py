"""Programs on hosts, and the warm interpreter from which they are forked."""
