"""depth.launch.py tells what is missing before anything starts, and ends with a node that cannot start or dies."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("launch", reason="ROS 2's launch is not installed")
pytest.importorskip("launch_ros", reason="ROS 2's launch_ros is not installed")

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from family import alive, wait_until
from launch_scene import make_bundle, make_recording, own_graph

try:
    SHARE = get_package_share_directory("fastdepth_ros")
except PackageNotFoundError:
    pytest.skip("fastdepth_ros is not installed where ament finds it (AMENT_PREFIX_PATH)", allow_module_level=True)

RUN = Path(__file__).with_name("run_launch.py")
STARTED = "process started with pid"
LONGEST = 500
"""For a launch that ends by itself [s]: the first of them compiles the model, on a machine that may have other work."""


@pytest.fixture(scope="module")
def home():
    """A home folder with a recording and a model."""
    folder = own_graph() / "home"
    folder.mkdir()
    make_recording(folder / "recording", compressed=False)
    make_bundle(folder / "random")
    return folder


LACKING = """
import runpy, sys
sys.modules.update(dict.fromkeys(("rosbags", "safetensors", "tvm", "tvm_ffi"), None))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program as a Python does that has none of what the node needs besides ROS."""


def start(home, *arguments, python=(sys.executable,)):
    """Launch; its output is read line by line."""
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    environment |= {"HOME": str(home), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([*python, str(RUN), SHARE, *arguments], env=environment, **output)


def finish(launched):
    words, _ = launched.communicate(timeout=LONGEST)
    return launched.returncode, words


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("params_file:=/nowhere/depth.yaml", "params_file:=/nowhere/depth.yaml is no file"),
        ("params_file:=~/nowhere.yaml", "/home/nowhere.yaml is no file"),
        ("model:=nosuch", "there is no model 'nosuch'"),
        ("model:=~/nosuch", "/home/nosuch"),
        ("bag:=~/nosuch", "there is no recording"),
    ],
)
def test_what_is_missing_is_told_before_anything_starts(home, argument, told):
    status, words = finish(start(home, argument))
    assert status == 1
    assert told in words
    assert STARTED not in words


def test_rviz_that_is_not_installed_is_told_before_anything_starts(home):
    try:
        get_package_prefix("rviz2")
        pytest.skip("rviz2 is installed")
    except PackageNotFoundError:
        pass
    status, words = finish(start(home, "rviz:=true"))
    assert status == 1
    assert "needs the package rviz2" in words
    assert STARTED not in words


def test_viser_that_is_not_installed_is_told_before_anything_starts(home):
    if importlib.util.find_spec("viser") is not None:
        pytest.skip("viser is installed")
    status, words = finish(start(home, "view:=true"))
    assert status == 1
    assert "pip install 'fastdepth_ros[view]'" in words
    assert STARTED not in words


def test_a_home_folder_is_meant_by_a_tilde_everywhere(home):
    (home / "my.yaml").write_text("/**: {ros__parameters: {cloud: 'off'}}")
    status, words = finish(start(home, "bag:=~/recording", "model:=~/random", "params_file:=~/my.yaml"))
    assert status == 0, words
    assert f"{home}/random for host" in words


def test_a_recording_is_played_where_only_the_nodes_python_has_what_it_needs(home):
    """That is the environment's in which the workspace was built; launch runs with the system's."""
    arguments = ["bag:=~/recording", "model:=~/random", "cloud:=off"]
    status, words = finish(start(home, *arguments, python=(sys.executable, "-c", LACKING)))
    assert status == 0, words
    assert "]: answers " in words


@pytest.mark.parametrize("bag", [[], ["bag:=~/recording"]], ids=["live", "recording"])
def test_a_node_that_cannot_be_configured_ends_the_launch_with_status_1(home, bag):
    status, words = finish(start(home, "model:=~/random", "power_profile:=nosuch", *bag))
    assert status == 1
    assert "depth_node cannot start" in words
    assert "nosuch" in words


def until_it_answers(launched, topic=""):
    """What a launch says until its node answers a topic; the node has died then."""
    words, pid = "", 0
    for line in launched.stdout:
        words += line
        if found := re.search(r"depth_node-\d+\]: process started with pid \[(\d+)\]", line):
            pid = int(found[1])
        if f"]: answers {topic}" in line:
            # The executable is a shell that became the node; so this is the node itself.
            os.kill(pid, signal.SIGKILL)
            break
    return words


def test_several_cameras_are_answered_below_their_names(home):
    launched = start(home, "model:=~/random", "cameras:=front,rear", "image:=/{camera}_cam/image", "rotation:=180")
    words = until_it_answers(launched, "/rear_cam/image ")
    finish(launched)
    assert "answers /front_cam/image on /front/depth/image_rect" in words
    assert "answers /rear_cam/image on /rear/depth/image_rect" in words


def test_a_node_that_dies_ends_the_launch_with_status_1(home):
    launched = start(home, "bag:=~/recording", "model:=~/random", "loop:=true")
    words = until_it_answers(launched)
    status, rest = finish(launched)
    assert status == 1, words + rest
    assert "depth_node has ended with status -9" in rest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_launch_that_is_ended_takes_node_and_player_with_it(home, number):
    launched = start(home, "bag:=~/recording", "model:=~/random", "loop:=true")
    processes, words, wanted = [], "", {"]: answers ", " messages) -> "}
    for line in launched.stdout:
        words += line
        processes += map(int, re.findall(r"process started with pid \[(\d+)\]", line))
        wanted = {each for each in wanted if each not in line}
        if not wanted:
            break
    assert len(processes) == 2, words
    launched.send_signal(number)
    finish(launched)
    wait_until(lambda: not alive(processes))


def test_relative_names_stay_in_the_namespace_and_the_name_is_the_nodes(home):
    arguments = ["model:=~/random", "bag:=~/recording", "image:=image_raw", "namespace:=front", "name:=eyes"]
    status, words = finish(start(home, *arguments))
    assert status == 0, words
    assert "[front.eyes]: answers /front/image_raw on /front/depth/image_rect" in words
    assert "-> /front/camera_info" in words


def test_the_log_level_is_the_nodes_and_a_clock_may_be_simulated(home):
    arguments = ["model:=~/random", "bag:=~/recording", "log_level:=error", "use_sim_time:=true"]
    status, words = finish(start(home, *arguments))
    assert status == 0, words
    assert "]: answers " not in words
