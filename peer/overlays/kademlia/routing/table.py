"""The routing table of BEP 5: buckets that are split only around our own id.

So bucket number i holds the nodes that have exactly i bits in common with us, from the first on; the last bucket holds
all that have at least as many as its number, and is split when it is full. Only nodes that answered us have places.
"""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from random import Random
from typing import Final

from peer.overlays.kademlia.ids import BITS, beginning_with, is_secure, shared_bits, sharing
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.routing.bucket import Bucket
from peer.overlays.kademlia.routing.contact import Contact
from peer.overlays.kademlia.wire.messages import NodeInfo


class Table:
    """The nodes that we know, and what they are asked for."""

    def __init__(self, own: NodeInfo, parameters: Parameters, now: float = 0.0) -> None:
        self.own: Final = own
        self._parameters: Final = parameters
        self.buckets: Final = [Bucket(parameters, now)]

    def __iter__(self) -> Iterator[Contact]:
        """All that have a place."""
        for bucket in self.buckets:
            yield from bucket.contacts

    def __len__(self) -> int:
        return sum(len(bucket.contacts) for bucket in self.buckets)

    @property
    def is_empty(self) -> bool:
        return not any(bucket.contacts for bucket in self.buckets)

    @property
    def waiting_count(self) -> int:
        return sum(len(bucket.waiting) for bucket in self.buckets)

    def bucket_of(self, node_id: int) -> Bucket:
        """Return the bucket whose part of the space an id is in."""
        number = BITS - (self.own.id ^ node_id).bit_length()
        return self.buckets[number] if number < len(self.buckets) else self.buckets[-1]

    def is_legal(self, info: NodeInfo) -> bool:
        """Whether a node is another than we, and has an id that it may have."""
        if info.id == self.own.id or info.address == self.own.address:
            return False
        return not self._parameters.has_secure_ids or is_secure(info.id, info.address.host)

    def accepts(self, info: NodeInfo) -> bool:
        """Whether a node may be in this table at all."""
        return self.is_legal(info) and not (self._parameters.one_per_host and self._has_another(info))

    def answered(self, info: NodeInfo, now: float) -> None:
        """A node answered a question of ours: it gets a place, or waits for one."""
        bucket = self.bucket_of(info.id)
        known = bucket.find(info.id)
        if known is None:
            waiting = bucket.find_waiting(info.id)
            if waiting is not None:
                bucket.waiting.remove(waiting)
            if self.accepts(info):
                self._admit(Contact(info, now), now)
        elif known.info.address == info.address:
            known.answered_at, known.failures, bucket.changed_at = now, 0, now
        elif not known.is_good(now, self._parameters) and self.accepts(info):
            # It has moved; a good one is not displaced by who has its id.
            bucket.contacts[bucket.contacts.index(known)] = Contact(info, now)
            bucket.changed_at = now

    def asked(self, info: NodeInfo, now: float) -> None:
        """A node asked us something."""
        bucket = self.bucket_of(info.id)
        self._let_wait(bucket, info)
        known = bucket.find(info.id) or bucket.find_waiting(info.id)
        if known is not None and known.info.address == info.address:
            known.asked_at = now

    def heard_of(self, info: NodeInfo) -> bool:
        """Somebody named a node: it waits to be pinged if there is a place for it. Returns whether it does."""
        bucket = self.bucket_of(info.id)
        return (not bucket.is_full or self._can_split(bucket)) and self._let_wait(bucket, info)

    def to_check(self, bucket: Bucket, now: float) -> Contact | None:
        """Return whom to ping for the sake of a bucket, if anybody."""
        return bucket.to_check(now, can_split=self._can_split(bucket)) if bucket.waiting else None

    def failed(self, info: NodeInfo, now: float) -> None:
        """A node did not answer. If it is bad by now, one that waits has its place."""
        bucket = self.bucket_of(info.id)
        known = bucket.find(info.id)
        if known is not None and known.info.address == info.address:
            known.failures += 1
            bucket.fill(now)
        elif (waiting := bucket.find_waiting(info.id)) is not None and waiting.info.address == info.address:
            bucket.waiting.remove(waiting)

    def gone(self, info: NodeInfo, now: float) -> None:
        """Another node is at the address of this one."""
        for _ in range(self._parameters.bad_after):
            self.failed(info, now)

    def closest(self, target: int, count: int, now: float, *, only_good: bool = True) -> list[NodeInfo]:
        """Return the known nodes closest to an id, the closest first.

        Good ones only, as BEP 5 has it in answers; or all that are not bad, where we ask on our own account.
        """
        found: list[NodeInfo] = []
        for group in self._groups(target):
            fit = [each.info for each in group if self._fits(each, now, only_good=only_good)]
            found += nsmallest(count - len(found), fit, key=lambda info: info.id ^ target)
            if len(found) == count:
                break
        return found

    def to_refresh(self, now: float, rng: Random) -> list[int]:
        """Return a drawn id of each bucket that has not changed for long; it counts as changed from now on."""
        stale = [
            number
            for number, bucket in enumerate(self.buckets)
            if bucket.changed_at + self._parameters.refresh_after <= now
        ]
        for number in stale:
            self.buckets[number].changed_at = now
        return [self._drawn_from(number, rng) for number in stale]

    @property
    def next_refresh(self) -> float:
        """When a bucket has not changed for too long."""
        return min(bucket.changed_at for bucket in self.buckets) + self._parameters.refresh_after

    def far_ids(self, rng: Random) -> list[int]:
        """Return a drawn id of each bucket beyond that of our closest neighbour."""
        nearest = max((number for number, bucket in enumerate(self.buckets) if bucket.contacts), default=0)
        return [sharing(self.own.id, number, rng) for number in range(nearest)]

    def _drawn_from(self, number: int, rng: Random) -> int:
        is_last = number == len(self.buckets) - 1
        return (beginning_with if is_last else sharing)(self.own.id, number, rng)

    def _fits(self, contact: Contact, now: float, *, only_good: bool) -> bool:
        return contact.is_good(now, self._parameters) if only_good else not contact.is_bad(self._parameters)

    def _let_wait(self, bucket: Bucket, info: NodeInfo) -> bool:
        """Let a node wait that is not known yet."""
        if bucket.find(info.id) is not None or bucket.find_waiting(info.id) is not None or not self.accepts(info):
            return False
        return bucket.wait(Contact(info))

    def _has_another(self, info: NodeInfo) -> bool:
        """Whether a node of the same host has a place that it may keep."""
        others = (each for each in self if each.info.address.host == info.address.host and each.info.id != info.id)
        return not all(each.is_bad(self._parameters) for each in others)

    def _groups(self, target: int) -> Iterator[list[Contact]]:
        """Group the nodes so that all of a group are closer to `target` than all of the next one."""
        last = len(self.buckets) - 1
        shared = min(shared_bits(self.own.id, target), last)
        yield self.buckets[shared].contacts
        if shared < last:
            yield [each for bucket in self.buckets[shared + 1 :] for each in bucket.contacts]
        for number in range(shared - 1, -1, -1):
            yield self.buckets[number].contacts

    def _admit(self, contact: Contact, now: float) -> None:
        bucket = self.bucket_of(contact.info.id)
        while not bucket.take(contact, now):
            if not self._can_split(bucket):
                bucket.wait(contact)
                return
            self._split(now)
            bucket = self.bucket_of(contact.info.id)

    def _can_split(self, bucket: Bucket) -> bool:
        return bucket is self.buckets[-1] and len(self.buckets) < BITS

    def _split(self, now: float) -> None:
        """Divide the last bucket: those that have the next bit in common with us get one of their own."""
        old, new = self.buckets[-1], Bucket(self._parameters, now)
        depth = len(self.buckets)

        def is_near(contact: Contact) -> bool:
            return shared_bits(self.own.id, contact.info.id) >= depth

        new.contacts, old.contacts = _parted(old.contacts, is_near)
        new.waiting, old.waiting = _parted(old.waiting, is_near)
        self.buckets.append(new)


def _parted(contacts: list[Contact], belongs: Callable[[Contact], bool]) -> tuple[list[Contact], list[Contact]]:
    return [each for each in contacts if belongs(each)], [each for each in contacts if not belongs(each)]
