"""Requests to the kernel: netlink, and the system calls that Python lacks."""
