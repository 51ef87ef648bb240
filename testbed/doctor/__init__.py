"""Whether this machine can emulate, and how much: features of its kernel, tools, limits and capacity."""
