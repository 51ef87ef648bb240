"""The impairments of each host's link, as the box reads them (pure)."""

from collections.abc import Iterable, Mapping

from testbed.network.links.shape import Impairment

Table = Mapping[str, tuple[Impairment, Impairment]]
"""A host's address -> its impairments, up and down."""


def impairments(table: Table) -> Iterable[Impairment]:
    """Yield the impairment of every direction of every host."""
    for pair in table.values():
        yield from pair


def table_text(table: Table) -> str:
    """Encode the table for the helper: one line a host."""
    return "".join(f"{address} {_numbers(up)} {_numbers(down)}\n" for address, (up, down) in table.items())


def _numbers(impairment: Impairment) -> str:
    return f"{impairment.delay_us} {impairment.jitter_us} {float(impairment.loss)!r}"
