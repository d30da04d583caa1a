"""Profiles: those that every node knows, and those that a robot's owner adds."""

import pytest

from fastdepth_ros.errors import SettingError
from fastdepth_ros.power import load_profiles


def write(tmp_path, text: str):
    path = tmp_path / "power.yaml"
    path.write_text(text)
    return path


def test_the_figures_of_the_tx2_are_the_papers():
    profiles = load_profiles()
    fast, thrifty = profiles["max-n"].on("tx2"), profiles["max-q"].on("tx2")
    assert (fast.modes, thrifty.modes) == (("MAXN",), ("MAXQ",))
    figures = [(b.network_ms, b.watts, b.idle_watts) for b in (fast.budget("cuda"), thrifty.budget("cuda"))]
    assert figures == [(5.6, 12.2, 3.4), (8.2, 6.5, 1.9)]
    figures = [(b.network_ms, b.watts, b.idle_watts) for b in (fast.budget(), thrifty.budget())]
    assert figures == [(37, 10.5, 3.4), (64, 3.8, 1.9)]


def test_a_robot_adds_a_profile_that_differs_in_what_it_says(tmp_path):
    own = "profiles: {night: {like: max-q, linux: {max_rate: 2, cores: '0,2-3', niceness: 7, cpu: {watts: 4}}}}"
    profiles = load_profiles(write(tmp_path, own))
    night, thrifty = profiles["night"].on("linux"), profiles["max-q"].on("linux")
    assert list(profiles) == ["max-n", "max-q", "night"]
    assert (night.max_rate, night.cores, night.threads) == (2.0, (0, 2, 3), thrifty.threads)
    assert night.niceness == 7
    assert (night.budget().watts, night.budget().age_ms) == (4.0, thrifty.budget().age_ms)
    assert profiles["night"].on("tx2") == profiles["max-q"].on("tx2")


def test_the_profiles_that_ship_are_read(request):
    assert "patrol" in load_profiles(request.config.rootpath / "config" / "power.yaml")


def test_an_unknown_board_is_treated_as_plain_linux():
    assert load_profiles()["max-q"].on("thor") == load_profiles()["max-q"].on("linux")


def test_an_unknown_profile_is_rejected_with_those_that_there_are(tmp_path):
    with pytest.raises(SettingError, match=r"no power_profile 'turbo'\. Use one of max-n, max-q"):
        load_profiles(write(tmp_path, "")).find("turbo")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profiles: [1]", "no table `profiles`"),
        ("- a", "no table `profiles`"),
        ("profiles: {a: {like: nothing}}", "no power_profile 'nothing'"),
        ("profiles: {a: {description: x}}", "says nothing of any board"),
        ("profiles: {a: {tx3: {}}}", "does not know tx3"),
        ("profiles: {a: {linux: {threads: -1}}}", "threads must be a whole number"),
        ("profiles: {a: {linux: {threads: 1.5}}}", "threads must be a whole number"),
        ("profiles: {a: {linux: {cores: many}}}", "a"),
        ("profiles: {a: {linux: {niceness: -1}}}", "niceness must be a whole number from 0 to 19"),
        ("profiles: {a: {linux: {max_rate: .nan}}}", "max_rate must be a number"),
        ("profiles: {a: {linux: {modes: MAXN}}}", "modes must be a list"),
        ("profiles: {a: {linux: {cpu: {watt: 4}}}}", "does not know watt"),
        ("profiles: {a: {linux: {cpu: 4}}}", "a table of"),
        ("profiles: {a: [", "cannot be read"),
    ],
)
def test_a_file_that_is_no_list_of_profiles_is_explained(tmp_path, text, words):
    with pytest.raises(SettingError) as error:
        load_profiles(write(tmp_path, text))
    assert words in str(error.value)


def test_a_file_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        load_profiles(tmp_path / "none.yaml")
