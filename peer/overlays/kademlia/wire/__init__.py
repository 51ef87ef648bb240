"""krpc, the messages of BEP 5: bencoded dictionaries in datagrams. One asks, one answers; nothing is sent again.

    d 1:a d 2:id 20:<ours> 9:info_hash 20:... e  1:q 9:get_peers  1:t 2:<transaction>  1:v 4:<version>  1:y 1:q e
    d 1:r d 2:id 20:<theirs> 5:nodes 26n:...  5:token ...  6:values l 6:... e e           1:t 2:..  1:v ..  1:y 1:r e
    d 1:e l i203e 9:Bad token e                                                          1:t 2:..  1:v ..  1:y 1:e e

A node in `nodes` is an id, an IPv4 address and a port, 26 bytes; a peer in `values` is an address and a port, 6 bytes.
An answer does not say what it answers: whoever asked knows its transaction. `ro` in a question is BEP 43's, `ip` in an
answer BEP 42's. Keys may come in any order; unknown ones are ignored, and so are values that are not of IPv4 and those
with port 0, where nobody listens. A question for a method that we do not know is an `UnknownQuery`.
"""

from peer.overlays.kademlia.wire.reading import decode
from peer.overlays.kademlia.wire.writing import encode, size

__all__ = ["decode", "encode", "size"]
