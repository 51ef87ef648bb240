"""What a link does to a packet besides shaping it, and the table that says so for every host (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction of a link: every packet waits `delay_us` +- `jitter_us`, or is lost with probability `loss`."""

    delay_us: int = 0
    jitter_us: int = 0
    loss: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("delay_us", self.delay_us), ("jitter_us", self.jitter_us)):
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_US:
                message = f"{name} is {value!r}; it must be a whole number of microseconds from 0 to {LONGEST_US}"
                raise ValueError(message)
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss is {self.loss!r}; it must be a probability from 0 to 1")

    @property
    def is_random(self) -> bool:
        """Whether two packets can fare differently."""
        return self.jitter_us > 0 or self.loss > 0


Table = Mapping[str, tuple[Impairment, Impairment]]
"""A host's address -> its impairments, up and down."""


def impairments(table: Table) -> Iterable[Impairment]:
    """Every direction of every host."""
    for pair in table.values():
        yield from pair


def table_text(table: Table) -> str:
    """The table as the helper reads it: one line a host."""
    return "".join(f"{address} {_numbers(up)} {_numbers(down)}\n" for address, (up, down) in table.items())


def _numbers(impairment: Impairment) -> str:
    return f"{impairment.delay_us} {impairment.jitter_us} {float(impairment.loss)!r}"
