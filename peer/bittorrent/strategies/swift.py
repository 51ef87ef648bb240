"""Swift: distribute the file to all peers as fast as the protocol allows, among any neighbours. It is not from a paper.

    seed     sends each piece once, one after the other, then helps the peers with the fewest pieces (StagedReveal)
    leech    plays tit-for-tat, but starts with two slots and adds one for every two pieces that it has
    later    a leech that completed serves a few neighbours at a time, those with the fewest pieces

The bound max{F/u_s, F/d_min, NF/(u_s + sum u_i)} assumes that all uplinks are busy from the first moment to the last.
A swarm loses time at the start, until all peers have something to send, and at the end, when some are complete and
others are not. At the start, seeds and leeches should send few pieces at a time, so that each receiver soon is one more
source. Later many slots are right: a leech that serves few neighbours idles when these are not interested.

Parameters: `first_slots` 2, `pieces_a_slot` 2, `seed_slots` 4; `slots` is the limit of a leech's slots, by default that
of the mainline client for the upload capacity, whatever the profile. Left out: anything that harms a neighbour, or that
works only among peers with this strategy.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil
from random import Random
from typing import Final

from peer.bittorrent.engine.profile import MAINLINE_LADDER, Profile
from peer.bittorrent.engine.strategy import Allocation, ChokingView, Grant, Strategy, Trigger
from peer.bittorrent.strategies.parts.advertisers import Honest
from peer.bittorrent.strategies.parts.chokers import TitForTat
from peer.bittorrent.strategies.parts.parameters import whole_number
from peer.bittorrent.strategies.parts.seed_view import SeedView
from peer.bittorrent.strategies.seed_policies import LeastFirst
from peer.bittorrent.strategies.standard import tit_for_tat, with_slots
from peer.bittorrent.wire.bitfield import Bitfield

ONE_BY_ONE: Final = "one by one"
LEAD: Final = 0.1
"""Seconds of upload in transit besides the piece being sent, so that the round trip of a request costs nothing."""
AT_FIRST: Final = 2
"""Pieces in transit until the capacity is known."""
NO_LIMIT: Final = 10
"""Pieces in transit if the capacity is unlimited."""
STALL: Final = 1.0
"""Seconds without progress after which one more piece is sent."""


class GrowingSlots(TitForTat):
    """Tit-for-tat with few slots at first, growing with the number of pieces to that of the profile."""

    def __init__(
        self, profile: Profile, rng: Random, *, first_slots: int, pieces_a_slot: int, seed: "StagedReveal"
    ) -> None:
        super().__init__(profile, rng)
        self._as_seed = seed
        self._first_slots: Final = first_slots
        self._pieces_a_slot: Final = pieces_a_slot

    def _slots(self, view: ChokingView) -> int:
        return min(super()._slots(view), self._first_slots + view.have_count // self._pieces_a_slot)


class StagedReveal(Honest):
    """The advertiser of a client, and its choker as a seed; a client that starts as a leech hides nothing.

    At first the seed unchokes all neighbours and claims to have nothing. Then it announces one piece to one neighbour,
    the next piece to the next neighbour, and so on, with only as many in transit as keep its uplink busy. A neighbour
    that has received its piece goes to the back of the queue. Once every piece has been announced to one neighbour, it
    announces all pieces to all neighbours, and serves a few at a time: those with the fewest pieces.

    Pieces in transit share the uplink. Two at a time take twice as long as one, and half a piece cannot be passed on:
    the fewer at a time, the sooner other uplinks have something to send.
    """

    def __init__(self, afterwards: LeastFirst, rng: Random) -> None:
        self._afterwards: Final = afterwards
        self._rng: Final = rng
        self._view: Final = SeedView()
        self._queue: deque[int] = deque()
        """The neighbours that wait for a piece; some may have left."""
        self._to_send: list[int] | None = None
        """The pieces not announced to any neighbour, the next one last; None until the first neighbour connects."""
        self._in_transit: dict[int, int] = {}
        """The piece that each neighbour is downloading."""
        self._most_in_transit = AT_FIRST
        self._patience = STALL
        self._progress_at = 0.0
        self._has_progressed = False
        self.is_revealed = False
        """Whether all pieces were announced to all neighbours, by now or from the start."""

    def allocate(self, view: ChokingView) -> Allocation:
        """Unchoke all neighbours while the announcements decide what each can download."""
        for key in self._view.retain({candidate.key for candidate in view.candidates}):
            self._take_back(key)
        if self.is_revealed:
            return self._finishing(view, self._afterwards.allocate(view))
        self._set_pace(view)
        return Allocation({candidate.key: Grant(ONE_BY_ONE) for candidate in view.candidates})

    def initial_bitfield(self, neighbour: int, have: Bitfield) -> Bitfield:
        """Claim one piece if the uplink has room for another one, else nothing."""
        if self._to_send is None:
            self._to_send = list(have)
            self._rng.shuffle(self._to_send)
            self.is_revealed = not have.is_full
        if self.is_revealed:
            return have
        self._view.add(neighbour, have.size)
        self._queue.append(neighbour)
        claimed = Bitfield(have.size)
        for _, index in self._announce_next(self._most_in_transit):
            claimed.add(index)
        return claimed

    def answer_have(self, neighbour: int, index: int) -> Iterable[tuple[int, int]]:
        """Announce the next piece when one has arrived."""
        self._view.record_have(neighbour, index)
        if self._in_transit.get(neighbour) != index:
            return ()
        del self._in_transit[neighbour]
        if self.is_revealed:
            return ()
        self._queue.append(neighbour)
        self._has_progressed = True
        return self._announce_next(self._most_in_transit) or self._reveal_rest()

    def due_haves(self, now: float) -> Iterable[tuple[int, int]]:
        """Announce one more piece when none has arrived for long: a neighbour may be slow, or gone."""
        if self.is_revealed or not self._view:
            return ()
        if self._has_progressed:
            self._has_progressed, self._progress_at = False, now
        most = self._most_in_transit
        if now - self._progress_at >= self._patience:
            self._progress_at = now
            most = max(most, len(self._in_transit) + 1)
        return self._announce_next(most) or self._reveal_rest()

    def _finishing(self, view: ChokingView, allocation: Allocation) -> Allocation:
        """Until the next round, let neighbours finish pieces announced to them alone: half a piece is useless."""
        if view.trigger is Trigger.ROUND:
            self._in_transit.clear()
        grants = dict.fromkeys(self._in_transit, Grant(ONE_BY_ONE)) | dict(allocation.grants)
        return Allocation(grants, {key: why for key, why in allocation.refusals.items() if key not in grants})

    def _set_pace(self, view: ChokingView) -> None:
        if view.capacity is None:
            self._most_in_transit, self._patience = NO_LIMIT, STALL
            return
        pieces_a_second = view.capacity / max(view.piece_length, 1)
        self._most_in_transit = 1 + ceil(LEAD * pieces_a_second)
        self._patience = max(STALL, 4 * self._most_in_transit / pieces_a_second)

    def _announce_next(self, most: int) -> list[tuple[int, int]]:
        """Announce the next pieces to the neighbours that waited longest, until `most` are in transit."""
        announced = []
        while len(self._in_transit) < most and self._queue and (index := self._next_piece()) is not None:
            key = self._queue.popleft()
            self._in_transit[key] = index
            self._view.record_announced(key, index)
            announced.append((key, index))
        return announced

    def _next_piece(self) -> int | None:
        """Return a piece that no neighbour has yet."""
        while self._to_send:
            index = self._to_send.pop()
            if not self._view.copies[index]:
                return index
        return None

    def _reveal_rest(self) -> Iterator[tuple[int, int]]:
        """Announce all pieces to all neighbours, if none is left to send for the first time."""
        if not self._to_send:
            self.is_revealed = True
            for key in self._view:
                yield from ((key, index) for index in self._view.unannounced(key))

    def _take_back(self, key: int) -> None:
        """Give the piece that a neighbour did not finish before it left to another one."""
        index = self._in_transit.pop(key, None)
        if index is not None and self._to_send is not None:
            self._to_send.append(index)
        if key in self._queue:
            self._queue.remove(key)


def swift(
    profile: Profile,
    rng: Random,
    *,
    first_slots: int = 2,
    pieces_a_slot: int = 2,
    seed_slots: int = 4,
    departure: str = "stay",
    slots: int | None = None,
) -> Strategy:
    seed = StagedReveal(LeastFirst(whole_number("seed_slots", seed_slots)), rng)
    choker = GrowingSlots(
        with_slots(replace(profile, all_slots=MAINLINE_LADDER), slots),
        rng,
        first_slots=whole_number("first_slots", first_slots),
        pieces_a_slot=whole_number("pieces_a_slot", pieces_a_slot),
        seed=seed,
    )
    return replace(
        tit_for_tat(profile, rng, departure=departure, slots=slots), name="swift", choker=choker, advertiser=seed
    )
