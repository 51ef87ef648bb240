"""The exchange of pieces with all neighbours, before and after the torrent is known."""
