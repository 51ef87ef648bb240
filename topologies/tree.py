"""A tree of cores with hosts at its leaves.

With the testbed, where a rate has a unit:

    sudo testbed links tree depth=2 fanout=3 up='8 Mbit/s' trunk='20 Mbit/s'

With plain Mininet, where a rate is a plain number of bit/s:

    sudo mn --custom topologies/tree.py --topo tree,depth=2,fanout=3,up=8e6,trunk=20e6 --link tc
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from mininet.topo import Topo

T = TypeVar("T")
PerHost: TypeAlias = T | Sequence[T] | None  # one value for all hosts, or one for each
BitRate = Annotated[int, "bit/s"]
Milliseconds = Annotated[float, "ms"]
Percent = Annotated[float, "%"]
Acks = Literal["priority", "shared"]


class Tree(Topo):
    r"""A tree of cores with hosts at its leaves: locality, and the effect of shared links higher up on a swarm.

                     s1
               trunk/  \trunk            depth=2, fanout=2
                  s2    s3
                 /  \  /  \
               h1  h2  h3  h4

    Each of the fanout ** depth hosts has an access link like the star's: `up` at the host's end, `down` at the
    core's, and `delay`, `jitter` and `loss` in each direction. The links between cores have the rate `trunk` in each
    direction, or no limit if it is not given. A tree of depth 1 is a star.
    """

    def build(
        self,
        depth: int = 2,
        fanout: int = 2,
        *,
        trunk: BitRate | None = None,
        names: Sequence[str] | None = None,
        up: PerHost[BitRate] = None,
        down: PerHost[BitRate] = None,
        delay: PerHost[Milliseconds] = None,
        jitter: PerHost[Milliseconds] = None,
        loss: PerHost[Percent] = None,
        queue: PerHost[Milliseconds] = None,
        acks: PerHost[Acks] = None,
    ) -> None:
        """Add the cores from the root s1 down, and fanout ** depth hosts."""
        depth, fanout = whole("depth", depth, "levels"), whole("fanout", fanout, "branches")
        n = fanout**depth
        links = access_links(n, up=up, down=down, delay=delay, jitter=jitter, loss=loss, queue=queue, acks=acks)
        leaves = zip(host_names(names, n), links, strict=True)
        inner = one_way("trunk", trunk)
        cores = count(1)

        def grow(levels: int) -> str:
            core = self.addSwitch(f"s{next(cores)}")
            for _ in range(fanout):
                if levels > 1:
                    self.addLink(grow(levels - 1), core, params1=inner, params2=inner)
                else:
                    name, (way_up, way_down) = next(leaves)
                    self.addLink(self.addHost(name), core, params1=way_up, params2=way_down)
            return core

        grow(depth)


topos = {"tree": Tree}


# The rest is the same in star.py, two_isps.py and tree.py. `mn --custom` runs the text of one file, which then has no
# __file__ and cannot import its neighbours; and a copy of one file is the template for your own topology.

MOST_HOSTS = 131_069  # of 198.18.0.0/15, without its first and its last address, and that of one core


def host_names(names: Sequence[str] | None, n: int) -> list[str]:
    """Return h1 ... hn, or the given names, if Linux can name interfaces after them."""
    if n > MOST_HOSTS:
        raise ValueError(f"more than {MOST_HOSTS} hosts: the testbed has no more addresses for them")
    if names is None:
        return [f"h{i}" for i in range(1, n + 1)]
    if isinstance(names, str) or len(names) != n or len(set(names)) != n:
        raise ValueError(f"names: expected a different name for each of {n} hosts, found {names!r}")
    for name in names:
        # The interface is named after the host, with "-eth0" added, and has at most 15 characters.
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_.-]{0,9}", name) or re.fullmatch("s[0-9]+", name):
            raise ValueError(
                f"names: expected 1 to 10 letters, digits, '_', '.' or '-', beginning with a letter, found {name!r}"
                " (s1, s2, ... are reserved for cores)"
            )
    return list(names)


def access_links(n: int, **parameters: object) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield params1 (up) and params2 (down) of `addLink` for each of n hosts."""
    columns = [one_per_host(parameter, value, n) for parameter, value in parameters.items()]
    for row in zip(*columns, strict=True):
        own = dict(zip(parameters, row, strict=True))
        up, down = own.pop("up"), own.pop("down")
        yield one_way("up", up, **own), one_way("down", down, **own)


def one_per_host(parameter: str, value: object, n: int) -> list[Any]:
    """Repeat one value for n hosts, or check that there is a value for each."""
    if value is None or isinstance(value, int | float | str):
        return [value] * n
    if not isinstance(value, Sequence) or len(value) != n:
        found = f"{len(value)} values" if isinstance(value, Sequence) else repr(value)
        raise ValueError(f"{parameter}: expected one value for all {n} hosts, or {n} values, found {found}")
    return list(value)


def one_way(
    rate_parameter: str,
    rate: object,
    *,
    delay: object = None,
    jitter: object = None,
    loss: object = None,
    queue: object = None,
    acks: object = None,
) -> dict[str, Any]:
    """Return the parameters of one direction for Mininet's TCIntf; queue_ms and acks are the testbed's own.

    bw is in Mbit/s, and round(bw * 1e6) is the exact rate. A delay, a jitter or a loss of 0 is left out, because
    it would add a qdisc without effect.
    """
    if jitter and not delay:
        raise ValueError("jitter: needs a delay too")
    if acks not in (None, "priority", "shared"):
        raise ValueError(f"acks: expected 'priority' or 'shared', found {acks!r}")
    parameters = {
        "bw": None if rate is None else whole(rate_parameter, rate, "bit/s") / 1e6,
        "delay": f"{number('delay', delay, 'ms')}ms" if delay else None,
        "jitter": f"{number('jitter', jitter, 'ms')}ms" if jitter else None,
        "loss": number("loss", loss, "%", most=100) if loss else None,
        "queue_ms": None if queue is None else number("queue", queue, "ms"),
        "acks": acks,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def number(parameter: str, value: object, unit: str, most: float = 1e9) -> float:
    """Return `value` if it is a plain number from 0 to `most`."""
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{parameter}: expected a plain number of {unit} from 0 to {most:g}, found {value!r}")
    return value


def whole(parameter: str, value: object, unit: str) -> int:
    """Return `value` if it is a plain whole number above 0, such as the 8e6 of `mn`."""
    if not isinstance(value, int | float) or not value >= 1 or value % 1 != 0:
        raise ValueError(f"{parameter}: expected a plain whole number of {unit} above 0, found {value!r}")
    return int(value)
