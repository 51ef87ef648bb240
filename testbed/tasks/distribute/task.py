"""Distributing a file, as a task."""

from collections.abc import Iterator, Sequence
from typing import Final

from testbed.tasks.distribute.columns import COLUMNS
from testbed.tasks.distribute.plan.bounds import estimate, theory_of
from testbed.tasks.distribute.plan.hosts import BOOTSTRAP, TRACKER, draw_hosts, host_names
from testbed.tasks.distribute.plan.needs import needs_of
from testbed.tasks.distribute.plan.records import Settings, Theory, TrialHosts
from testbed.tasks.distribute.schema.checks import check_values, column_words, missing_keys, refused_theory
from testbed.tasks.distribute.schema.keys import DistributionKeys
from testbed.tasks.task import LeastTime, Task
from testbed.values.findings import KeyPath
from testbed.values.hosts import Group
from testbed.values.records import CommonSettings
from testbed.values.units import format_size, rounded_rate


def _groups(keys: DistributionKeys) -> Iterator[Group]:
    for path, hosts in keys.hosts.items():
        yield Group(path, hosts, hosts.count)


def _modules(keys: DistributionKeys) -> Iterator[tuple[KeyPath, str]]:
    for path, hosts in keys.hosts.items():
        if hosts.is_ours:
            yield (*path, "strategy"), hosts.strategy.reference
        else:
            yield (*path, "application"), hosts.application


def _capturable(keys: DistributionKeys) -> list[str]:
    return ["servers", TRACKER, *([BOOTSTRAP] if keys.has_dht else []), *keys.peers]


def _settings(keys: DistributionKeys, common: CommonSettings) -> Settings:
    if keys.file is None:
        raise ValueError("an experiment with peers has a file")
    return Settings(
        **dict(common),
        distribution=keys.distribution,
        file_size=keys.file.size,
        piece_length=keys.file.piece_length,
        profile=keys.profile,
    )


def _least_time(settings: Settings, theory: Theory) -> LeastTime:
    return LeastTime(settings.bound_in(theory).payload_seconds, "payload bound")


def _overview(settings: Settings, hosts: TrialHosts, theory: Theory) -> dict[str, str]:
    bound = settings.bound_in(theory)
    killed = sum(host.killed_at is not None for host in hosts.all)
    return {
        "distribution": settings.distribution,
        "N": str(len(hosts.peers)),
        "F": format_size(settings.file_size),
        "bound s": f"{bound.seconds:.2f}",
        "payload": f"{bound.payload_seconds:.2f}",
        "servers": _total([server.up for server in hosts.servers]),
        "peers' up": _total([peer.up for peer in hosts.peers]),
        "limited by": bound.limit,
        "killed": str(killed or ""),
    }


def _total(rates: Sequence[int | None]) -> str:
    return "no limit" if None in rates else rounded_rate(sum(rate or 0 for rate in rates))


DISTRIBUTE: Final = Task(
    keys=DistributionKeys,
    outline="`file:`, `servers:` and `peers:`",
    group_keys=("servers", "peers"),
    missing=missing_keys,
    check=check_values,
    groups=_groups,
    capturable=_capturable,
    host_names=host_names,
    modules=_modules,
    columns=COLUMNS,
    column_words=column_words,
    refused_theory=refused_theory,
    hosts=draw_hosts,
    settings=_settings,
    theory=theory_of,
    least_time=_least_time,
    estimate=estimate,
    needs=needs_of,
    overview=_overview,
    participants="peers",
)
