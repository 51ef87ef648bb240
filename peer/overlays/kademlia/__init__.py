"""The distributed hash table of BitTorrent (BEP 5), a Kademlia: who has what is kept by those whose ids are near.

`node` puts the parts together. A node asks (`transactions`) and is asked (`serving/`), knows others (`routing/`), and
goes towards an id step by step (`walks/`). Who works against it is in `attacks/`.
docs/find/kademlia.md explains it.
"""
