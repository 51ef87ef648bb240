"""`testbed pcap`: the messages in captures, in those of a run or in any other."""
