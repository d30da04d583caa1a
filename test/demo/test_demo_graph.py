"""The demo's graph is heard on this machine alone, whatever the user's environment says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from slowly import mostly_again, mostly_slow

CONFIG = Path(__file__).resolve().parents[2] / "config"

PROGRAM = """
import os, sys
from pathlib import Path
from fastdepth_ros.demo.graph import enter_graph
enter_graph(Path(sys.argv[1]))
import rclpy
rclpy.init()
node = rclpy.create_node("here")
sockets = set()
for file in os.listdir("/proc/self/fd"):
    try:
        sockets.add(os.readlink(f"/proc/self/fd/{file}"))
    except OSError:
        pass
for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
    fields = line.split()
    if f"socket:[{fields[9]}]" in sockets:
        address = fields[1].split(":")[0]
        print("ADDRESS", ".".join(str(int(address[i : i + 2], 16)) for i in (6, 4, 2, 0)))
"""


def addresses(tmp_path, environment):
    """The UDP addresses on which a process in the demo's graph listens, and what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "out")],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("ADDRESS")}, done.stderr


@pytest.mark.parametrize(
    "variable", mostly_again(["both", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"])
)
@pytest.mark.parametrize("profile", mostly_slow(["fastdds.xml", "fastdds_large.xml", "nowhere.xml"]))
def test_a_profile_that_the_user_exports_does_not_open_the_graph(tmp_path, variable, profile):
    names = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"] if variable == "both" else [variable]
    heard, said = addresses(tmp_path, {name: str(CONFIG / profile) for name in names})
    assert "127.0.0.1" in heard
    assert heard <= {"127.0.0.1", "239.255.0.1"}
    assert "Error" not in said


@pytest.mark.parametrize(
    "environment",
    mostly_slow(
        [
            {"ROS_DISTRO": "humble"},
            {"ROS_DISTRO": "rolling"},
            {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"},
            {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_STRATEGY": "Enforce"},
            {"ROS_STATIC_PEERS": "192.0.2.1", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"},
        ]
    ),
)
def test_nor_does_what_else_an_environment_may_hold(tmp_path, environment):
    heard, _ = addresses(tmp_path, environment)
    assert heard <= {"127.0.0.1", "239.255.0.1"}


def test_nor_does_a_profile_in_the_working_folder(tmp_path):
    shutil.copy(CONFIG / "fastdds.xml", tmp_path / "DEFAULT_FASTDDS_PROFILES.xml")
    shutil.copy(CONFIG / "fastdds.xml", tmp_path / "DEFAULT_FASTRTPS_PROFILES.xml")
    heard, said = addresses(tmp_path, {})
    assert heard <= {"127.0.0.1", "239.255.0.1"}
    assert "Error" not in said
