"""Cubit's recall of misspelt words in virtual time, beside what the best placed nodes could have told.

    .venv/bin/python -m benchmarks.overlays.cubit --n 100 1000 --searches 200

Nodes join one after the other, gossip for some rounds, and share items of one word each, two for each node. Then words
are searched with 0 to 3 edits, each forgiven by the search. The words are made of syllables and endings by chance.

recall      of all searches, those that were answered with the item whose word was misspelt
placed      of all searches, those whose item a node around the asked text keeps: the recall of perfect navigation
hops        nodes that had to be asked one after the other until the node that answered was known, of those found
messages    of a search, its answers included
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean
from time import process_time

from benchmarks.clients import markdown
from peer.overlays.content import Item
from peer.overlays.cubit.distance import edit_distance
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.table import nearest
from peer.simulation.overlays.cubits import Cubits
from peer.simulation.overlays.ledger import Traffic
from peer.simulation.overlays.misspelling import misspelt, vocabulary

HEAD = ["N", "edits", "recall", "placed", "diff", "hops", "messages", "bytes", "timeouts", "neighbours", "entries",
        "CPU s"]  # fmt: skip
JOIN_EVERY = 2.0
SETTLE = 600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One search: the item's word, the text that was asked, and the search's name."""

    word: str
    text: str
    name: str


def gathered(n: int, parameters: Parameters, seed: int, words_a_node: int) -> Cubits:
    """Let nodes join and gossip."""
    random = Random(seed)
    words = vocabulary(n * words_a_node, random)
    cubits = Cubits(parameters, words, random)
    cubits.join(([Item(word) for word in words[number::n]] for number in range(n)), JOIN_EVERY)
    cubits.run_for(n * JOIN_EVERY + SETTLE)
    return cubits


def is_placed(cubits: Cubits, asked: Asked, edits: int) -> bool:
    """Whether one of those that a search should ask keeps the item."""
    contacts = {place.node.contact: place.node for place in cubits.places}
    ordered = nearest(contacts, asked.text, cubits.parameters.most_nearest)
    within = sum(edit_distance(asked.text, contact.word) <= edits for contact in ordered)
    around = ordered[: max(within, cubits.parameters.nearest)]
    now = cubits.network.agenda.now
    return any(contacts[contact].keeping.entries.values(asked.word.encode(), now) for contact in around)


def measure(cubits: Cubits, edits: int, searches: int) -> list[object]:
    """Search words with so many edits; returns a row of the table."""
    began = process_time()
    ended = len(cubits.ends())
    asked = [ask(cubits, edits) for _ in range(searches)]
    cubits.run_for(60.0)
    answers = cubits.answers()
    right = [next((a for a in answers[one.name] if a.item == one.word), None) for one in asked]
    recall = mean(answer is not None for answer in right)
    placed = mean(is_placed(cubits, one, edits) for one in asked)
    costs: list[Traffic] = [cubits.network.ledger.by_search[one.name] for one in asked]
    hops = [answer.hops or 0 for answer in right if answer is not None]
    return [
        len(cubits.places), edits, f"{recall:.3f}", f"{placed:.3f}", f"{recall / placed - 1:+.1%}" if placed else "",
        f"{mean(hops):.2f}" if hops else "", f"{mean(cost.messages for cost in costs):.1f}",
        f"{mean(cost.bytes for cost in costs):.0f}", f"{mean(end.timeouts for end in cubits.ends()[ended:]):.2f}",
        f"{mean(len(place.node.table) for place in cubits.places):.1f}",
        f"{mean(place.node.entries for place in cubits.places):.1f}", f"{process_time() - began:.1f}",
    ]  # fmt: skip


def ask(cubits: Cubits, edits: int) -> Asked:
    word = cubits.random.choice([word for word in cubits.random.sample(cubits.vocabulary, 50) if len(word) > edits + 1])
    text = misspelt(word, edits, cubits.random)
    return Asked(word, text, cubits.search(cubits.random.choice(cubits.alive), text))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[100, 1_000], help="numbers of nodes")
    parser.add_argument("--searches", type=int, default=200, help="for each number of edits")
    parser.add_argument("--edits", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--nearest", type=int, default=Parameters().nearest, help="nodes asked for items at least")
    parser.add_argument("--replicas", type=int, default=Parameters().replicas)
    parser.add_argument("--words", type=int, default=2, help="words in the vocabulary for each node")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    rows = []
    for n in chosen.n:
        most = max(chosen.edits)
        parameters = Parameters(edits=most, nearest=chosen.nearest, replicas=chosen.replicas)
        cubits = gathered(n, parameters, chosen.seed, chosen.words)
        rows += [measure(cubits, edits, chosen.searches) for edits in chosen.edits]
    print(markdown(HEAD, rows))


if __name__ == "__main__":
    main()
