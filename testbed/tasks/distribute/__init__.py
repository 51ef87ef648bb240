"""The task of distributing a file: client-server, BitTorrent, or the fluid scheme."""
