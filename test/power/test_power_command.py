"""`fastdepth power`, as one types it."""

import argparse
import json

import pytest
from boards import tx2_jetpack4

from fastdepth_ros.commands import power
from fastdepth_ros.errors import SettingError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    return power.run(parser.parse_args([*arguments, "--seconds", "0.7"]))


@pytest.fixture
def tree(tmp_path):
    return tx2_jetpack4.build(tmp_path, "MAXQ")


def test_it_shows_board_mode_rails_profile_and_budget(tree, capsys):
    assert run("--root", str(tree.root), "--nvpmodel", tree.nvpmodel[0], "--profile", "max-q") == 0
    shown = capsys.readouterr().out
    for word in (
        "quill",
        "MAXQ",
        "0,3-5",
        "1.19 GHz",
        "GPU-therm 39.0",
        "VDD_IN",
        "3.40",
        "max-q",
        "15 Hz",
        "3.8 W",
        "patrol",
    ):
        assert word in shown


def test_a_wrong_mode_is_told_with_the_command_and_in_the_exit_status(tree, capsys):
    assert run("--root", str(tree.root), "--nvpmodel", "/nonexistent", "--profile", "max-n") == 1
    assert "sudo nvpmodel -m 0" in capsys.readouterr().out


def test_json_holds_the_same_as_numbers(tree, capsys):
    run("--root", str(tree.root), "--nvpmodel", "/nonexistent", "--profile", "max-q", "--json")
    state = json.loads(capsys.readouterr().out)
    assert state["board"]["mode"] == "MAXQ"
    assert state["watts"] == pytest.approx(3.4, rel=0.01)
    assert state["profile"]["budget"]["watts"] == 3.8
    assert state["frame_mj"] is None


def test_this_machine_is_shown(capsys):
    assert run() in (0, 1)
    assert "cores online" in capsys.readouterr().out


def test_an_unknown_profile_is_answered_with_those_that_there_are():
    with pytest.raises(SettingError, match="Use one of max-n, max-q"):
        run("--profile", "turbo")


PROFILES = """
profiles:
  "patrol [/x]":
    like: max-n
    linux: {modes: ["[/red]"]}
"""


def test_names_in_brackets_are_shown_as_they_are(tmp_path, capsys):
    (tmp_path / "power.yaml").write_text(PROFILES)
    assert run("--profiles", str(tmp_path / "power.yaml"), "--profile", "patrol [/x]") in (0, 1)
    assert "patrol [/x]" in capsys.readouterr().out


def test_a_command_that_no_shell_would_read_is_told():
    with pytest.raises(SettingError, match="No closing quotation"):
        run("--nvpmodel", "'")
