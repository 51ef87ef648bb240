"""What it costs to find words with a hash table: lists of words upon Chord, in virtual time.

    .venv/bin/python -m benchmarks.overlays.keywords --n 1000 --items 20000 --searches 300

Items have names of 2 to 5 words, of which the k-th most popular is drawn with a chance that falls as 1/k. Each search
asks for some words of an item by chance, so its answer is never empty. The ring is perfect, and an oracle has stored
all lists, so all messages are those of searches.

way         rarest: the length of each list is asked for, and the shortest fetched; each: all lists are fetched
recall      of all items that have the words, those that were found
hops        of the longest lookup of a search; several go on at once
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from statistics import mean
from time import process_time
from typing import Any

from benchmarks.clients import markdown
from contract.events import TraceEvent
from contract.overlay_events import AnswerCame, SearchEnded
from peer.overlays.chord.parameters import Parameters as ChordParameters
from peer.overlays.content import Item, Wanted, words_of
from peer.overlays.keywords.keys import key_of_word
from peer.overlays.keywords.node import KeywordNode, Parameters
from peer.overlays.parts.entry import Entry
from peer.simulation.overlays.misspelling import vocabulary
from peer.simulation.overlays.rings import WITHOUT_UPKEEP, Ring

HEAD = ["N", "items", "words", "way", "recall", "answers", "hops", "messages", "bytes", "CPU s"]
NO_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Library:
    """All items, and their lists."""

    names: list[str]
    lists: dict[str, list[bytes]]

    def having(self, words: str) -> set[str]:
        wanted = Wanted(words, is_exact=False)
        return {name for name in self.names if wanted.matches(Item(name))}


def library(items: int, ring: Ring) -> Library:
    """Draw names, and who has them."""
    random = ring.random
    words = vocabulary(max(items // 10, 10), random)
    chances = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    names = [" ".join(random.choices(words, cum_weights=chances, k=random.randint(2, 5))) for _ in range(items)]
    lists: defaultdict[str, list[bytes]] = defaultdict(list)
    for name in names:
        entry = Entry(random.choice(ring.places).address, name).encode()
        for word in words_of(name):
            lists[word].append(entry)
    return Library(names, lists)


def stocked(n: int, items: int, *, rarest_only: bool) -> tuple[Ring, list[Any], Library]:
    """Make a ring whose nodes find words, and a library that is stored in it."""
    limits = {"replicas": 1, "most_pairs": NO_LIMIT, "most_values": NO_LIMIT}
    ring = Ring(replace(ChordParameters(**WITHOUT_UPKEEP), **limits), Random(1))  # type: ignore[arg-type]
    ring.build(n)
    known = library(items, ring)
    ring.keep({key_of_word(word): entries for word, entries in known.lists.items()})
    places: list[Any] = ring.places
    for place in places:
        place.node = KeywordNode(place.node, place.address, [], Parameters(rarest_only=rarest_only), place.record)
    return ring, places, known


def ask(ring: Ring, places: list[Any], known: Library, words: int, name: str) -> str:
    """Ask for some words of an item that has enough of them; returns these."""
    while len(its_words := words_of(ring.random.choice(known.names))) < words:
        pass
    wanted = " ".join(ring.random.sample(its_words, words))
    ring.network.input_to(
        ring.random.choice(places), lambda node, now: node.search(name, Wanted(wanted, is_exact=False), now)
    )
    return wanted


def measure(n: int, items: int, words: int, searches: int, *, rarest_only: bool) -> list[object]:
    """Search in one ring; returns a row of the table."""
    began = process_time()
    ring, places, known = stocked(n, items, rarest_only=rarest_only)
    names = [f"{number:032x}" for number in range(searches)]
    asked = {name: ask(ring, places, known, words, name) for name in names}
    ring.run_for(1_000.0)
    events: list[TraceEvent] = [event for place in places for _, event in place.events]
    found: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if isinstance(event, AnswerCame):
            found[event.search].add(event.item)
    right = {name: known.having(wanted) for name, wanted in asked.items()}
    costs = [ring.network.ledger.by_search[name] for name in asked]
    return [
        n, items, words, "rarest" if rarest_only else "each",
        f"{mean(len(found[name] & right[name]) / len(right[name]) for name in asked):.3f}",
        f"{mean(len(found[name]) for name in asked):.1f}",
        f"{mean(event.hops or 0 for event in events if isinstance(event, SearchEnded)):.2f}",
        f"{mean(cost.messages for cost in costs):.1f}", f"{mean(cost.bytes for cost in costs):.0f}",
        f"{process_time() - began:.1f}",
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[1_000], help="numbers of nodes")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--words", nargs="+", type=int, default=[1, 2, 3], help="words of a search")
    parser.add_argument("--searches", type=int, default=300)
    chosen = parser.parse_args(arguments)
    rows = [
        measure(n, chosen.items, words, chosen.searches, rarest_only=rarest_only)
        for n in chosen.n
        for words in chosen.words
        for rarest_only in (True, False)
    ]
    print(markdown(HEAD, rows))


if __name__ == "__main__":
    main()
