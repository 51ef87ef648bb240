"""From the nodes and links of a topology to namespaces, interfaces, routes and shapers."""
