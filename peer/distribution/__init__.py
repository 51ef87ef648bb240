"""Two schemes to compare BitTorrent with: client-server over HTTP, and the fluid scheme that attains the bound.

    python -m peer serve FILE        serves a file over HTTP
    python -m peer fetch URL         fetches it over one connection
    python -m peer relay PLAN        the server and the peers of the fluid scheme

docs/distribution.md describes them. `client_server.ranges` and `fluid.plan` are pure.
"""
