"""What depth.launch.py makes of names, without starting anything."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from pathlib import Path

import pytest
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

pytest.importorskip("launch", reason="ROS 2's launch is not installed")
pytest.importorskip("launch_ros", reason="ROS 2's launch_ros is not installed")

import launch
from launch.events.process import ProcessExited, ProcessStdout
from launch_ros.actions import Node
from launch_scene import FRAME, make_recording

FILE = Path(__file__).resolve().parents[2] / "launch" / "depth.launch.py"


@pytest.fixture(scope="module")
def depth_launch():
    try:
        get_package_share_directory("fastdepth_ros")
    except PackageNotFoundError:
        pytest.skip("fastdepth_ros is not installed where ament finds it (AMENT_PREFIX_PATH)")
    spec = importlib.util.spec_from_file_location("depth_launch", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("image", "camera_info"),
    [
        ("/camera/image_raw", "/camera/camera_info"),
        ("/image_raw", "/camera_info"),
        ("image_raw", "camera_info"),
        ("front/image_raw", "front/camera_info"),
        ("~/image_raw", "~/camera_info"),
        ("/camera/image_raw/compressed", "/camera/camera_info"),
    ],
)
def test_camera_info_is_beside_the_image_and_as_relative(depth_launch, image, camera_info):
    assert depth_launch.beside(image) == camera_info


@pytest.mark.parametrize(
    ("pushed", "namespace", "topic", "full"),
    [
        (None, "", "image_raw", "/image_raw"),
        (None, "front", "image_raw", "/front/image_raw"),
        (None, "/front/", "image_raw", "/front/image_raw"),
        (None, "front", "/image_raw", "/image_raw"),
        ("/robot", "front", "image_raw", "/robot/front/image_raw"),
        ("/robot", "/front", "image_raw", "/front/image_raw"),
        ("/robot", "", "depth", "/robot/depth"),
        (None, "front", "~/image_raw", "/front/fastdepth/image_raw"),
        (None, "front", "", "/front"),
        (None, "", "", "/"),
    ],
)
def test_topics_are_resolved_as_the_node_resolves_them(depth_launch, pushed, namespace, topic, full):
    context = launch.LaunchContext()
    if pushed:
        context.launch_configurations["ros_namespace"] = pushed
    assert depth_launch.resolver(context, {"namespace": namespace, "name": ""})(topic) == full


def given(depth_launch, **arguments):
    """What the launch file is given, with its defaults."""
    context = launch.LaunchContext()
    defaults = {
        each.name: "".join(part.perform(context) for part in each.default_value or [])
        for each in depth_launch.ARGUMENTS
    }
    return {**defaults, **arguments}


def remappings(depth_launch, **arguments):
    values = given(depth_launch, **arguments)
    cameras = depth_launch.names_of(values)
    values["camera_info"] = values["camera_info"] or depth_launch.beside(values["image"])
    return {name: to for camera in cameras or [""] for name, to in depth_launch.remapped(values, camera)}


def test_each_of_several_cameras_has_topics_below_its_name(depth_launch):
    found = remappings(depth_launch, cameras="front,rear")
    assert found == {
        "front/image_raw": "front/image_raw",
        "front/camera_info": "front/camera_info",
        "rear/image_raw": "rear/image_raw",
        "rear/camera_info": "rear/camera_info",
    }


def test_the_name_of_each_camera_goes_where_its_place_is(depth_launch):
    found = remappings(depth_launch, cameras="[a, b]", image="/cams/{camera}/color", scan="/lidar/scan")
    assert found == {
        "a/image_raw": "/cams/a/color",
        "a/camera_info": "/cams/a/camera_info",
        "a/scan": "/lidar/scan",
        "b/image_raw": "/cams/b/color",
        "b/camera_info": "/cams/b/camera_info",
        "b/scan": "/lidar/scan",
    }


@pytest.mark.parametrize("cameras", ["", "none", "[]"])
def test_without_names_there_is_one_camera_under_plain_names(depth_launch, cameras):
    found = remappings(depth_launch, cameras=cameras, range="/sonar")
    assert found == {"image": "/camera/image_raw", "camera_info": "/camera/camera_info", "range": "/sonar"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"image": "/usb_cam/image_raw"}, "Write {camera} where their names go"),
        ({"camera_info": "/usb_cam/camera_info"}, "Write {camera} where their names go"),
        ({"bag": "/recordings/kitchen"}, "bag:= plays one camera"),
    ],
)
def test_an_argument_of_one_camera_is_refused_beside_several(depth_launch, arguments, told):
    with pytest.raises(RuntimeError, match=told):
        depth_launch.names_of(given(depth_launch, cameras="front,rear", **arguments))


def test_every_argument_that_launch_files_of_others_have_is_there(depth_launch):
    names = {argument.name for argument in depth_launch.ARGUMENTS}
    assert {"use_sim_time", "log_level", "respawn", "name", "namespace", "rviz_config", "params_file"} <= names


@pytest.fixture
def shown(depth_launch, tmp_path, monkeypatch):
    """What stands in RViz's place in a launch: a function of given arguments."""
    monkeypatch.setattr(depth_launch.launch_config, "_log_dir", str(tmp_path))
    context = launch.LaunchContext()
    given = {argument.name: "" for argument in depth_launch.ARGUMENTS}
    given |= {"image": "/front/image", "rviz_config": str(depth_launch.CONFIG / "depth.rviz")}

    def show(**arguments):
        resolve = depth_launch.resolver(context, given | arguments)
        return depth_launch.rviz(resolve, given | arguments, "front_optical")

    return show


def words_of(entities):
    context = launch.LaunchContext()
    return [context.perform_substitution(part) for e in entities if hasattr(e, "msg") for part in e.msg]


def test_rviz_ends_with_the_launch_however_that_ends(depth_launch, shown):
    """RViz knows nothing of launch: what starts it says so to the kernel."""
    context = launch.LaunchContext()
    (window,) = [entity for entity in shown() if isinstance(entity, launch.actions.ExecuteLocal)]
    words = shlex.split("".join(map(context.perform_substitution, window.process_description.prefix)))
    assert words == [depth_launch.PYTHON, "-m", "fastdepth_ros.children"]
    environment = {
        "".join(map(context.perform_substitution, name)): "".join(map(context.perform_substitution, value))
        for name, value in window.process_description.additional_env
    }
    assert environment["FASTDEPTH_LAUNCH"] == str(os.getpid())


def test_a_missing_plugin_for_compressed_images_is_told_with_its_package(shown, monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/nowhere")
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    (told,) = words_of(shown(image_transport="compressed"))
    assert "sudo apt install ros-jazzy-compressed-image-transport" in told
    assert words_of(shown(image_transport="raw")) == []


def test_nothing_is_told_where_the_plugin_is_installed(shown, monkeypatch, tmp_path):
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "compressed_image_transport").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert words_of(shown(image_transport="compressed")) == []


@pytest.mark.parametrize(
    ("first_line", "where"),
    [
        ("#!{root}/environment/bin/python3", "environment"),  # colcon, run by an environment's Python
        ("#!/bin/sh", "install"),  # a wheel in an environment
        ("#!/bin/sh", ""),
        ("#!/usr/bin/env python3", ""),
        ("#!{root}/gone/bin/python3", ""),
        (None, ""),
    ],
)
def test_our_processes_run_with_the_python_that_the_package_was_installed_with(
    depth_launch, tmp_path, first_line, where
):
    """Launch's own is the system's, which does not find what a virtual environment has."""
    scripts = tmp_path / "install" / "lib" / "fastdepth_ros"
    scripts.mkdir(parents=True)
    if first_line is not None:
        (scripts / "fastdepth").write_text(first_line.format(root=tmp_path) + "\nimport re\n", encoding="utf-8")
    python = sys.executable
    if where:
        python = str(tmp_path / where / "bin" / "python3")
        Path(python).parent.mkdir(parents=True)
        Path(python).symlink_to(sys.executable)
    assert depth_launch.python_of(tmp_path / "install") == python


def test_what_a_recording_lacks_is_told_in_a_sentence(depth_launch, tmp_path):
    with pytest.raises(RuntimeError, match=r"^there is no recording .*\."):
        depth_launch.look_into(tmp_path / "nosuch")


def arguments_of(process):
    """Words that follow the program: a package's executable need not be there to be named."""
    context = launch.LaunchContext()
    return ["".join(map(context.perform_substitution, word)) for word in process.process_description.cmd[1:]]


def fixed_frame(entities):
    (window,) = [each for each in entities if isinstance(each, Node) and each.node_package == "rviz2"]
    words = arguments_of(window)
    return words[words.index("--fixed-frame") + 1]


def after(entities, context, said, status):
    """What comes after a process of launch that says something and ends."""
    first, *handlers = entities
    started = {"action": first, "name": "first_frame", "cmd": [], "cwd": None, "env": None, "pid": 1}
    events = [ProcessStdout(text=said, **started)] if said else []
    following = []
    for event in (*events, ProcessExited(returncode=status, **started)):
        for handler in (each.event_handler for each in handlers):
            if handler.matches(event):
                following += handler.handle(event, context) or []
    return following


@pytest.mark.parametrize("status", [0, -11])
def test_the_fixed_frame_of_rviz_is_that_of_the_first_image(depth_launch, status):
    """Whatever becomes of the process that found it out."""
    context = launch.LaunchContext()
    values = given(depth_launch, image="/front/image", camera_info="/front/camera_info")
    first, *handlers = depth_launch.show(depth_launch.resolver(context, values), values, "")
    assert arguments_of(first)[1:] == ["fastdepth_ros.node.first_frame", "/front/image", "/front/camera_info"]
    assert fixed_frame(after([first, *handlers], context, b"front_optical\n", status)) == "front_optical"


def test_rviz_comes_up_where_the_frame_of_the_images_is_not_found_out(depth_launch):
    """The process that asks is started again where it dies; depth goes on in any case."""
    context = launch.LaunchContext()
    values = given(depth_launch, image="/front/image", camera_info="/front/camera_info")
    entities = depth_launch.show(depth_launch.resolver(context, values), values, "")
    for _ in range(depth_launch.FRAME_TRIES - 1):
        entities = after(entities, context, b"", -11)
        assert ["status -11" in words for words in words_of(entities)] == [True]
        entities = [each for each in entities if not hasattr(each, "msg")]
        assert arguments_of(entities[0])[1:] == ["fastdepth_ros.node.first_frame", "/front/image", "/front/camera_info"]
    told, window = after(entities, context, b"", -11)
    assert "frame:=" in words_of([told])[0]
    assert "--fixed-frame" not in arguments_of(window)


def test_a_compressed_recording_is_played_raw_for_rviz(depth_launch, tmp_path, monkeypatch):
    """RViz shows compressed images only where the plugin for them is installed."""
    monkeypatch.setattr(depth_launch, "executable", lambda _context, package, _name: package)
    bag = make_recording(tmp_path / "recording", compressed=True)
    for rviz in ("true", "false"):
        context = launch.LaunchContext()
        context.launch_configurations.update(given(depth_launch, bag=str(bag), rviz=rviz))
        entities = depth_launch.start(context)
        processes = [each for each in entities if isinstance(each, launch.actions.ExecuteProcess)]
        (player,) = [words for words in map(arguments_of, processes) if "fastdepth_ros.recording" in words]
        assert ("--raw" in player) == (rviz == "true")
        if rviz == "true":
            assert fixed_frame(entities) == FRAME


def test_the_player_waits_for_a_node_that_compiles_its_model(depth_launch, tmp_path):
    """That takes a slow board minutes, and a node that cannot start ends the launch without the player."""
    values = given(depth_launch, bag=str(tmp_path), camera_info="/front/camera_info")
    resolve = depth_launch.resolver(launch.LaunchContext(), values)
    player, *_ = depth_launch.play(tmp_path, resolve, values, raw=False)
    words = arguments_of(player)
    assert float(words[words.index("--wait") + 1]) >= 1800


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"rviz": "true"}, ("camera", "xyzrgb")),
        ({"rviz": "true", "output_size": "native", "cloud": "xyz"}, ("native", "xyz")),
        ({"rviz": "true", "params_file": "own.yaml"}, ("", "")),
        ({"rviz": "false"}, ("", "")),
    ],
)
def test_rviz_gets_depth_of_the_cameras_shape_and_a_cloud_in_colour(
    depth_launch, tmp_path, monkeypatch, arguments, shown
):
    """Unless the user has said something else."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").touch()
    monkeypatch.setattr(depth_launch, "executable", lambda _context, package, _name: package)
    asked = []
    monkeypatch.setattr(depth_launch, "depth_node", lambda values, _cameras: asked.append(values) or [])
    context = launch.LaunchContext()
    context.launch_configurations.update(given(depth_launch, frame="front_optical", **arguments))
    depth_launch.start(context)
    assert (asked[0]["output_size"], asked[0]["cloud"]) == shown


@pytest.mark.parametrize(
    ("namespace", "name", "node"),
    [("", "", "/fastdepth"), ("front", "", "/front/fastdepth"), ("", "depth", "/depth")],
)
def test_the_page_in_the_browser_is_of_the_node_that_is_launched(depth_launch, namespace, name, node):
    context = launch.LaunchContext()
    given = {"namespace": namespace, "name": name, "view_port": "8081"}
    (page,) = depth_launch.page(depth_launch.resolver(context, given), given)
    words = [context.perform_substitution(part) for each in page.cmd for part in each]
    assert words[words.index("--node") + 1] == node
    assert words[words.index("--port") + 1] == "8081"
    assert "--host" not in words, "this machine alone"
