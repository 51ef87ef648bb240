"""What is watched while a trial runs: links, machine, traces."""
