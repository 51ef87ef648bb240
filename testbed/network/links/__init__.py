"""The shape of one direction of a link, how it is built, and what the kernel counts there."""
