"""What we have, what we requested, and which neighbour has what: each rule alone, and all against a naive model."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from peer.bittorrent.engine.download.block_reception import Placement
from peer.bittorrent.engine.download.blocks import Block, Grid
from peer.bittorrent.engine.download.pieces import Pieces, ReceivedBlock
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.engine.strategy import Picker, PieceView
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.errors import MessageError

BLOCK = 10


def bitfield(drawn: str) -> Bitfield:
    """Read a drawing: `*` is a piece that is there."""
    made = Bitfield(len(drawn))
    for index, mark in enumerate(drawn):
        if mark == "*":
            made.add(index)
    return made


def pieces_of(
    ours: str,
    *theirs: str,
    blocks: int = 4,
    last: int = 0,
    picker: Picker | None = None,
    copies: int | None = None,
    seed: int = 1,
    is_strict: bool = False,
    keeps: bool = True,
) -> Pieces:
    """Make pieces of `blocks` blocks, and neighbours 0, 1, ... from drawings; `last` bytes are cut off the end."""
    profile = replace(PROFILES["course"], endgame_copies=copies, strict_priority=is_strict)
    standard = make_strategy("tit-for-tat", profile, Random(seed), {})
    strategy = replace(standard, picker=picker or Sequential(), keeps_pieces=keeps)
    grid = Grid(len(ours) * blocks * BLOCK - last, blocks * BLOCK, BLOCK)
    pieces = Pieces(grid, bitfield(ours), strategy, profile, Random(seed))
    for key, drawn in enumerate(theirs):
        pieces.neighbour_joined(key, bitfield(drawn))
    return pieces


def deliver(pieces: Pieces, key: int, block: Block) -> ReceivedBlock:
    pieces.block_began(key, *block)
    return pieces.block_received(key, *block)


def fetch(pieces: Pieces, key: int, count: int) -> list[ReceivedBlock]:
    return [deliver(pieces, key, block) for block in pieces.choose_blocks(key, count)]


def spots(blocks: list[Block]) -> list[tuple[int, int]]:
    return [(block.index, block.begin // BLOCK) for block in blocks]


def test_blocks_are_asked_for_in_order_and_once() -> None:
    pieces = pieces_of("  ", "**", "**", blocks=3, is_strict=True)
    assert spots(pieces.choose_blocks(0, 2)) == [(0, 0), (0, 1)]
    assert spots(pieces.choose_blocks(1, 2)) == [(0, 2), (1, 0)]
    assert spots(list(pieces.requested_from(0))) == [(0, 0), (0, 1)]


def test_last_piece_and_last_block_may_be_shorter() -> None:
    pieces = pieces_of("  ", "**", blocks=3, last=13)
    assert pieces.missing_blocks == 5
    assert pieces.choose_blocks(0, 9)[3:] == [(1, 0, 10), (1, 10, 7)]


def test_neighbour_finishes_its_piece_then_new_then_others() -> None:
    pieces = pieces_of("   ", "** ", " * ", "***")
    pieces.choose_blocks(0, 1)
    pieces.choose_blocks(1, 2)
    assert spots(pieces.choose_blocks(2, 2)) == [(2, 0), (2, 1)]
    assert spots(pieces.choose_blocks(2, 3)) == [(2, 2), (2, 3), (0, 1)]
    assert spots(pieces.choose_blocks(2, 4)) == [(0, 2), (0, 3), (1, 2), (1, 3)]


def test_strict_priority_prefers_the_most_complete_piece() -> None:
    pieces = pieces_of("   ", "** ", " * ", "***", is_strict=True)
    pieces.choose_blocks(0, 1)
    fetch(pieces, 1, 2)
    assert spots(pieces.choose_blocks(2, 6)) == [(1, 2), (1, 3), (0, 1), (0, 2), (0, 3), (2, 0)]


def test_only_missing_pieces_of_the_neighbour_are_requested() -> None:
    pieces = pieces_of("*   ", "**  ", "*   ")
    assert {block.index for block in pieces.choose_blocks(0, 99)} == {1}
    assert pieces.choose_blocks(1, 99) == []
    assert pieces.is_interesting(0)
    assert not pieces.is_interesting(1)


def test_the_choice_can_be_narrowed_to_some_pieces() -> None:
    pieces = pieces_of("    ", "****")
    assert {block.index for block in pieces.choose_blocks(0, 99, {1, 3})} == {1, 3}


def test_what_is_announced_can_be_asked_for() -> None:
    pieces = pieces_of("  ", "  ")
    assert not pieces.is_interesting(0)
    assert pieces.piece_announced(0, 1)
    assert not pieces.piece_announced(0, 1)
    assert pieces.is_interesting(0)
    assert {block.index for block in pieces.choose_blocks(0, 99)} == {1}


def test_a_piece_beyond_the_end_cannot_be_announced() -> None:
    with pytest.raises(MessageError, match="piece 2: expected an index below 2"):
        pieces_of("  ", "  ").piece_announced(0, 2)


def test_rarest_pieces_are_begun_first() -> None:
    pieces = pieces_of("    ", "****", "**  ", "** *", picker=RarestFirst(random_first=0), blocks=1)
    assert [block.index for block in pieces.choose_blocks(0, 2)] == [2, 3]


def test_right_piece_makes_neighbours_less_interesting() -> None:
    pieces = pieces_of("  ", "* ", "**")
    receiveds = fetch(pieces, 0, 4)
    assert [received.is_piece_whole for received in receiveds] == [False, False, False, True]
    assert all(received.is_needed and received.was_requested for received in receiveds)
    assert pieces.is_interesting(0)
    assert pieces.piece_checked(0, True) == ((0,), ())
    assert 0 in pieces.have
    assert not pieces.is_interesting(0)
    assert pieces.is_interesting(1)
    fetch(pieces, 1, 4)
    pieces.piece_checked(1, True)
    assert pieces.is_complete
    assert pieces.missing_blocks == 0


def test_piece_not_kept_can_be_downloaded_again() -> None:
    pieces = pieces_of("  ", "* ", "**", keeps=False)
    for _ in range(3):
        assert [received.is_piece_whole for received in fetch(pieces, 0, 4)] == [False, False, False, True]
        assert pieces.piece_checked(0, True) == ((0,), ())
        assert pieces.have.count == 0
        assert pieces.is_interesting(0)
        assert pieces.missing_blocks == 8


def test_incomplete_piece_cannot_be_checked() -> None:
    pieces = pieces_of("  ", "**")
    fetch(pieces, 0, 3)
    for index in (0, 1):
        with pytest.raises(ValueError, match=f"piece {index} is not whole"):
            pieces.piece_checked(index, True)


def test_a_request_that_ended_is_made_again_elsewhere() -> None:
    pieces = pieces_of(" ", "*", "*")
    pieces.choose_blocks(0, 4)
    assert pieces.end_request(0, 0, 20)
    assert not pieces.end_request(0, 0, 20)
    assert not pieces.end_request(0, 0, 25)
    assert not pieces.end_request(0, 7, 0)
    assert spots(pieces.choose_blocks(1, 1)) == [(0, 2)]


def test_piece_without_blocks_is_inactive_again() -> None:
    pieces = pieces_of("  ", "**", "**")
    pieces.choose_blocks(0, 3)
    assert spots(pieces.end_requests(0)) == [(0, 0), (0, 1), (0, 2)]
    assert spots(pieces.choose_blocks(1, 9)) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]


def test_requests_of_a_departed_neighbour_go_to_others() -> None:
    pieces = pieces_of("  ", "**", "**")
    fetch(pieces, 0, 1)
    pieces.choose_blocks(0, 3)
    pieces.neighbour_left(0)
    assert len(pieces.requested_from(0)) == 0
    assert pieces.missing_blocks == 7 == len(pieces.choose_blocks(1, 99))


def test_missing_block_is_taken_after_its_request_ended() -> None:
    pieces = pieces_of("  ", "**", "**")
    late, later = pieces.choose_blocks(0, 2)
    pieces.end_requests(0)
    assert pieces.choose_blocks(1, 1) == [late]
    assert deliver(pieces, 0, late) == ReceivedBlock(is_needed=True, others=(1,))
    assert deliver(pieces, 0, later) == ReceivedBlock(is_needed=True)
    assert len(pieces.requested_from(1)) == 0
    assert pieces.block_began(0, *late) is Placement.NOWHERE
    assert deliver(pieces, 0, late) == ReceivedBlock(is_needed=False)


@pytest.mark.parametrize(
    ("index", "begin", "length"),
    [(2, 0, 10), (0, 5, 10), (0, 40, 10), (0, 0, 9), (1, 30, 10), (2**32 - 1, 2**32 - 10, 10)],
)
def test_what_is_no_block_of_ours_is_dropped(index: int, begin: int, length: int) -> None:
    pieces = pieces_of("  ", "**", last=3)
    assert pieces.block_began(0, index, begin, length) is Placement.NOWHERE
    assert pieces.block_received(0, index, begin, length) == ReceivedBlock(is_needed=False)


def test_a_bitfield_adds_to_what_was_announced() -> None:
    pieces = pieces_of("   ", "*  ", "   ")
    block = pieces.choose_blocks(0, 1)[0]
    assert pieces.bitfield_announced(0, bitfield(" * ")) == [1]
    assert list(pieces.requested_from(0)) == [block]
    assert pieces.bitfield_announced(0, bitfield("   ")) == []
    assert pieces.bitfield_announced(1, bitfield("***")) == [0, 1, 2]
    assert pieces.bitfield_announced(1, bitfield("***")) == []
    pieces.neighbour_left(0)
    assert [each.index for each in pieces.choose_blocks(1, 12)] == [0] * 4 + [1] * 4 + [2] * 4


def test_second_sender_of_a_block_is_put_aside() -> None:
    pieces = pieces_of(" ", "*", "*", blocks=2)
    block, _ = pieces.choose_blocks(0, 2)
    pieces.choose_blocks(1, 2)
    assert pieces.block_began(0, *block) is Placement.IN_PLACE
    assert pieces.block_began(1, *block) is Placement.ASIDE
    assert pieces.block_received(0, *block) == ReceivedBlock(True, was_requested=True, others=(1,))
    assert pieces.block_received(1, *block) == ReceivedBlock(is_needed=False)


def test_displaced_writer_is_named_and_its_block_ignored() -> None:
    pieces = pieces_of(" ", "*", "*", blocks=2)
    block, other = pieces.choose_blocks(0, 2)
    pieces.choose_blocks(1, 2)
    pieces.block_began(0, *block)
    pieces.block_began(1, *block)
    assert pieces.block_received(1, *block) == ReceivedBlock(True, was_requested=True, others=(0,), displaced=0)
    assert deliver(pieces, 1, other).is_piece_whole
    pieces.piece_checked(0, False, (b"x", b"y"))
    assert pieces.block_received(0, *block) == ReceivedBlock(is_needed=False)
    assert pieces.missing_blocks == 2


def test_departure_within_a_block_frees_its_place() -> None:
    pieces = pieces_of(" ", "*", "*", "*")
    block = pieces.choose_blocks(0, 1)[0]
    assert pieces.block_began(0, *block) is Placement.IN_PLACE
    pieces.neighbour_left(0)
    assert pieces.block_began(1, *block) is Placement.IN_PLACE
    pieces.neighbour_left(1)
    assert pieces.block_began(2, *block) is Placement.IN_PLACE


def test_endgame_requests_from_all_and_cancels_on_receipt() -> None:
    pieces = pieces_of(" ", "*", "*", "*", blocks=3)
    pieces.choose_blocks(0, 2)
    assert not pieces.is_endgame
    pieces.choose_blocks(1, 1)
    assert pieces.is_endgame
    assert sorted(pieces.choose_blocks(2, 9)) == [(0, 0, 10), (0, 10, 10), (0, 20, 10)]
    assert deliver(pieces, 2, Block(0, 0, 10)).others == (0,)
    assert deliver(pieces, 2, Block(0, 20, 10)).others == (1,)
    assert len(pieces.requested_from(1)) == 0
    assert list(pieces.requested_from(0)) == [(0, 10, 10)]


def test_endgame_prefers_blocks_with_few_askers() -> None:
    pieces = pieces_of(" ", "*", "*", "*", "*", blocks=4, copies=2)
    pieces.choose_blocks(0, 4)
    first = pieces.choose_blocks(1, 2)
    second = pieces.choose_blocks(2, 9)
    assert sorted(first + second) == list(pieces.requested_from(0))
    assert pieces.choose_blocks(3, 9) == []


def test_one_endgame_copy_means_no_double_request() -> None:
    pieces = pieces_of(" ", "*", "*", copies=1)
    pieces.choose_blocks(0, 4)
    assert pieces.is_endgame
    assert pieces.choose_blocks(1, 4) == []


def test_piece_without_copies_prevents_endgame() -> None:
    pieces = pieces_of("  ", "* ", "* ")
    pieces.choose_blocks(0, 9)
    assert not pieces.is_endgame
    assert pieces.choose_blocks(1, 9) == []


def test_a_picker_may_decline_but_not_invent() -> None:
    class Stubborn:
        def __init__(self, choice: int | None) -> None:
            self.choice = choice

        def pick(self, view: PieceView) -> int | None:
            assert list(view) == [0]
            return self.choice

    assert pieces_of("  ", "* ", picker=Stubborn(None)).choose_blocks(0, 5) == []
    with pytest.raises(ValueError, match="the picker chose piece 1"):
        pieces_of("  ", "* ", picker=Stubborn(1)).choose_blocks(0, 5)


def digests_of(senders: list[int], liar: int) -> tuple[bytes, ...]:
    return tuple(b"wrong" if sender == liar else b"right" for sender in senders)


@pytest.mark.parametrize("liar", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_liar_among_contributors_is_found_by_the_retry(liar: int, second: int) -> None:
    pieces = pieces_of(" ", "*", "*", "*", blocks=3)
    for key in range(3):
        fetch(pieces, key, 1)
    assert pieces.piece_checked(0, False, digests_of([0, 1, 2], liar)) == ((0, 1, 2), ())
    assert pieces.missing_blocks == 3
    assert pieces.wants_digests(0)
    fetch(pieces, second, 3)
    assert pieces.piece_checked(0, second != liar, digests_of([second] * 3, liar)) == ((second,), (liar,))


def suspect() -> Pieces:
    """A piece that came wrong from three neighbours."""
    pieces = pieces_of(" ", "*", "*", "*", blocks=3)
    for key in range(3):
        fetch(pieces, key, 1)
    pieces.piece_checked(0, False, (b"a", b"b", b"c"))
    return pieces


def test_suspect_piece_stays_with_one_neighbour_in_endgame() -> None:
    pieces = suspect()
    mine = pieces.choose_blocks(1, 1)
    assert pieces.choose_blocks(0, 9) == []
    assert pieces.block_began(2, 0, 10, 10) is Placement.NOWHERE
    assert pieces.is_endgame
    mine += pieces.choose_blocks(1, 9)
    assert len(mine) == 3
    assert pieces.choose_blocks(0, 9) == []
    for block in mine:
        deliver(pieces, 1, block)
    assert pieces.piece_checked(0, True, (b"a", b"b", b"c")).contributors == (1,)


def test_when_that_neighbour_falls_silent_another_takes_over() -> None:
    pieces = suspect()
    fetch(pieces, 1, 1)
    pieces.choose_blocks(1, 1)
    pieces.end_requests(1)
    assert len(fetch(pieces, 2, 9)) == 2
    verdict = pieces.piece_checked(0, True, (b"a", b"b", b"X"))
    assert set(verdict.contributors) == {1, 2}
    assert verdict.guilty == (2,)


def test_the_same_seed_gives_the_same_choices() -> None:
    def play(seed: int) -> list[Block]:
        pieces = pieces_of(" " * 60, *["*" * 60] * 3, picker=RarestFirst(), seed=seed)
        asked: list[Block] = []
        for turn in range(90):
            asked += (chosen := pieces.choose_blocks(turn % 3, 3))
            for block in chosen[1:]:
                if deliver(pieces, turn % 3, block).is_piece_whole:
                    pieces.piece_checked(block.index, True)
        return asked

    assert play(1) == play(1) != play(2)


COUNT, BLOCKS = 5, 3
KEYS = st.integers(0, 3)


class CopiesChecker:
    """A picker that also compares the copies of every piece with what the neighbours of the model have."""

    def __init__(self, picker: Picker, theirs: Mapping[int, set[int]]) -> None:
        self.picker = picker
        self.theirs = theirs

    def pick(self, view: PieceView) -> int | None:
        for index in range(COUNT):
            assert view.copies(index) == sum(index in pieces for pieces in self.theirs.values())
        return self.picker.pick(view)


class PiecesAgainstModel(RuleBasedStateMachine):
    """The model: the askers and the sender of each block; what each neighbour has, and what it is sending."""

    @initialize(ours=st.sets(st.integers(0, COUNT - 1), max_size=2), seed=st.integers(0, 99), data=st.data())
    def begin(self, ours: set[int], seed: int, data: st.DataObject) -> None:
        self.theirs: dict[int, set[int]] = {}
        self.copies = data.draw(st.sampled_from([None, 1, 2]))
        picker = CopiesChecker(data.draw(st.sampled_from([RarestFirst(1), Sequential(), RandomOrder()])), self.theirs)
        drawn = "".join("*" if index in ours else " " for index in range(COUNT))
        self.is_strict = data.draw(st.booleans())
        self.pieces = pieces_of(
            drawn, blocks=BLOCKS, last=13, picker=picker, copies=self.copies, seed=seed, is_strict=self.is_strict
        )
        self.had = set(ours)
        spans = {index: [10, 10, 10] for index in range(COUNT - 1)} | {COUNT - 1: [10, 7]}
        self.blocks = [Block(i, n * BLOCK, length) for i, lengths in spans.items() for n, length in enumerate(lengths)]
        self.askers: dict[Block, list[int]] = {block: [] for block in self.blocks}
        self.sender: dict[Block, int] = {}
        self.sending: dict[int, Block] = {}
        self.writer: dict[Block, int] = {}
        self.suspects: set[int] = set()

    def missing(self) -> list[Block]:
        return [block for block in self.blocks if block.index not in self.had and block not in self.sender]

    def begun(self) -> set[int]:
        return {block.index for block in self.blocks if self.askers[block] or block in self.sender}

    def free(self) -> list[Block]:
        return [block for block in self.missing() if not self.askers[block]]

    @rule(key=KEYS, theirs=st.sets(st.integers(0, COUNT - 1)) | st.just(set(range(COUNT))))
    def join(self, key: int, theirs: set[int]) -> None:
        if key not in self.theirs:
            self.theirs[key] = set(theirs)
            made = Bitfield(COUNT)
            for index in theirs:
                made.add(index)
            self.pieces.neighbour_joined(key, made)

    @rule(key=KEYS, index=st.integers(0, COUNT - 1))
    def announce(self, key: int, index: int) -> None:
        if key in self.theirs:
            assert self.pieces.piece_announced(key, index) == (index not in self.theirs[key])
            self.theirs[key].add(index)

    @rule(key=KEYS, claimed=st.sets(st.integers(0, COUNT - 1)) | st.just(set(range(COUNT))))
    def announce_many(self, key: int, claimed: set[int]) -> None:
        if key in self.theirs:
            made = Bitfield(COUNT)
            for index in claimed:
                made.add(index)
            assert self.pieces.bitfield_announced(key, made) == sorted(claimed - self.theirs[key])
            self.theirs[key] |= claimed

    @rule(key=KEYS)
    def part(self, key: int) -> None:
        self.pieces.neighbour_left(key)
        if self.theirs.pop(key, None) is not None:
            self.end_requests(key)
            self.end_sending(key)

    @rule(key=KEYS, count=st.integers(1, 6))
    def choose(self, key: int, count: int) -> None:
        if key not in self.theirs:
            return
        free, begun = self.free(), self.begun()
        was_endgame = self.pieces.is_endgame
        chosen = self.pieces.choose_blocks(key, count)
        assert len(set(chosen)) == len(chosen) <= count
        for block in chosen:
            assert block.index in self.theirs[key]
            assert block in self.missing()
            assert key not in self.askers[block]
            others = len(self.askers[block])
            assert not others or self.copies is None or others < self.copies
            self.askers[block].append(key)
        if any(len(self.askers[block]) > 1 for block in chosen):
            assert self.pieces.is_endgame
            assert all(block.index in self.suspects for block in self.free())
        mine = [block for block in free if block.index in self.theirs[key] and block.index not in self.suspects]
        assert len(chosen) >= min(count, len(mine)), "something was there to ask for"
        new = [block for block in chosen if block.index not in begun]
        if new and self.is_strict and not was_endgame:
            left = [b for b in mine if b.index in begun and b not in chosen]
            assert not left, "under strict priority, pieces begun come first"

    @rule(key=KEYS, data=st.data())
    def header_comes(self, key: int, data: st.DataObject) -> None:
        if key not in self.theirs or key in self.sending:
            return
        asked = [block for block in self.blocks if key in self.askers[block]]
        block = data.draw(st.sampled_from(asked or self.blocks) | st.sampled_from(self.blocks))
        placement = self.pieces.block_began(key, *block)
        if block not in self.missing():
            assert placement is Placement.NOWHERE
        elif placement is Placement.NOWHERE:
            assert block.index in self.suspects
        else:
            assert placement is (Placement.ASIDE if block in self.writer else Placement.IN_PLACE)
            self.writer.setdefault(block, key)
            self.sending[key] = block

    @rule(key=KEYS)
    def block_comes(self, key: int) -> None:
        block = self.sending.get(key)
        if block is None:
            return
        received = self.pieces.block_received(key, *block)
        self.end_sending(key)
        if not received.is_needed:
            assert block not in self.missing() or block.index in self.suspects
            return
        assert block in self.missing()
        assert received.was_requested == (key in self.askers[block])
        assert set(received.others) == set(self.askers[block]) - {key}
        assert received.displaced == self.writer.get(block)
        if received.displaced is not None:
            self.end_sending(received.displaced)
        self.askers[block] = []
        self.sender[block] = key
        assert received.is_piece_whole == all(each in self.sender for each in self.blocks if each.index == block.index)

    @rule(block=st.integers(0, 13), key=KEYS)
    def request_ends(self, block: int, key: int) -> None:
        asked = self.blocks[block]
        assert self.pieces.end_request(key, asked.index, asked.begin) == (key in self.askers[asked])
        if key in self.askers[asked]:
            self.askers[asked].remove(key)

    @rule(key=KEYS)
    def all_requests_end(self, key: int) -> None:
        if key in self.theirs:
            expected = {block for block in self.blocks if key in self.askers[block]}
            assert set(self.pieces.end_requests(key)) == expected
            self.end_requests(key)

    @precondition(lambda self: self.whole())
    @rule(is_good=st.booleans())
    def hash_is_computed(self, is_good: bool) -> None:
        index = self.whole()[0]
        senders = [self.sender.pop(block) for block in self.blocks if block.index == index]
        verdict = self.pieces.piece_checked(index, is_good, tuple(b"%d" % sender for sender in senders))
        assert verdict.contributors == tuple(dict.fromkeys(senders))
        if is_good:
            self.had.add(index)
            self.suspects.discard(index)
        elif len(set(senders)) == 1:
            assert verdict.guilty == (senders[0],)
        else:
            assert verdict.guilty == ()
            self.suspects.add(index)

    def whole(self) -> list[int]:
        waiting = {block.index for block in self.missing()}
        return [index for index in range(COUNT) if index not in self.had and index not in waiting]

    def end_requests(self, key: int) -> None:
        for askers in self.askers.values():
            if key in askers:
                askers.remove(key)

    def end_sending(self, key: int) -> None:
        block = self.sending.pop(key, None)
        if block is not None and self.writer.get(block) == key:
            del self.writer[block]

    @invariant()
    def both_agree(self) -> None:
        assert self.pieces.missing_blocks == len(self.missing())
        assert set(self.pieces.have) == self.had
        assert self.pieces.is_complete == (len(self.had) == COUNT)
        for key in range(4):
            assert set(self.pieces.requested_from(key)) == {block for block in self.blocks if key in self.askers[block]}
        for key, theirs in self.theirs.items():
            assert self.pieces.is_interesting(key) == bool(theirs - self.had)
        for index in range(COUNT):
            assert self.pieces.wants_digests(index) == (index in self.suspects)

    @invariant()
    def endgame_is_when_everything_is_asked_for(self) -> None:
        free = self.free()
        if not free and self.missing():
            assert self.pieces.is_endgame
        if self.pieces.is_endgame:
            assert self.missing()
            assert all(block.index in self.suspects and block.index in self.begun() for block in free)


TestPiecesAgainstModel = PiecesAgainstModel.TestCase
TestPiecesAgainstModel.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
