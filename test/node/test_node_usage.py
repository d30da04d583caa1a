"""`depth_node --help` explains itself and starts nothing."""

import subprocess
import sys

import pytest

from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS
from fastdepth_ros.node.usage import asked_for
from fastdepth_ros.parameters import TABLE


@pytest.mark.parametrize("asks", ["--help", "-h"])
def test_help_names_every_parameter_and_starts_no_node(asks):
    # Loading the node's library is refused: whoever starts it fails.
    program = f"""
import sys
sys.modules["rclpy"] = None
sys.argv = ["depth_node", "{asks}"]
from fastdepth_ros.node.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: depth_node")
    for name, spec in TABLE.items():
        default = str(spec.default).lower() if isinstance(spec.default, bool) else spec.default
        assert f"  {name} (default: {default})\n" in done.stdout
    assert all(output.topic in done.stdout for output in OUTPUT_TOPICS)


@pytest.mark.parametrize(
    ("package", "remedy"),
    [
        ("rclpy", "Source a ROS 2 installation"),
        ("sensor_msgs.msg", "Source a ROS 2 installation"),
        ("numpy", "requirements/run-system.txt"),
        ("safetensors", "requirements/run-system.txt"),
    ],
)
def test_what_is_not_installed_is_told_in_a_line(package, remedy):
    program = f"""
import sys
sys.modules["{package}"] = None
sys.argv = ["depth_node"]
from fastdepth_ros.node.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"depth_node: {sys.executable} has no {package.partition('.')[0]}. ")
    assert remedy in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "asks"),
    [
        (["--help"], True),
        (["-h", "--ros-args", "-p", "a:=1"], True),
        ([], False),
        (["--ros-args", "-p", "model:=--help"], False),
        (["--ros-args", "-r", "image:=/x", "--help"], False),
    ],
)
def test_what_belongs_to_ros_is_not_taken_for_the_nodes(arguments, asks):
    assert asked_for(arguments) == asks
