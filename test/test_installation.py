"""What `make` says before it installs anything, and what an installation is made of."""

import fnmatch
import functools
import glob
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools
from slowly import again
from test_imports import ROS, RUNTIMES, names

from fastdepth_ros import __version__

ROOT = Path(__file__).resolve().parent.parent
PINS = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", re.MULTILINE)
OUTER = ("ROS", "ROS_DISTRO", "PYTHON", "PYTHONPATH", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS")
"""What a `make` that runs these tests may have set."""

KNOWN = {*ROS, "launch_testing", "sensor_msgs_py"}
"""Packages of a ROS 2 distribution that anything here imports."""

ROSDEP = {
    "cv2": "python3-opencv",
    **{
        name: f"python3-{name}"
        for name in ("hypothesis", "matplotlib", "numpy", "pytest", "rich", "setuptools", "yaml")
    },
}
"""Packages of Python that a distribution brings -> what rosdep calls them."""

PIP = {
    "backports": "rosbags",  # Zstandard for it, before Python 3.14
    "rosbags": "rosbags",
    "safetensors": "safetensors",
    "tvm": "apache-tvm",
    "tvm_ffi": "apache-tvm-ffi",
}
"""Packages of Python that none brings -> what pip calls that which brings them."""

WITH_EXTRAS = {"av", "h5py", "torch", "viser", "websockets", *RUNTIMES}
"""Packages of the extras: what needs them says so, and their tests skip where they are not."""

PLUGINS = {"python3-pytest-timeout"}
"""What pyproject.toml sets up, and nobody imports."""

OWN = {"fastdepth_ros", "tools"} | {path.stem for path in (ROOT / "test").rglob("*")} - KNOWN
"""What the checkout brings; test/launch is a folder and no package."""

BY_SETUPTOOLS = {"MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg", "setup.py"}
"""Files that every sdist has, named or not."""

COMPILED = (".pyc", ".so")
"""Suffixes of what Python and compilers leave in a checkout."""

NEWER = {"compression"}
"""Modules of Python's own that are younger than 3.10."""

make = shutil.which("make")

BARE = Path(sys.base_prefix) / "bin" / "python3"
"""Python without this environment's packages; where ROS 2 is sourced, PYTHONPATH alone leads to it."""


@pytest.mark.skipif(make is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("words", "sourced", "said"),
    [
        (["MACHINE=aarch64"], "", r"no wheels for aarch64: install ROS 2 and run .*setup.bash"),
        again(["ROS=jazzy", "MACHINE=aarch64"], "", r"no wheels for aarch64"),
        (["ROS=system"], "", r"No ROS 2 is sourced"),
        again(["ROS=system", "PYTHON="], "jazzy", r"needs Python 3.10 to 3.14"),
        again(["PYTHON="], "jazzy", r"ROS=system needs Python"),
        ([f"PYTHON={BARE}"], "jazzy", r"jazzy has no rclpy for .*: run `. /opt/ros/jazzy/setup.bash` before"),
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


def test_make_help_names_everything_that_make_does():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    for target in set(targets.split()) - {"help"}:
        assert f"make {target}" in text[text.index("\nhelp:") : text.index("\ndemo:")]


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


def test_an_installation_has_every_file_that_the_package_reads(setup):
    """Whatever setuptools makes of ``**``: that of Ubuntu 22.04, 59.6, takes it for a single folder."""
    package = ROOT / "fastdepth_ros"
    patterns = [str(package / pattern) for pattern in setup["package_data"]["fastdepth_ros"]]
    installed = {name for pattern in patterns for name in glob.glob(pattern)}
    files = {str(path) for path in package.rglob("*") if path.is_file() and path.suffix not in COMPILED}
    assert installed == {name for name in files if not name.endswith(".py")}


def test_the_sdist_has_every_file_of_the_checkout():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()]
    files = {name for order, *names in words if order == "include" for name in names} | BY_SETUPTOOLS
    folders = {name for order, *names in words if order == "graft" for name in names} | {"fastdepth_ros"}
    assert not {name for name in listed.splitlines() if name not in files and name.partition("/")[0] not in folders}


@pytest.mark.parametrize("file", ["run-noble.txt", "run-system.txt"])
def test_environments_have_the_same_compiler(file):
    pins = dict(PINS.findall((ROOT / "requirements" / "packages.txt").read_text(encoding="utf-8")))
    others = dict(PINS.findall((ROOT / "requirements" / file).read_text(encoding="utf-8")))
    for name in ("apache-tvm", "apache-tvm-ffi", "safetensors", "rosbags"):
        assert others[name] == pins[name]


def test_package_xml_names_every_ros_package_that_is_imported():
    """So that rosdep brings what the node, the launch files and `colcon test` need."""
    shipped, tests = imported("fastdepth_ros", "launch"), imported("test")
    assert shipped & KNOWN <= named("depend", "exec_depend")
    assert tests & KNOWN <= named("depend", "exec_depend", "test_depend")


def test_a_workspace_has_every_package_of_python_that_is_imported():
    """By rosdep's name in package.xml, or from requirements/run-system.txt, as docs/install.md has it."""
    shipped = imported("fastdepth_ros", "launch") - WITH_EXTRAS - KNOWN
    assert shipped <= {*ROSDEP, *PIP}
    assert {ROSDEP[name] for name in shipped - {*PIP}} <= named("depend", "exec_depend")
    tests = set().union(*(taken_for_granted(file) for file in (ROOT / "test").rglob("*.py"))) - OWN - KNOWN
    assert tests <= {*ROSDEP, *PIP}
    assert {ROSDEP[name] for name in tests - {*PIP}} <= named("depend", "exec_depend", "test_depend")
    pins = dict(PINS.findall((ROOT / "requirements" / "run-system.txt").read_text(encoding="utf-8")))
    assert set(PIP.values()) <= set(pins)


def test_package_xml_names_nothing_that_nobody_imports():
    everywhere = imported("fastdepth_ros", "launch", "test")
    needed = {*(everywhere & KNOWN), *(ROSDEP[name] for name in everywhere & {*ROSDEP}), *PLUGINS}
    assert named("depend", "exec_depend", "test_depend") <= needed
    assert named("test_depend") <= {*KNOWN, *ROSDEP.values(), *PLUGINS} - named("depend", "exec_depend")


def test_colcon_finds_pytest(setup):
    """It runs nothing where the package does not name it."""
    needed = {"pytest", "pytest-timeout", "hypothesis"}
    assert set(setup["extras_require"]["test"]) == needed
    assert {f"python3-{name}" for name in needed} <= named("test_depend")


DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_the_dockerfile_names_is_in_the_checkout_and_reaches_the_image():
    copied = {word for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]}
    used = set(re.findall(r"(?:src|share)/fastdepth_ros/([\w./-]+)", DOCKERFILE))
    assert used >= {"requirements/run-system.txt", "config/fastdds.xml"}
    assert all((ROOT / name).exists() for name in copied | used)
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    shipped = {path.name for path in ROOT.iterdir()} & {
        "config",
        "fastdepth_ros",
        "launch",
        "models",
        "resource",
        "scripts",
    }
    assert not {name for name in shipped | copied for pattern in left_out if fnmatch.fnmatch(name, pattern)}


def test_the_container_is_built_by_the_steps_of_the_document():
    document = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    for step in (
        "rosdep install --from-paths src --ignore-src",
        "src/fastdepth_ros/requirements/run-system.txt",
        "colcon build --packages-select fastdepth_ros",
    ):
        assert step in document
        assert step in DOCKERFILE


def test_the_devcontainer_is_a_stage_of_the_dockerfile():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    settings = json.loads("\n".join(line for line in text.splitlines() if not line.startswith("//")))
    build = settings["build"]
    assert (ROOT / ".devcontainer" / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f"AS {build['target']}\n" in DOCKERFILE
    (target,) = re.findall(r"make (\w+)", settings["postCreateCommand"])
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def named(*kinds):
    """Dependencies of these kinds in package.xml."""
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    return {name for kind in kinds for name in re.findall(rf"<{kind}>([\w-]+)</{kind}>", text)}


def imported(*folders):
    """First names of all imports of others' packages below folders, those of importorskip included."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return set().union(*(taken_for_granted(file) | asked_for(file) for file in files)) - OWN


@functools.cache
def asked_for(file):
    """First names of what a test skips without."""
    return set(re.findall(r'importorskip\(\s*"(\w+)', file.read_text(encoding="utf-8")))


@functools.cache
def taken_for_granted(file):
    """First names of the imports of a file but for Python's own, and those that it asks for before."""
    may_miss = set() if file.name.startswith(("test_", "conftest")) else WITH_EXTRAS
    found = {name.partition(".")[0] for name in names(file, file.parent)}
    return found - {*sys.stdlib_module_names} - NEWER - asked_for(file) - may_miss
