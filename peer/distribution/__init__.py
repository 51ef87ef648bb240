"""Two schemes to compare BitTorrent with: client-server over HTTP, and the fluid scheme that attains the bound.

    python -m peer.cli.serve FILE        gives a file to whoever asks
    python -m peer.cli.fetch URL         fetches it over one connection
    python -m peer.cli.relay PLAN         both the server and the peers of the fluid scheme

docs/baselines.md describes them. `http` and `plan` are pure; each program is a module with its command line, and beside
it the module that does the work: `serving`, `fetching`, `relaying`.
"""
