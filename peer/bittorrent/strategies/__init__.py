"""What a client decides for itself. A strategy of your own needs one import only: `peer.bittorrent.strategies.api`."""
