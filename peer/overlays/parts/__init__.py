"""What several overlays are built of: questions that wait, pairs with a time, searches and their events, datagrams."""
