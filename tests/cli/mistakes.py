"""Experiment files with one mistake of a new user each, and what `testbed check` says behind the file's name."""

from contract.programs import CLIENTS, STRATEGIES

RATES = "{count: 3, up: 1 Mbit/s}"
HOSTS = "up, down, delay, jitter, loss, profile, strategy, application, encryption, count, arrival, departure, start"
GROUPS = "`peers: {homes: {count: 10, up: 1 Mbit/s}}`"
SIDES = "(gain.mean where group = one) < (gain.mean where group = others)"
LAST = (
    f"`where` comes last, and selects the rows of all sides; for rows of its own, put a side in brackets, as in {SIDES}"
)
NAMES = f"ours, {', '.join(CLIENTS)}, or module:Class for an adapter of your own"
CLASS = "is not of the form module:Class, such as my_client:Clever"


def swarm(peers: str = f"  homes: {RATES}", more: str = "", servers: str = "{up: 8 Mbit/s}") -> str:
    """A file with peers from line 4 on, and more from line 5 on."""
    return f"file: {{size: 4 MiB}}\nservers: {servers}\npeers:\n{peers}\n{more}\n"


def group(text: str) -> str:
    """A file whose group of peers is described by `text`, in line 4 from column 35 on."""
    return swarm(f"  homes: {{count: 3, up: 1 Mbit/s, {text}}}")


def more(text: str) -> str:
    return swarm(more=text)


def expecting(text: str) -> str:
    """A file with an expectation in line 6, from column 5 on."""
    return more(f"expect:\n  - {text}")


SEVERAL_VALUES = {
    swarm("  homes: {count: [2, 4], up: 1 Mbit/s}"): (
        "4:11: peers.homes.count: expected a whole number, found the list [2, 4]: to vary it, write"
        " `peers.homes.count: [2, 4]` under `sweep:`"
    ),
    swarm("  homes: {count: {from: 2, to: 4, step: 1}, up: 1 Mbit/s}"): (
        "4:11: peers.homes.count: expected a whole number, found a mapping with from, to, step: to vary it, write"
        " `peers.homes.count: {from: 2, to: 4, step: 1}` under `sweep:`"
    ),
    swarm().replace("4 MiB", "[4 MiB, 8 MiB]"): (
        "1:8: file.size: expected a size such as 32 MiB, found the list ['4 MiB', '8 MiB']: to vary it, write"
        " `file.size: [4 MiB, 8 MiB]` under `sweep:`"
    ),
    more("distribution: [bittorrent, fluid]"): (
        "5:1: distribution: expected 'client-server', 'bittorrent' or 'fluid', found the list ['bittorrent', 'fluid']:"
        " to vary it, write `distribution: [bittorrent, fluid]` under `sweep:`"
    ),
    more("tracker: {numwant: [10, 50]}"): (
        "5:11: tracker.numwant: expected a whole number, found the list [10, 50]: to vary it, write"
        " `tracker.numwant: [10, 50]` under `sweep:`"
    ),
    group("strategy: [tit-for-tat, bittyrant]"): (
        "4:35: peers.homes.strategy: expected a name, or a mapping with `class:` and parameters, found the list"
        " ['tit-for-tat', 'bittyrant']: to vary it, write `peers.homes.strategy: [tit-for-tat, bittyrant]` under"
        " `sweep:`"
    ),
    group("strategy: {class: bittyrant, excess: [withheld, donated]}"): (
        "4:64: peers.homes.strategy.excess: expected one value, found a list of 2: to vary it, write"
        " `peers.homes.strategy.excess: [...]` under `sweep:`"
    ),
    group("arrival: [flash, {poisson: 5 /min}]"): (
        "4:35: peers.homes.arrival: expected flash, or a mapping with poisson, uniform, at or csv, found the list"
        " ['flash', {'poisson': '5 /min'}]: to vary it, write `peers.homes.arrival: [flash, {poisson: 5 /min}]` under"
        " `sweep:`"
    ),
    swarm(servers="{up: [8 Mbit/s, 4 Mbit/s]}"): (
        "2:11: servers.up: expected one value, found 2: a list has a value for each host, and values to compare are"
        " written under `sweep:`"
    ),
    more("seed: [1, 2]"): (
        "5:1: seed: expected a whole number, found the list [1, 2]: to have several trials, each with its own draws,"
        " write `repeat:`"
    ),
    more("repeat: [1, 2]"): "5:1: repeat: expected a whole number, found the list [1, 2]",
    more("sweep: {peers.homes.count: [[2, 4]]}"): (
        "5:29: peers.homes.count: expected a whole number, found the list [2, 4]"
    ),
}
GROUP_LEVELS = {
    swarm("  count: 3\n  up: 1 Mbit/s"): f"3:1: peers: the name of a group is missing above `count:`: write {GROUPS}",
    swarm("  strategy: {class: swift}\n  up: 1 Mbit/s"): (
        f"3:1: peers: the name of a group is missing above `up:`: write {GROUPS}"
    ),
    swarm(f"  - {RATES}"): (
        f"3:1: peers: expected groups with names of your choice, such as {GROUPS}, found the list"
        " [{'count': 3, 'up': '1 Mbit/s'}]"
    ),
    swarm("  10"): f"3:1: peers: expected groups with names of your choice, such as {GROUPS}, found 10",
    swarm("  homes:"): f"4:3: peers.homes: expected a mapping with {HOSTS}, found nothing",
    swarm(f"  free-riders: {RATES}"): (
        "4:3: peers.free-riders: expected a name of at most 20 lower-case letters, digits and _, the first a letter,"
        " found 'free-riders'"
    ),
    swarm(servers="{main: {up: 8 Mbit/s}}"): (
        "2:1: servers: has no groups: write `up:` and the other keys directly below `servers:`"
    ),
    swarm(servers="[{up: 8 Mbit/s}]"): (
        "2:1: servers: is no list: describe all servers together, as in `servers: {count: 2, up: 8 Mbit/s}`"
    ),
}
KEYS = {
    group("latency: 5 ms"): f"4:35: peers.homes.latency: unknown key (did you mean delay?): the keys here are {HOSTS}",
    group(
        "client: swift"
    ): f"4:35: peers.homes.client: unknown key (did you mean strategy?): the keys here are {HOSTS}",
    group("x-note: 1"): f"4:35: peers.homes.x-note: unknown key: the keys here are {HOSTS}",
    group("size: 4 MiB"): (
        "4:35: peers.homes.size: unknown key (it belongs to figures.NAME or file: is its indentation right?): the keys"
        f" here are {HOSTS}"
    ),
    more("topology: {name: star}"): "5:1: topology.class: is required (was 'name' meant to be this key?)",
    more("topology: star"): (
        "5:1: topology: expected a mapping with `class:` and the topology's parameters, such as {class: star},"
        " found 'star'"
    ),
    group("down: none"): "4:35: peers.homes.down: 'none' is not a rate: for no limit, leave out `down:`",
    group("departure: after 5 s"): (
        "4:35: peers.homes.departure: expected stay, at-completion, or a mapping with after, linger, share_ratio or"
        " mid_way, found 'after 5 s' (write {after: 5 s})"
    ),
    swarm("  homes: {count: 3, up: {choice: [1 Mbit/s, 2 Mbit/s]}}"): (
        "4:26: peers.homes.up.choice: expected rates with their weights, such as {1 Mbit/s: 3, 8 Mbit/s: 1}, found the"
        " list ['1 Mbit/s', '2 Mbit/s']"
    ),
    more("figures: {f: {theory: p2p}}"): "5:15: figures.f.theory: expected a list, found 'p2p' (write [p2p])",
    more("figures: {My Figure: {kind: cdf}}"): (
        "5:11: figures.My Figure: expected a name of at most 40 lower-case letters, digits, - and _, the first a letter"
        " or a digit, found 'My Figure'"
    ),
    more("sweep: {peers.homes.count: [2, 4]}\nfigures: {f: {x: count}}"): (
        "6:15: figures.f.x: there is no column 'count' (did you mean peers.homes.count?): the columns are the"
        " swept keys"
        " and those in docs/results.md"
    ),
}
UNKNOWN_AT_TOP = {
    more("repetitions: 5"): "5:1: repetitions: unknown key (did you mean repeat?): the keys here are title,",
    more("timeout: 5 min"): "5:1: timeout: unknown key (did you mean time_limit?): the keys here are title,",
    more("count: 5"): (
        "5:1: count: unknown key (it belongs to servers or peers.NAME: is its indentation right?): the keys here"
        " are title,"
    ),
    more("fast: &fast {up: 1 Mbit/s}"): "5:1: fast: unknown key: the keys here are title,",
}
SWEEPS = {
    more("sweep: {count: [2, 4]}"): (
        "5:9: sweep.count: the file has no key 'count' (did you mean servers.count or peers.homes.count?)"
    ),
    more("sweep: {homes.count: [2, 4]}"): (
        "5:9: sweep.homes.count: the file has no key 'homes' (did you mean peers.homes.count?)"
    ),
    more("sweep: {peers.count: [2, 4]}"): (
        "5:9: sweep.peers.count: there is no 'count' in peers (did you mean servers.count or peers.homes.count?)"
    ),
    more("sweep:\n  peers:\n    homes:\n      count: [2, 4]"): (
        "6:3: sweep.peers: expected a list of values, or a range with from, to, and step or factor, found a"
        " mapping with"
        " homes: write the path of the key, as in `peers.homes.count: [2, 4]`"
    ),
    more("sweep:\n  - distribution: [bittorrent, fluid]"): (
        "5:1: sweep: expected keys with their values, such as `peers.homes.count: [5, 10]`, found the list"
        " [{'distribution': ['bittorrent', 'fluid']}]"
    ),
    more("sweep: {peers.homes.strategy: [tit-for-tat, swift]}\npair: strategy"): (
        "6:1: pair: 'strategy' is not swept (did you mean peers.homes.strategy?): write peers.homes.strategy"
    ),
}
APPLICATION_NAMES = {
    group("application: mainline"): (
        f"4:35: peers.homes.application: unknown application 'mainline': write {NAMES}; for our client with the"
        " constants of mainline, write `profile: mainline`"
    ),
    group("application: BitTyrant"): (
        f"4:35: peers.homes.application: unknown application 'BitTyrant': write {NAMES}; it is a strategy of our"
        " client, so write `strategy: bittyrant`"
    ),
    more("sweep: {peers.homes.application: [ours, transmision]}"): (
        f"5:41: peers.homes.application: unknown application 'transmision' (did you mean transmission?): write {NAMES}"
    ),
    swarm(servers="{up: 8 Mbit/s, application: nginx}"): (
        f"2:25: servers.application: unknown application 'nginx': write {NAMES}"
    ),
    group("application: aria2").replace("file:", "distribution: fluid\nfile:"): (
        "5:35: peers.homes.application: unknown application 'aria2': fluid has only 'ours', so leave this key out"
    ),
    group("application: aria2, strategy: swift"): (
        "4:55: peers.homes.strategy: only our client has a strategy: leave this key out beside `application: aria2`"
    ),
    group("application: aria2, profile: mainline"): (
        "4:55: peers.homes.profile: only our client has a profile: leave this key out beside `application: aria2`"
    ),
    group("application: aria2, start: {peers: 1, with: 5 %}"): (
        "4:55: peers.homes.start: aria2 starts with no data: leave this key out"
    ),
    group("application: aria2, departure: {mid_way: {at: 50 %, back_after: 1 s}}"): (
        "4:55: peers.homes.departure: only our client can leave and come back with its pieces: write stay,"
        " at-completion, or a mapping with after, linger or share_ratio"
    ),
    more("tracker: {application: opentracker, numwant: 30}"): (
        "5:37: tracker.numwant: opentracker gives each peer as many as it asks for: leave this key out"
    ),
    more("tracker: {application: opentracker, seeds_meet_seeds: false}"): (
        "5:37: tracker.seeds_meet_seeds: opentracker names seeds to seeds too: leave this key out"
    ),
    group("strategy: {bittyrant: {excess: withheld}}"): (
        "4:35: peers.homes.strategy: write {class: bittyrant, excess: withheld}: `class:` has the name, and the"
        " parameters stand beside it"
    ),
    group("strategy: mine.py"): (
        "4:35: peers.homes.strategy: 'mine.py' is a file: write mine:Class, with the name of its class"
    ),
    group("strategy: ./mine.py:Mine"): (
        "4:35: peers.homes.strategy: './mine.py' is a path: write the name of the module alone, as in mine:Mine"
    ),
    group("strategy: 'mine: Mine'"): f"4:35: peers.homes.strategy: 'mine: Mine' {CLASS}",
    group("strategy: tit_for_tat"): (
        "4:35: peers.homes.strategy: unknown strategy 'tit_for_tat' (did you mean tit-for-tat?): write"
        f" {', '.join(STRATEGIES)}, or module:Class for your own"
    ),
}
AGGREGATE = "behind the column, write .mean, .median, .min, .max, .p95 or .count"
EXPECTATIONS = {
    expecting("distribution_s.avg < 5"): (
        f"6:5: expect.0: 'distribution_s.avg' has no aggregate (did you mean distribution_s.mean?): {AGGREGATE}"
    ),
    expecting("distribution_s < 5"): f"6:5: expect.0: 'distribution_s' has no aggregate: {AGGREGATE}",
    expecting("mean(distribution_s) < 5"): (
        "6:5: expect.0: 'mean' is not a function: write the aggregate behind the column, such as payload_ratio.mean"
    ),
    expecting("distribution_s.mean < 5 and jain.mean > 0.9"): (
        "6:29: expect.0: expected a comparison, `where` or the end, found 'and': write each comparison in a line of its"
        " own"
    ),
    expecting("distribution_s.mean / bound_s.mean < 2"): (
        "6:25: expect.0: '/' is not allowed here: a quotient cannot be written; multiply the other side: `a < 2 *"
        " b` for"
        " `a / b < 2`"
    ),
    expecting("distribution_s.mean => 2"): (
        "6:26: expect.0: expected a number, or a column and an aggregate such as payload_ratio.mean, found '>':"
        " write >="
    ),
    expecting("distribution_s.mean ≤ 2"): "6:25: expect.0: '≤' is not allowed here: write <=",
    expecting("distribution_s.mean < 2 if N = 3"): (
        "6:29: expect.0: expected a comparison, `where` or the end, found 'if': write `where`"
    ),
    expecting("distribution_s.mean < 20 sec"): (
        "6:30: expect.0: expected a comparison, `where` or the end, found 'sec' (did you mean s?)"
    ),
    expecting("count = 1 where N is 3"): "6:23: expect.0: expected =, !=, <, <=, >, >= or in, found 'is': write =",
    expecting("count = 1 where N = 3, F = 4 MiB"): (
        "6:26: expect.0: expected `and`, `or` or the end, found ',': write `and` between conditions"
    ),
    expecting("gain.mean where group = homes < 2"): (
        f"6:15: expect.0: expected a comparison: =, !=, <, <=, > or >=, found 'where': {LAST}"
    ),
    expecting("gain.mean < gain.mean where group = homes < 2"): (
        f"6:47: expect.0: expected `and`, `or` or the end, found '<': {LAST}"
    ),
    expecting("distribution_s.mean: < 5"): (
        "6:5: expect.0: expected text (in quotes if it looks like a number), found a mapping with distribution_s.mean"
        " (a text with `: ` in it needs quotes)"
    ),
    more("expect: count = 1 where N in (3, 4)"): (
        "5:1: expect: expected a list, found 'count = 1 where N in (3, 4)' (write `- count = 1 where N in (3, 4)`"
        " in the"
        " next line)"
    ),
    expecting("peer_utilisation.mean > 90 %"): (
        "6:29: expect.0: peer_utilisation is no percentage: write a number without a unit, such as 0.9 for 90 %"
    ),
    expecting("worst_lateness_ms.max < 20 ms"): (
        "6:29: expect.0: worst_lateness_ms is in ms: write a number without a unit"
    ),
    expecting("count = 0 where distribution_s > 5 MiB"): (
        "6:38: expect.0: distribution_s is a duration: write one such as 20 ms, or a number in s"
    ),
    more("sweep: {peers.homes.count: [2, 4]}\nexpect:\n  - peers.homes.count = 4"): (
        "7:5: expect.0: peers.homes.count is a column: write an aggregate behind it, as peers.homes.count.mean"
    ),
}
CAPTURES = {
    more("capture:\n  core: true\n  filter: tcp prot 80"): (
        "7:3: capture.filter: can't parse filter expression: syntax error"
    ),
    more("capture: {hosts: [servers], filter: port 70000}"): (
        "5:29: capture.filter: illegal port number 70000 > 65535"
    ),
}
YAML = {
    more("seed:1"): (
        "6:1: not YAML: could not find expected ':' (is a `:`, or the space behind it, missing in the line before?)"
    ),
    more("expect: [count = 1"): (
        "6:1: not YAML: expected ',' or ']', but got '<stream end>': a bracket or a quote is not closed"
    ),
    more("---\nseed: 1"): (
        "5:1: not YAML: but found another document: a file describes one experiment, so remove the line `---` and what"
        " follows"
    ),
    swarm("  homes: *home"): (
        "4:10: not YAML: found undefined alias 'home': write an anchor (&) with this name above it, for instance"
        " in a key"
        " that begins with x-"
    ),
}
MISTAKES = {
    **SEVERAL_VALUES,
    **GROUP_LEVELS,
    **KEYS,
    **SWEEPS,
    **APPLICATION_NAMES,
    **EXPECTATIONS,
    **CAPTURES,
    **YAML,
}
