"""What one client decides, in virtual time or real: no sockets, no files, no clock."""
