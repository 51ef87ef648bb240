"""Messages about mistakes: place, key, what was found, what is possible, and the nearest word."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from ruamel.yaml import YAML

from contract.programs import STRATEGIES
from testbed.experiment import (
    ExperimentError,
    Problem,
    make_plan,
    read_experiment,
)
from testbed.experiment.file.load import FROM_GROUPS

HOSTS = "up, down, delay, jitter, loss, profile, strategy, application, encryption, count"
GROUP = f"{HOSTS}, arrival, departure, start"
RATES = "expected a rate such as 8 Mbit/s, a list of rates, or a mapping with choice, uniform, lognormal or csv"
ARRIVALS = "expected flash, or a mapping with poisson, uniform, at or csv"
DEPARTURES = "expected stay, at-completion, or a mapping with after, linger, share_ratio or mid_way"


GROUPS = "expected groups with names of your choice, such as `peers: {homes: {count: 10, up: 1 Mbit/s}}`"
A_LIST = "a list has a value for each host, and values to compare are written under `sweep:`"


NO_DATA = "a client of client-server has no data at the start: leave out this key"
LEAVES = (
    "a client of client-server leaves when it has the whole file, and sends nothing: write stay, at-completion or"
    " {linger: ...}"
)


def refusals(folder: Path, text: str) -> list[str]:
    """Return the messages about a file, without its name."""
    file = folder / "x.yaml"
    file.write_text(text)
    with pytest.raises(ExperimentError) as error:
        read_experiment(file)
    return [str(problem).removeprefix(f"{file}:") for problem in error.value.problems]


def of_group(text: str) -> str:
    """A file whose only group of peers is described by `text`, in line 4 from column 11."""
    return f"file: {{size: 4 MiB}}\nservers: {{up: 8 Mbit/s}}\npeers:\n  homes: {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("count: 2", "4:3: peers.homes.up: is required"),
        ("count: 2, upp: 1 Mbit/s", "4:3: peers.homes.up: is required (was 'upp' meant to be this key?)"),
        (
            "count: 2, up: 1 Mbit/s, dwon: 1 Mbit/s",
            f"4:35: peers.homes.dwon: unknown key (did you mean down?): the keys here are {GROUP}",
        ),
        ("count: 0, up: 1 Mbit/s", "4:11: peers.homes.count: no group has any peers: at least one group needs some"),
        ("count: many, up: 1 Mbit/s", "4:11: peers.homes.count: expected a whole number, found 'many'"),
        ("count: true, up: 1 Mbit/s", "4:11: peers.homes.count: expected a whole number, found true"),
        ("count: 2.5, up: 1 Mbit/s", "4:11: peers.homes.count: expected a whole number, found 2.5"),
        (
            "count: 2, up: 8",
            "4:21: peers.homes.up: '8' has no unit: write 8 bit/s, 8 kbit/s, 8 Mbit/s or 8 Gbit/s",
        ),
        ("count: 2, up: 8 Mb", "4:21: peers.homes.up: '8 Mb' has an ambiguous unit: write Mbit/s or MB/s"),
        (
            "count: 2, up: 8 MB",
            "4:21: peers.homes.up: '8 MB' is a size, not a rate: write bit/s, kbit/s, Mbit/s or Gbit/s",
        ),
        ("count: 2, up: 8 Mb/s", "4:21: peers.homes.up: '8 Mb/s' has an ambiguous unit: write Mbit/s or MB/s"),
        (
            "count: 2, up: 20 ms",
            "4:21: peers.homes.up: '20 ms' is a duration, not a rate: write bit/s, kbit/s, Mbit/s or Gbit/s",
        ),
        (
            "count: 2, up: 1 kbit/s",
            "4:21: peers.homes.up: expected a rate of 56 kbit/s to 1 Gbit/s, found '1 kbit/s'",
        ),
        (
            "count: 2, up: 1000001 bit/s",
            (
                "4:21: peers.homes.up: expected a multiple of 8 bit/s (the nearest are 1000000 and 1000008 bit/s),"
                " found '1000001 bit/s'"
            ),
        ),
        (
            "count: 2, up: {chioce: 3}",
            f"4:21: peers.homes.up: {RATES}, found a mapping with chioce (did you mean choice?)",
        ),
        ("count: 2, up: {}", f"4:21: peers.homes.up: {RATES}, found an empty mapping"),
        ("count: 2, up: ", "4:21: peers.homes.up: expected a rate such as 8 Mbit/s, found nothing"),
        (
            "count: 2, up: [1 Mbit/s, 2]",
            "4:36: peers.homes.up.1: '2' has no unit: write 2 bit/s, 2 kbit/s, 2 Mbit/s or 2 Gbit/s",
        ),
        (
            "count: 2, up: [1 Mbit/s]",
            f"4:21: peers.homes.up: expected one value for each of 2 hosts, found 1: {A_LIST}",
        ),
        (
            "count: 2, up: {choice: {8: 1}}",
            "4:35: peers.homes.up.choice.8: '8' has no unit: write 8 bit/s, 8 kbit/s, 8 Mbit/s or 8 Gbit/s",
        ),
        (
            "count: 2, up: {choice: {1 Mbit/s: 0}}",
            "4:35: peers.homes.up.choice.1 Mbit/s: expected more than 0, found 0",
        ),
        (
            "count: 2, up: {choice: {}}",
            "4:26: peers.homes.up.choice: expected at least one value, found an empty mapping",
        ),
        (
            "count: 2, up: {uniform: {from: 2 Mbit/s, to: 1 Mbit/s}}",
            "4:26: peers.homes.up.uniform: `from:` is greater than `to:`: write the smaller rate first",
        ),
        ("count: 2, up: {lognormal: {median: 1 Mbit/s}}", "4:26: peers.homes.up.lognormal.sigma: is required"),
        (
            "count: 2, up: 1 Mbit/s, arrival: flush",
            f"4:35: peers.homes.arrival: {ARRIVALS}, found 'flush' (did you mean flash?)",
        ),
        (
            "count: 2, up: 1 Mbit/s, arrival: {poisson: 5 min}",
            "4:45: peers.homes.arrival.poisson: '5 min' is a duration, not a frequency: write /h, /min or /s",
        ),
        (
            "count: 2, up: 1 Mbit/s, arrival: {at: [1 s]}",
            f"4:45: peers.homes.arrival.at: expected one value for each of 2 hosts, found 1: {A_LIST}",
        ),
        (
            "count: 2, up: 1 Mbit/s, departure: at_completion",
            f"4:35: peers.homes.departure: {DEPARTURES}, found 'at_completion' (did you mean at-completion?)",
        ),
        (
            "count: 2, up: 1 Mbit/s, departure: {after: 0 s, linger: 1 s}",
            "4:47: peers.homes.departure.after: expected more than 0, found '0 s'",
        ),
        (
            "count: 2, up: 1 Mbit/s, departure: {mid_way: {at: 100 %, back_after: 1 s}}",
            "4:57: peers.homes.departure.mid_way.at: expected more than 0 % and less than 100 %",
        ),
        (
            "count: 2, up: 1 Mbit/s, start: {peers: 3, with: 50 %}",
            "4:43: peers.homes.start.peers: expected at most 2 peers, the size of the group, found 3",
        ),
        ("count: 2, up: 1 Mbit/s, loss: 101 %", "4:35: peers.homes.loss: expected 0 % to 100 %, found '101 %'"),
        (
            "count: 2, up: 1 Mbit/s, delay: 2 min",
            "4:35: peers.homes.delay: expected a delay of at most 1 min, found '2 min'",
        ),
        ("count: 2, up: 1 Mbit/s, jitter: 2 ms", "4:35: peers.homes.jitter: needs a delay: add `delay:`"),
        (
            "count: 2, up: 1 Mbit/s, encryption: required",
            (
                "4:35: peers.homes.encryption: expected 'off', 'accept', 'prefer' or 'require',"
                " found 'required' (did you mean require?)"
            ),
        ),
        (
            "count: 2, up: 1 Mbit/s, profile: maineline",
            (
                "4:35: peers.homes.profile: expected 'course', 'bep3', 'mainline', 'libtorrent' or 'testbed',"
                " found 'maineline' (did you mean mainline?)"
            ),
        ),
        (
            "count: 2, up: 1 Mbit/s, strategy: 5",
            "4:35: peers.homes.strategy: expected a name, or a mapping with `class:` and parameters, found 5",
        ),
        (
            "count: 2, up: 1 Mbit/s, strategy: tit-for-tatt",
            (
                "4:35: peers.homes.strategy: unknown strategy 'tit-for-tatt' (did you mean tit-for-tat?): write"
                f" {', '.join(STRATEGIES)}, or module:Class for your own"
            ),
        ),
        (
            "count: 2, up: 1 Mbit/s, strategy: {clas: x}",
            "4:35: peers.homes.strategy.class: is required (was 'clas' meant to be this key?)",
        ),
    ],
)
def test_mistake_in_group_is_explained(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusals(tmp_path, of_group(text))


FINE = "count: 2, up: 1 Mbit/s"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed: -1", "5:1: seed: expected 0 or more, found -1"),
        ("repeat: 0", "5:1: repeat: expected 1 or more, found 0"),
        ("time_limit: 60", "5:1: time_limit: '60' has no unit: write 60 us, 60 ms, 60 s, 60 min or 60 h"),
        ("time_scale: 0", "5:1: time_scale: expected more than 0, found 0"),
        ("time_scale: .inf", "5:1: time_scale: expected a finite number, found inf"),
        (
            "distribution: bittorent",
            (
                "5:1: distribution: expected 'client-server', 'bittorrent' or 'fluid', found 'bittorent'"
                " (did you mean bittorrent?)"
            ),
        ),
        (
            "capture: [homse]",
            (
                "5:11: capture.0: unknown name 'homse' (did you mean homes?): write servers, tracker, homes, or the"
                " name of a host"
            ),
        ),
        (
            "capture: every",
            (
                "5:1: capture: expected none, all, a list of groups or names of hosts, or a mapping with hosts, core,"
                " filter, snaplen, size_limit, files, found 'every'"
            ),
        ),
        (
            "capture: {hosts: [p1, p9]}",
            "5:23: capture.hosts.1: unknown name 'p9': write servers, tracker, homes, or the name of a host",
        ),
        ("capture: {core: false}", "5:1: capture: captures nothing: write `hosts:`, or `core: true`"),
        ("capture: {hosts: []}", "5:1: capture: captures nothing: write `hosts:`, or `core: true`"),
        (
            "capture: {hosts: every}",
            "5:11: capture.hosts: expected none, all, or a list of groups or names of hosts, found 'every'",
        ),
        ("capture: {core: yes please}", "5:11: capture.core: expected true or false, found 'yes please'"),
        (
            "capture: {core: true, snaplen: 20}",
            "5:23: capture.snaplen: expected headers, full, or a number of bytes from 94 to 262144, found 20",
        ),
        (
            "capture: {core: true, snaplen: 128 B}",
            "5:23: capture.snaplen: expected headers, full, or a number of bytes from 94 to 262144, found '128 B'",
        ),
        (
            "capture: {core: true, size_limit: 1 KiB}",
            "5:23: capture.size_limit: expected at least 1 MiB, found '1 KiB'",
        ),
        ("capture: {core: true, files: 4}", "5:1: capture: `files:` needs `size_limit:`, the size of one file"),
        (
            "capture: {core: true, snap: full}",
            (
                "5:23: capture.snap: unknown key (did you mean snaplen?): the keys here are hosts, core, filter,"
                " snaplen, size_limit, files"
            ),
        ),
        (
            "topology: {class: star, up: 1 Mbit/s}",
            "5:25: topology.up: is set from `servers:` and `peers:`: leave it out",
        ),
        (
            "expect: [payload_ratio.men < 1]",
            (
                "5:10: expect.0: 'payload_ratio.men' has no aggregate (did you mean"
                " payload_ratio.mean?): behind the column, write .mean, .median, .min, .max, .p95 or .count"
            ),
        ),
        (
            "expect:\n  - payload_ratio.mean 1.3",
            "6:24: expect.0: expected a comparison: =, !=, <, <=, > or >=, found '1.3'",
        ),
        ('expect:\n  - "a.mean < 1 where b c"', "6:25: expect.0: expected =, !=, <, <=, >, >= or in, found 'c'"),
        (
            "expect:\n  - >\n    a.mean <",
            "6:5: expect.0: expected a number, or a column and an aggregate such as payload_ratio.mean, found the end",
        ),
        ("figures: {f: {x: 5}}", "5:15: figures.f.x: expected text (in quotes if it looks like a number), found 5"),
        ("figures: {f: {where: 5 > x}}", "5:22: figures.f.where: expected a name, such as distribution, found '5'"),
        ("figures: [f]", "5:1: figures: expected a mapping whose keys are names of your choice, found the list ['f']"),
        (
            "tracker: http",
            "5:1: tracker: expected a mapping with kind, application, numwant, seeds_meet_seeds, found 'http'",
        ),
        ("sweep:", "5:1: sweep: has no keys: write a key and its values, such as `peers.homes.count: [5, 10]`"),
        ("sweep: {}", "5:1: sweep: has no keys: write a key and its values, such as `peers.homes.count: [5, 10]`"),
        ("sweep: {seed: [1, 2]}", "5:9: sweep.seed: 'seed' applies to the whole experiment and cannot be swept"),
        ("sweep: {file.size: []}", "5:9: sweep.file.size: expected at least one value, found the list []"),
        (
            "sweep: {file.size: 4 MiB}",
            (
                "5:9: sweep.file.size: expected a list of values, or a range with from, to, and step or factor,"
                " found '4 MiB'"
            ),
        ),
        (
            "sweep: {file.sise: [4 MiB]}",
            "5:9: sweep.file.sise: file has no key 'sise' (did you mean size?)",
        ),
        (
            "sweep: {peers.home.count: [1]}",
            "5:9: sweep.peers.home.count: there is no 'home' in peers (did you mean homes?)",
        ),
        (
            "sweep: {peers.homes.count: [1, 0]}",
            "5:32: peers.homes.count: no group has any peers: at least one group needs some",
        ),
        (
            "sweep: {peers.homes.count: [1, 1]}",
            "5:32: sweep.peers.homes.count.1: has the value 1 twice: use `repeat:` to repeat trials",
        ),
        (
            "sweep: {file.size: {from: 1 MiB, to: 4 MiB}}",
            "5:9: sweep.file.size: a range has either `step:` or `factor:`",
        ),
        (
            "sweep: {zip: {file.size: [1 MiB], profile: [bep3, course]}}",
            "5:9: sweep.zip: zipped keys need the same number of values: file.size has 1, profile has 2",
        ),
        (
            "sweep: {zip: {file.size: [1 MiB, 1 MiB, 2 MiB], profile: [bep3, bep3, bep3]}}",
            (
                "5:9: sweep.zip: combination 2 of the zipped keys has the same values as an earlier one:"
                " use `repeat:` to repeat trials"
            ),
        ),
        (
            "sweep: {profile: [bep3], zip: {profile: [course]}}",
            "5:32: sweep.zip.profile: is swept twice: here and outside `zip:`",
        ),
        ("sweep: {profile: [bep3], when: profile != bep3}", "5:26: sweep.when: leaves out every point of the sweep"),
        (
            "sweep: {profile: [bep3, course], when: profile = corse}",
            "5:50: sweep.when: profile is never 'corse' here (did you mean course?): its values are 'bep3', 'course'",
        ),
        (
            "sweep: {peers.homes.count: [5, 10], when: peers.homes.count != 15}",
            "5:64: sweep.when: peers.homes.count is never 15 here: its values are 5, 10",
        ),
        (
            "sweep: {profile: [bep3], when: profil = course}",
            (
                "5:32: sweep.when: 'profil' is not in this file (did you mean profile?):"
                " use a key that is written here or swept"
            ),
        ),
        ("pair: profile", "5:1: pair: 'profile' is not swept: add `sweep:`"),
        (
            "sweep: {profile: [bep3]}\npair: profil",
            "6:1: pair: 'profil' is not swept (did you mean profile?): write profile",
        ),
    ],
)
def test_mistake_elsewhere_is_explained(tmp_path: Path, text: str, says: str) -> None:
    assert refusals(tmp_path, of_group(FINE) + text + "\n") == [says]


@pytest.mark.parametrize("key", FROM_GROUPS)
def test_topology_cannot_repeat_group_parameters(tmp_path: Path, key: str) -> None:
    (said,) = refusals(tmp_path, of_group(FINE) + f"topology: {{class: star, {key}: 1}}\n")
    assert said == f"5:25: topology.{key}: is set from `servers:` and `peers:`: leave it out"


def test_peers_need_a_file_and_a_server(tmp_path: Path) -> None:
    assert refusals(tmp_path, "peers: {homes: {count: 2, up: 1 Mbit/s}}") == [
        "1:1: file: is required with `peers:`",
        "1:1: servers: is required with `peers:`",
    ]


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ("", f"3:1: peers: {GROUPS}, found nothing"),
        (" {}", "3:1: peers: has no groups: write one, such as `homes: {count: 10, up: 1 Mbit/s}`"),
    ],
)
def test_peers_need_groups(tmp_path: Path, groups: str, says: str) -> None:
    assert refusals(tmp_path, f"file: {{size: 4 MiB}}\nservers: {{up: 1 Mbit/s}}\npeers:{groups}\n") == [says]


def test_empty_key_counts_as_missing(tmp_path: Path) -> None:
    text = "file:\nservers: {up: 1 Mbit/s}\npeers: {homes: {count: 2, up: 1 Mbit/s}}"
    assert refusals(tmp_path, text) == ["1:1: file: is required with `peers:`"]


def test_fluid_scheme_refuses_all_but_flash_crowds(tmp_path: Path) -> None:
    text = of_group(f"{FINE}, arrival: {{at: 5 s}}, departure: at-completion, start: {{peers: 1, with: 10 %}}")
    found = refusals(tmp_path, f"{text}sweep: {{distribution: [bittorrent, fluid]}}\n")
    assert [line.split(": ")[1] for line in found] == [
        f"peers.homes.{key}" for key in ("arrival", "departure", "start")
    ]


def test_fluid_scheme_refuses_several_servers(tmp_path: Path) -> None:
    text = of_group(FINE).replace("servers: {", "servers: {count: 2, ")
    assert refusals(tmp_path, f"{text}distribution: fluid\n") == [
        "2:11: servers.count: the fluid scheme has one server, not 2: leave out this key"
    ]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (
            "start: {peers: 1, with: 5 %}",
            "start: a client of client-server has no data at the start: leave out this key",
        ),
        ("departure: {after: 5 s}", f"departure: {LEAVES}"),
        ("departure: {share_ratio: 1}", f"departure: {LEAVES}"),
        ("departure: {mid_way: {at: 50 %, back_after: 1 s}}", f"departure: {LEAVES}"),
    ],
)
def test_client_server_refuses_what_clients_cannot_do(tmp_path: Path, key: str, says: str) -> None:
    text = f"{of_group(f'{FINE}, {key}')}distribution: client-server\n"
    assert refusals(tmp_path, text) == [f"4:35: peers.homes.{says}"]
    empty = text.replace("count: 2", "count: 0").replace("peers: 1", "peers: 0")
    assert all("client-server" not in line for line in refusals(tmp_path, empty))


def test_mistakes_in_all_parts_are_reported_together(tmp_path: Path) -> None:
    text = """\
    title: [x]
    file: {size: 4}
    servers: {up: fast}
    peers:
      homes: {count: -1, up: 1 Mbit/s}
      Farms: {count: 1, up: 1 Mbit/s}
    sweep:
      distribution: [fluid, floud]
      peers.hoems.count: [1]
    expect: [1 <]
    """
    found = refusals(tmp_path, dedent(text))
    assert [line.split(": ")[1] for line in found] == [
        "title",
        "file.size",
        "servers.up",
        "peers.homes.count",
        "peers.Farms",
        "sweep.peers.hoems.count",
        "expect.0",
    ]


def test_mistake_of_many_points_is_reported_once(tmp_path: Path) -> None:
    text = of_group("count: 2, up: [1 Mbit/s]") + "sweep: {file.size: [1 MiB, 2 MiB], profile: [bep3, course]}\n"
    assert len(refusals(tmp_path, text)) == 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "speeds.csv: no such file or directory"),
        ("up\n", "speeds.csv: no rows below the headings"),
        ("upp\n1 Mbit/s\n", "speeds.csv: no column 'up' (did you mean upp?): it has upp"),
        ("up\n1 Mbit/s\n2\n", "speeds.csv: line 3: '2' has no unit: write 2 bit/s, 2 kbit/s, 2 Mbit/s or 2 Gbit/s"),
        ("up\n1 bit/s\n", "speeds.csv: line 2: expected a rate of 56 kbit/s to 1 Gbit/s, found '1 bit/s'"),
        ("up\n\xff\n", "speeds.csv: not a CSV file in UTF-8"),
    ],
)
def test_unusable_csv_of_rates_is_explained(tmp_path: Path, table: str | None, says: str) -> None:
    if table is not None:
        (tmp_path / "speeds.csv").write_bytes(table.encode("latin-1"))
    (said,) = refusals(tmp_path, of_group("count: 2, up: {csv: speeds.csv}"))
    assert said == f"4:26: peers.homes.up.csv: {tmp_path}/{says}"


def test_csv_of_arrivals_needs_row_per_peer(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("arrival\n1 s\n")
    (said,) = refusals(tmp_path, of_group(f"{FINE}, arrival: {{csv: a.csv}}"))
    assert said == "4:45: peers.homes.arrival.csv: 2 peers need a row each, but a.csv has 1"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats()
    | st.sampled_from(["", "8 Mbit/s", "5 s", "fluid", "x.y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "step", "at", "class", "choice", "zip", "when", "up"]), inner)
    ),
    max_leaves=6,
)
SWEPT = st.sampled_from(
    ["distribution", "peers.homes.count", "peers.homes.up", "file", "zip", "when", "peers.a", "", "."]
)


@st.composite
def arbitrary(draw: DrawFn) -> object:
    """Draw a file in which one or two values are arbitrary."""
    document: dict[str, object] = {
        "file": {"size": "4 MiB"},
        "servers": {"up": "8 Mbit/s"},
        "peers": {"homes": {"count": 2, "up": "1 Mbit/s"}},
        "topology": {"class": "star"},
    }
    for _ in range(draw(st.integers(1, 2))):
        key = draw(
            st.sampled_from([*document, "sweep", "figures", "expect", "pair", "capture", "tracker", "time_limit"])
        )
        document[key] = draw(VALUES | st.dictionaries(SWEPT, VALUES, max_size=3))
    return document


@given(arbitrary())
def test_any_file_gives_experiment_or_problems(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    file = tmp_path_factory.getbasetemp() / "arbitrary.yaml"
    with file.open("w") as stream:
        YAML().dump(document, stream)
    problems: tuple[Problem, ...] = ()
    try:
        written = read_experiment(file)
        assert not written.experiment.peers or make_plan(written).trials
    except ExperimentError as error:
        problems = error.problems
    assert all(problem.place.line > 0 for problem in problems)
