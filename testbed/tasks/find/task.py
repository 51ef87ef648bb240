"""Finding out who has what, as a task."""

from collections.abc import Iterator, Sequence
from typing import Final

from testbed.tasks.find.columns import COLUMNS
from testbed.tasks.find.plan.hosts import DIRECTORY, draw_hosts, host_names
from testbed.tasks.find.plan.needs import estimate, needs_of
from testbed.tasks.find.plan.records import (
    FindHosts,
    FindSettings,
    FindTheory,
    PlannedContent,
    PlannedOverlay,
    PlannedQueries,
)
from testbed.tasks.find.plan.searches import draw_scenario
from testbed.tasks.find.plan.theory import theory_of
from testbed.tasks.find.schema.checks import check_values, column_words, missing_keys, refused_theory
from testbed.tasks.find.schema.keys import Content, EachItem, FindKeys, InTotal, Queries
from testbed.tasks.task import Task
from testbed.values.hosts import Group
from testbed.values.records import CommonSettings


def _groups(keys: FindKeys) -> Iterator[Group]:
    for path, hosts in keys.hosts.items():
        yield Group(path, hosts, hosts.count)


def _capturable(keys: FindKeys) -> Sequence[str]:
    return [*([DIRECTORY] if (DIRECTORY,) in keys.hosts else []), *keys.nodes]


def _settings(keys: FindKeys, common: CommonSettings) -> FindSettings:
    if keys.overlay is None:
        raise ValueError("an experiment with nodes has an overlay")
    return FindSettings(
        **dict(common),
        overlay=PlannedOverlay(name=keys.overlay.reference, parameters=keys.overlay.parameters),
        content=_content(keys.content),
        queries=_queries(keys.queries),
        downloads=keys.downloads,
    )


def _content(content: Content) -> PlannedContent:
    copies = content.copies
    return PlannedContent(
        items=content.items,
        size=content.size,
        zipf=content.zipf,
        each=copies.each if isinstance(copies, EachItem) else None,
        total=copies.total if isinstance(copies, InTotal) else None,
        words=content.words,
        vocabulary=content.vocabulary,
        words_zipf=content.words_zipf,
    )


def _queries(queries: Queries) -> PlannedQueries:
    return PlannedQueries(
        rate=queries.rate,
        total_rate=queries.total_rate,
        begin=queries.begin,
        end=queries.end,
        what=queries.what,
        words=queries.words,
        typos=queries.typos,
    )


def _overview(settings: FindSettings, hosts: FindHosts, theory: FindTheory) -> dict[str, str]:
    scenario = draw_scenario(settings, hosts)
    killed = sum(host.killed_at is not None for host in hosts.all)
    return {
        "system": settings.overlay.name,
        "N": str(len(hosts.nodes)),
        "items": str(settings.content.items),
        "copies": str(scenario.catalogue.copies),
        "searches": str(len(scenario.searches)),
        "killed": str(killed),
        "hops": "" if theory.hops is None else f"{theory.hops:.2f}",
    }


FIND: Final = Task(
    keys=FindKeys,
    outline="`overlay:` and `nodes:`",
    group_keys=(DIRECTORY, "nodes"),
    missing=missing_keys,
    check=check_values,
    groups=_groups,
    capturable=_capturable,
    host_names=host_names,
    modules=lambda _keys: iter(()),
    columns=COLUMNS,
    column_words=column_words,
    refused_theory=refused_theory,
    hosts=draw_hosts,
    settings=_settings,
    theory=theory_of,
    least_time=lambda _settings, _theory: None,
    estimate=estimate,
    needs=needs_of,
    overview=_overview,
    participants="nodes",
    steps="searches",
)
