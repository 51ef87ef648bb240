"""A BitTorrent client and tracker."""
