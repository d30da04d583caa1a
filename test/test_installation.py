"""What `make` says before it installs anything, and what an installation is made of."""

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
import setuptools
from test_imports import ROS, names

from fastdepth_ros import __version__

ROOT = Path(__file__).resolve().parent.parent
PINS = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", re.MULTILINE)
OUTER = ("ROS", "ROS_DISTRO", "PYTHON", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS")
"""What a `make` that runs these tests may have set."""

KNOWN = {*ROS, "launch_testing", "sensor_msgs_py"}
"""Packages of a ROS 2 distribution that anything here imports."""

make = shutil.which("make")


@pytest.mark.skipif(make is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("words", "sourced", "said"),
    [
        (["MACHINE=aarch64"], "", r"no wheels for aarch64: install ROS 2 and run .*setup.bash"),
        (["ROS=jazzy", "MACHINE=aarch64"], "", r"no wheels for aarch64"),
        (["ROS=system"], "", r"No ROS 2 is sourced"),
        (["ROS=system", "PYTHON="], "jazzy", r"needs Python 3.10 to 3.14"),
        (["PYTHON="], "jazzy", r"ROS=system needs Python"),
        (["ROS=noble", "PYTHON="], "", r"ROS=noble needs Python 3.10 to 3.12"),
        (["ROS=melodic"], "", r"no ROS=melodic: choose kilted, jazzy, noble or system"),
    ],
)
def test_make_says_in_one_line_what_is_missing(tmp_path, words, sourced, said):
    environment = {name: value for name, value in os.environ.items() if name not in OUTER}
    environment |= {"ROS_DISTRO": sourced} if sourced else {}
    command = [make, "-s", "demo", f"VENV={tmp_path / 'venv'}", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    lines = [
        line for line in (done.stdout + done.stderr).splitlines() if not re.match(r"make(\[\d\])?: \*\*\* \[", line)
    ]
    assert len(lines) == 1
    assert re.search(said, lines[0])
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def setup(monkeypatch):
    """The arguments that setup.py hands on."""
    given = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    return given


def test_there_is_one_version(setup):
    assert setup["version"] == __version__
    assert f"<version>{__version__}</version>" in (ROOT / "package.xml").read_text(encoding="utf-8")


def test_a_robot_gets_what_no_ros_brings_and_no_more(setup):
    assert {PINS.match(line)[1] for line in setup["install_requires"] if "==" in line} == {
        "apache-tvm",
        "apache-tvm-ffi",
        "safetensors",
    }


def test_the_extras_are_the_requirements(setup):
    packages = set(PINS.findall((ROOT / "requirements" / "packages.txt").read_text(encoding="utf-8")))
    for extra, file in (("ros", "run.txt"), ("ros-jazzy", "run-jazzy.txt")):
        pins = set(PINS.findall((ROOT / "requirements" / file).read_text(encoding="utf-8")))
        assert pins | packages == set(PINS.findall("\n".join(setup["extras_require"][extra])))


@pytest.mark.parametrize("extra", ["view", "video", "cuda"])
def test_an_extra_of_one_file_is_that_file(setup, extra):
    pins = PINS.findall((ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8"))
    assert pins
    assert pins == PINS.findall("\n".join(setup["extras_require"][extra]))


@pytest.mark.parametrize("file", ["run-noble.txt", "run-system.txt"])
def test_environments_have_the_same_compiler(file):
    pins = dict(PINS.findall((ROOT / "requirements" / "packages.txt").read_text(encoding="utf-8")))
    others = dict(PINS.findall((ROOT / "requirements" / file).read_text(encoding="utf-8")))
    for name in ("apache-tvm", "apache-tvm-ffi", "safetensors", "rosbags"):
        assert others[name] == pins[name]


def test_package_xml_names_every_ros_package_that_is_imported():
    """So that rosdep brings what the node, the launch files and `colcon test` need."""
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    named = {
        kind: set(re.findall(rf"<{kind}>(\w+)</{kind}>", text)) for kind in ("depend", "exec_depend", "test_depend")
    }
    runs = named["depend"] | named["exec_depend"]
    shipped, tests = (set().union(*map(imported, folders)) for folders in (("fastdepth_ros", "launch"), ("test",)))
    assert shipped & KNOWN <= runs
    assert tests & KNOWN <= runs | named["test_depend"]


def imported(folder):
    """First names of all imports below a folder, those of importorskip included."""
    found = set()
    for file in (ROOT / folder).rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        found |= {name.partition(".")[0] for name in names(file, ROOT / folder)}
        found |= set(re.findall(r'importorskip\("(\w+)', text))
    return found
