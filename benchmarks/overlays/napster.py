"""A directory: what a search costs, and what the directory keeps, beside their laws.

    .venv/bin/python -m benchmarks.overlays.napster --n 1000 10000 --searches 1000

N clients share some items each; each item is shared by `copies` of them. Searches come one after the other, from
clients drawn at random, for exact names drawn at random. The law: one question, one result for each holder, one end of
results, and a request and an answer for the download; the directory keeps a user for each client, and each share.
"""

import argparse
from collections.abc import Sequence
from random import Random
from statistics import mean
from time import process_time
from typing import Any

from benchmarks.clients import markdown
from benchmarks.overlays.searching import Sample, percent
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.napster.client import Client, ClientParameters
from peer.overlays.napster.directory import Directory, DirectoryParameters
from peer.overlays.napster.wire import size
from peer.simulation.overlays.network import OverlayNetwork, Place

SERVER = Address("198.18.0.1", 8888)
HEADER = (
    *("N", "searches", "success", "hops mean / 95 %", "messages", "law", "difference", "bytes"),
    *("kept by the directory", "law", "CPU s"),
)


def town(n: int, shares: int, copies: int, rng: Random) -> tuple[OverlayNetwork[Any], list[Place[Any]]]:
    """Make the directory, and clients that share each item so many times."""
    network: OverlayNetwork[Any] = OverlayNetwork(size, lambda *_: 0.05)
    server: Place[Any] = Place(SERVER)
    directory = Directory(SERVER, DirectoryParameters(most_connections=n), server.record)
    network.add(server, directory)
    network.input_to(server, lambda node, now: node.start(now))
    names = [name_of(number) for number in range(n * shares // copies) for _ in range(copies)]
    rng.shuffle(names)
    clients = []
    for number in range(n):
        has = [Item(name) for name in dict.fromkeys(names[number * shares : (number + 1) * shares])]
        place: Place[Any] = Place(Address(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 6699))
        client = Client(
            place.address,
            SERVER,
            nick=f"user{number}",
            items=has,
            parameters=ClientParameters(),
            rng=Random(number),
            record=place.record,
        )
        clients.append(network.add(place, client))
        network.input_to(place, lambda node, now: node.start(now))
    network.run(5)
    return network, clients


def name_of(number: int) -> str:
    return f"band{number % 97} - song{number}.mp3"


def row(n: int, searches: int, shares: int, copies: int) -> list[object]:
    began, rng = process_time(), Random(n)
    network, clients = town(n, shares, copies, rng)
    sample, laws = Sample(), []
    for number in range(searches):
        asker, name = rng.choice(clients), f"{number:032x}"
        wanted = name_of(rng.randrange(n * shares // copies))
        network.input_to(asker, lambda node, now, name=name, wanted=wanted: node.search(name, Wanted(wanted), now))
        network.run(network.agenda.now + 1)
        sample.add(network, asker, name)
        holders = len(network.places[SERVER].node._index.find(wanted, 100))
        laws.append(1 + holders + 1 + 2 * (sample.answers[-1] > 0))
    messages, law = mean(sample.messages), mean(laws)
    kept = network.places[SERVER].node.entries
    seconds = f"{process_time() - began:.1f}"
    numbers = [f"{messages:.2f}", f"{law:.2f}", percent(messages, law), round(mean(sample.bytes)), kept, n + n * shares]
    return [n, searches, f"{sample.success:.1%}", sample.hops_text(), *numbers, seconds]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument("--shares", type=int, default=5, help="items of each client")
    parser.add_argument("--copies", type=int, default=5, help="clients that have each item")
    chosen = parser.parse_args(arguments)
    rows = [row(n, chosen.searches, chosen.shares, chosen.copies) for n in chosen.n]
    print(markdown(HEADER, rows))


if __name__ == "__main__":
    main()
