"""Capture files, pcap and pcapng: read as frames, and written."""
