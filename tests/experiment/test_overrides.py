"""Values that the command line gives to keys of a file: in the plan, in the text, and in messages."""

from pathlib import Path
from textwrap import dedent

import pytest

from testbed.experiment import ExperimentError, ExperimentFile, read_experiment
from testbed.experiment.plan.plan import make_plan
from tests.experiment.files import SMALL

SWEPT = (
    SMALL
    + """\
# counted
sweep:
  peers.homes.count: [2, 3]  # homes
  zip:
    file.size: [1 MiB, 2 MiB]
    servers.up: [4 Mbit/s, 8 Mbit/s]
"""
)
SHARED = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers:
  one: &same {count: 4, up: 1 Mbit/s, down: 8 Mbit/s}
  two: *same
"""


def read(folder: Path, *settings: str, text: str = SMALL) -> ExperimentFile:
    file = folder / "x.yaml"
    file.write_text(dedent(text))
    return read_experiment(file, settings=settings)


def points(file: ExperimentFile) -> list[dict[str, object]]:
    return [variant.point.values for variant in file.variants]


def strategy(file: ExperimentFile) -> tuple[str, dict[str, object]]:
    planned = make_plan(file).trials[0].hosts.peers[0].strategy
    return planned.name, dict(planned.parameters)


def refusals(folder: Path, *settings: str, text: str = SMALL) -> list[str]:
    with pytest.raises(ExperimentError) as refused:
        read(folder, *settings, text=text)
    return [str(problem) for problem in refused.value.problems]


def test_value_replaces_that_of_the_file(tmp_path: Path) -> None:
    file = read(tmp_path, "peers.homes.count=7", "file.size=1 MiB", "time_limit=90 s")
    settings, hosts = make_plan(file).trials[0].settings, make_plan(file).trials[0].hosts
    assert (settings.file_size, settings.time_limit, len(hosts.peers)) == (1 << 20, 90.0, 7)


def test_later_value_wins(tmp_path: Path) -> None:
    assert read(tmp_path, "repeat=2", "repeat=3").experiment.repeat == 3


def test_value_is_yaml(tmp_path: Path) -> None:
    file = read(tmp_path, "peers.homes.strategy={class: sequential}", "expect=[count = 1, 'count < 2']")
    assert file.experiment.expect == ["count = 1", "count < 2"]
    assert strategy(file) == ("sequential", {})


def test_name_becomes_mapping_when_its_parameter_is_set(tmp_path: Path) -> None:
    text = SMALL.replace("count: 4", "count: 4, strategy: bittyrant")
    file = read(tmp_path, "peers.homes.strategy.excess=withheld", text=text)
    assert strategy(file) == ("bittyrant", {"excess": "withheld"})


def test_swept_key_stays_swept_with_one_value(tmp_path: Path) -> None:
    found = points(read(tmp_path, "peers.homes.count=9", text=SWEPT))
    assert found == [
        {"peers.homes.count": 9, "file.size": size, "servers.up": up}
        for size, up in (("1 MiB", "4 Mbit/s"), ("2 MiB", "8 Mbit/s"))
    ]


@pytest.mark.parametrize("values", ["[4, 5]", "{from: 4, to: 5, step: 1}"])
def test_swept_key_takes_list_or_range(tmp_path: Path, values: str) -> None:
    found = points(read(tmp_path, f"peers.homes.count={values}", text=SWEPT))
    assert sorted({point["peers.homes.count"] for point in found}, key=str) == [4, 5]


def test_zipped_keys_are_set_together(tmp_path: Path) -> None:
    found = points(read(tmp_path, "file.size=3 MiB", "servers.up=5 Mbit/s", text=SWEPT))
    assert {(point["file.size"], point["servers.up"]) for point in found} == {("3 MiB", "5 Mbit/s")}
    (refusal,) = refusals(tmp_path, "file.size=3 MiB", text=SWEPT)
    assert "zipped keys need the same number of values: file.size has 1, servers.up has 2" in refusal


def test_key_can_be_swept_newly(tmp_path: Path) -> None:
    assert points(read(tmp_path, "sweep.profile=[bep3, course]")) == [{"profile": "bep3"}, {"profile": "course"}]
    zipped = read(tmp_path, "sweep.zip.profile=[bep3, course]", "sweep.zip.time_scale=[1, 2]")
    assert points(zipped)[1] == {"profile": "course", "time_scale": 2}


def test_copied_text_describes_the_same_plan(tmp_path: Path) -> None:
    file = read(tmp_path, "peers.homes.count=[4, 5]", "seed=3", "repeat=2", text=SWEPT)
    assert file.text.startswith("# changed by --set peers.homes.count=[4, 5]\n# changed by --set seed=3\n")
    assert "# counted" in file.text
    copy = tmp_path / "copy" / "x.yaml"
    copy.parent.mkdir()
    copy.write_text(file.text)
    assert make_plan(read_experiment(copy)) == make_plan(file)


def test_value_of_aliased_group_leaves_the_other_group(tmp_path: Path) -> None:
    file = read(tmp_path, "peers.two.count=1", text=SHARED)
    assert [group.count for group in file.task.groups(file.experiment) if group.path[0] == "peers"] == [4, 1]
    (tmp_path / "x.yaml").write_text(file.text)
    assert make_plan(read_experiment(tmp_path / "x.yaml")) == make_plan(file)


def test_file_without_settings_is_kept_to_the_letter(tmp_path: Path) -> None:
    assert read(tmp_path, text=SWEPT).text == SWEPT


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("repeat", "--set repeat: expected a key and its value, such as peers.homes.count=8"),
        ("=3", "--set =3: expected a key and its value"),
        ("repeat=[2", "--set repeat=[2: '[2' is not a value of YAML"),
        ("repaet=2", "the file has no key 'repaet' (did you mean repeat?)"),
        ("peers.hmes.count=2", "there is no 'hmes' in peers (did you mean homes?)"),
        ("peers.homes.cuont=2", "peers.homes has no key 'cuont' (did you mean count?)"),
        ("expect.0=count = 1", "expect has no key '0'"),
        ("repeat=two", "--set repeat=two: repeat: expected a whole number"),
        ("file.size=4", "--set file.size=4: file.size: '4' has no unit"),
        ("sweep.repeat=[1, 2]", "'repeat' applies to the whole experiment and cannot be swept"),
        ("sweep.peers.homes.count=[1, x]", "--set sweep.peers.homes.count=[1, x]: peers.homes.count: expected a whole"),
    ],
)
def test_wrong_setting_is_named_as_it_was_written(tmp_path: Path, setting: str, message: str) -> None:
    assert any(message in refusal for refusal in refusals(tmp_path, setting))
    assert all(refusal.startswith(f"--set {setting}: ") for refusal in refusals(tmp_path, setting))


def test_key_below_a_swept_one_is_refused(tmp_path: Path) -> None:
    text = SMALL + "sweep: {peers.homes.strategy: [sequential, random]}\n"
    (refusal,) = refusals(tmp_path, "peers.homes.strategy.slots=3", text=text)
    assert refusal.endswith("peers.homes.strategy is swept, and its values replace this one: set it instead")


def test_other_errors_keep_their_lines(tmp_path: Path) -> None:
    found = refusals(tmp_path, "repeat=0", "seed=-1", text=SMALL + "profile: none\n")
    assert [refusal.split(": ")[0] for refusal in found] == [
        "--set repeat=0",
        "--set seed=-1",
        f"{tmp_path}/x.yaml:5:1",
    ]
