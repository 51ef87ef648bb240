"""Nodes that want others not to find what they look for. docs/find/kademlia.md says what each does, and what helps.

`responders` has their answers, `places` their ids, `roles` puts both into nodes that are otherwise like all.
"""
