"""Route tables: the published hash and messages, and what is filtered by them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.errors import WireError
from peer.overlays.gnutella.parameters import TableParameters
from peer.overlays.gnutella.tables.exchange import Outgoing
from peer.overlays.gnutella.tables.patches import apply_change, compress, decompress, write_change
from peer.overlays.gnutella.tables.receiving import Incoming
from peer.overlays.gnutella.tables.table import Table, hash_word
from peer.overlays.gnutella.wire.messages import Patch, Reset

GUID = bytes(16)
HASHES = {
    13: [("", 0), ("eb", 6791), ("ebc", 7082), ("ebck", 6698), ("ebckl", 3179), ("ebcklm", 3235), ("ebcklme", 6438),
         ("ebcklmen", 1062), ("ebcklmenq", 3527)],
    16: [("", 0), ("n", 65003), ("nd", 54193), ("ndf", 4953), ("ndfl", 58201), ("ndfla", 34830), ("ndflal", 36910),
         ("ndflale", 34586), ("ndflalem", 37658), ("ndflaleme", 45559)],
    10: [("ol2j34lj", 318), ("asdfas23", 503), ("9um3o34fd", 758), ("a234d", 281), ("a3f", 767), ("3nja9", 581),
         ("3NJA9", 581), ("3nJa9", 581), ("2459345938032343", 146), ("7777a88a8a8a8", 342), ("asdfjklkj3k", 861),
         ("adfk32l", 1011), ("zzzzzzzzzzz", 944)],
    3: [("test", 2), ("qrp", 7)],
}  # fmt: skip
words = st.text("abcdefghij0123456789", min_size=1, max_size=8)
names = st.lists(words, max_size=30)
sizes = st.sampled_from([8, 64, 1024, 65_536])


@pytest.mark.parametrize(("bits", "word", "value"), [(bits, *each) for bits, pairs in HASHES.items() for each in pairs])
def test_the_hash_is_the_published_one(bits: int, word: str, value: int) -> None:
    assert hash_word(word, bits) == value


def table_of(entries: int, *words: str) -> Table:
    table = Table(entries)
    table.add_words(words)
    return table


def test_changes_are_those_of_the_published_example() -> None:
    """A table of 8 entries with an infinity of 7: "test" comes, "qrp" comes, "test" goes."""
    test, both, qrp = table_of(8, "test"), table_of(8, "test", "qrp"), table_of(8, "qrp")
    changes = [write_change(None, test, 7), write_change(test, both, 7), write_change(both, qrp, 7)]
    assert [each.hex() for each in changes] == ["00a00000", "0000000a", "00600000"]


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        (["0000fa0000000000", "000000000000fa00", "0000060000000000"], 8),
        (["00a00000", "000000a0", "00600000"], 4),
    ],
)
def test_published_changes_are_read(changes: list[str], bits: int) -> None:
    """The published bytes have "qrp" at entry 6, though its hash is 7, as the text beside them says."""
    table, seen = Table(8), []
    for change in changes:
        apply_change(table, bytes.fromhex(change), bits)
        seen.append(table.present())
    assert seen == [[2], [2, 6], [6]]


def test_published_compressed_changes_are_read() -> None:
    compressed = ["789c6358c0c0000001e400a1", "789c636060580000 00a400a1", "789c63486060000001240061"]
    changes = [decompress(bytes.fromhex(each), 4).hex() for each in compressed]
    assert changes == ["00a00000", "000000a0", "00600000"]


@settings(max_examples=30)
@given(sizes, names, names, st.booleans(), st.integers(64, 4096))
def test_a_neighbour_has_our_table_after_each_change(
    entries: int, first: list[str], second: list[str], compresses: bool, patch_bytes: int
) -> None:
    rules = TableParameters(entries=entries, compresses=compresses, patch_bytes=patch_bytes)
    ours, theirs = Outgoing(), Incoming()
    assert theirs.may_have("anything")
    for has in (first, first + second, second):
        table = table_of(entries, *has)
        for message in ours.messages(table, rules, lambda: GUID):
            if isinstance(message, Reset):
                theirs.reset(message)
            else:
                theirs.patch(message)
        assert theirs.known == table
        assert all(theirs.may_have(word) for word in has)
        assert ours.messages(table, rules, lambda: GUID) == []


@given(names, st.sampled_from([(64, 1024), (1024, 64), (64, 64)]))
def test_a_table_of_another_size_loses_nothing(has: list[str], sizes: tuple[int, int]) -> None:
    one, other = table_of(sizes[0], *has), Table(sizes[1])
    other.add_table(one)
    assert all(other.may_have(word) for word in has)


def test_a_question_passes_if_all_its_words_may_be_there() -> None:
    table = table_of(65_536, "generic", "song")
    assert table.may_have("Song, GENERIC")
    assert not table.may_have("generic cowboy song")
    assert not table.may_have("!?")


def test_false_positives_are_as_many_as_the_table_is_full() -> None:
    rng = Random(5)
    table = table_of(1024, *(f"word{number}" for number in range(200)))
    share = len(table.present()) / 1024
    strangers = [f"{rng.getrandbits(40):x}" for _ in range(4000)]
    passed = sum(table.may_have(word) for word in strangers) / len(strangers)
    assert passed == pytest.approx(share, abs=0.03)


def patch(number: int = 1, count: int = 1, compressor: int = 0, bits: int = 4, data: bytes = bytes(4)) -> Patch:
    return Patch(GUID, 1, 0, number, count, compressor, bits, data)


@pytest.mark.parametrize(
    ("patches", "problem"),
    [
        ([patch(2, 2)], "expected number 1"),
        ([patch(1, 3, data=b"\0"), patch(3, 3, data=b"\0")], "expected number 2"),
        ([patch(1, 2, data=b"\0"), patch(2, 2, bits=8)], "same kind"),
        ([patch(data=bytes(5))], "5 bytes for 8 entries"),
        ([patch(data=bytes(8), compressor=1)], "no zlib stream"),
        ([patch(data=compress(bytes(500_000)), compressor=1)], "expected 4 bytes"),
        ([patch(1, 2, data=bytes(2000))], "more than 1032 bytes"),
    ],
)
def test_patches_that_do_not_belong_together_are_refused(patches: list[Patch], problem: str) -> None:
    incoming = Incoming()
    incoming.reset(Reset(GUID, 1, 0, 8, 7))
    for each in patches[:-1]:
        incoming.patch(each)
    with pytest.raises(WireError, match=problem):
        incoming.patch(patches[-1])


def test_a_patch_needs_a_reset() -> None:
    with pytest.raises(WireError, match="without a reset"):
        Incoming().patch(patch())
