"""Puts the folder together."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import fastdepth_ros
from fastdepth_ros import places
from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.deploy.runtime import fetch, runtime_wheel
from fastdepth_ros.deploy.wheel import Wheel
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.files.writing import new_folder, write_file
from fastdepth_ros.lowering.bundles import compile_model
from fastdepth_ros.runtime.bundle import Bundle, seal
from fastdepth_ros.runtime.precision import AUTO, INT8, TIMED, too_much
from fastdepth_ros.runtime.processor import byte_products
from fastdepth_ros.runtime.shipped import FLOAT32, shipped_name

PACKAGE = Path(fastdepth_ros.__file__).parent
INSTALLER = Path(__file__).with_name("install.sh")

# What is imported -> what pip calls it. Where ROS brings its own of these, the installer leaves them alone.
BASICS = {"cv2": "opencv-python-headless", "yaml": "PyYAML", "rich": "rich"}
NUMPY_FOR_ROS = "numpy==1.26.4"
"""The last that the libraries of Humble and Jazzy load with, and new enough for the TVM runtime."""
OWN = ("safetensors", "apache-tvm-ffi", "typing-extensions")
ROS = ("rclpy[fastrtps]", "sensor-msgs", "std-msgs", "geometry-msgs", "diagnostic-msgs", "std-srvs")
SHARED = ("package.xml", "config", "launch")
COMMANDS = {"fastdepth": "fastdepth_ros.cli:main", "depth_node": "fastdepth_ros.node.__main__:main"}

Progress = Callable[[str], None]


class Goal(NamedTuple):
    """A robot: its target, the architecture of that, and the precision that its node is told to take."""

    target: str
    architecture: str
    precision: str


def deploy(
    bundle: Bundle, target: str, out: Path, *, python: str | None, progress: Progress, precision: str = AUTO
) -> Path:
    """Make a folder that ``install.sh`` in it installs on a robot.

    Args:
        bundle: the model.
        target: the robot's processor or GPU, a name for ``compile_model``.
        out: the new folder.
        python: the robot's version of Python, as ``3.10``: then every wheel is in the folder, and the robot needs no
            network; None leaves NumPy, OpenCV and the like to the robot's pip.
        progress: told the name of each step.
        precision: that the robot's node is told to take; another than ``auto`` goes with it in any case.

    Raises:
        SettingError: ``out`` holds something, there is no such target or precision, or this installation lacks what
            has to be in it.
        ModuleError: TVM's library for that architecture cannot be had.
        StorageError: ``out`` cannot be written.
    """
    architecture = GPUS[target].host if target in GPUS else find_target(target).triple.split("-")[0]
    if python and not re.fullmatch(r"3\.\d{1,2}", python):
        raise SettingError(f"there is no Python {python!r}", "Name the robot's, as --python 3.10.")
    with new_folder(out, lambda _: False) as draft:
        _fill(draft, bundle, Goal(target, architecture, precision), python, progress)
    return out


def _fill(draft: Path, bundle: Bundle, goal: Goal, python: str | None, progress: Progress) -> None:
    name, (target, architecture, precision) = bundle.manifest.name, goal
    progress("Compiling the model")
    _put_model(bundle, goal, draft / "models" / name, progress)
    progress("Packing this package and TVM's runtime")
    wheels = draft / "wheels"
    wheels.mkdir()
    package_wheel().write(wheels)
    runtime_wheel(architecture).write(wheels)
    if python:
        progress(f"Fetching wheels for Python {python} on {architecture}")
        names = ("numpy", *BASICS.values(), *OWN)
        fetch([_pinned(name) for name in names], architecture, wheels, python)
        with contextlib.suppress(ModuleError):  # There is none for a Python that is newer than it.
            fetch([NUMPY_FOR_ROS], architecture, wheels, python)
    _put_config({"model": name, "target": target, "precision": precision}, draft / "config")
    _put_installer(name, target, architecture, draft / "install.sh")
    _put_sums(draft)


def package_wheel() -> Wheel:
    """The package as it runs here, from a checkout or an installation."""
    files = {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes()
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and path.suffix not in (".pyc", ".so") and "__pycache__" not in path.parts
    }
    share, name = _share(), PACKAGE.name
    data = {f"share/ament_index/resource_index/packages/{name}": b""}
    for entry in SHARED:
        place = share / entry
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                data[f"share/{name}/{path.relative_to(share).as_posix()}"] = path.read_bytes()
    # What `ros2 run` and launch look for. It finds the environment's Python from where it lies.
    data[f"lib/{name}/depth_node"] = b'#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/../../bin/depth_node" "$@"\n'
    needs = [_pinned(package) for package in ("safetensors", "apache-tvm", "apache-tvm-ffi")]
    summary = "Metric depth from one ordinary camera"
    tags = ("py3-none-any",)
    return Wheel(name, fastdepth_ros.__version__, tags, summary, files, data, needs, COMMANDS)


def _put_model(bundle: Bundle, goal: Goal, folder: Path, progress: Progress) -> None:
    """Copy what the bundle's manifest names, and what the robot runs, under a manifest of their own.

    A node that is to choose does it between float32 and int8, where the target has both and the bundle loses next to
    nothing.
    """
    for name in bundle.manifest.files or {}:
        if not name.startswith("modules/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(folder / name, bundle.read(name))
    precisions = {FLOAT32} if goal.precision == AUTO else {FLOAT32, goal.precision}
    if _may_take_int8(bundle, goal.target):
        precisions.add(INT8)
    for precision in sorted(precisions):
        out = folder / "modules" / shipped_name(goal.target, precision)
        compile_model(bundle, goal.target, out, precision=precision, progress=progress)
    seal(folder, bundle.manifest)
    # Whatever was umask here, the robot's user reads it.
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _may_take_int8(bundle: Bundle, target: str) -> bool:
    if target in GPUS or too_much(bundle):
        return False
    goal = find_target(target, INT8)
    products = byte_products(goal.needs, goal.lanes)
    return products is not None and products.name in TIMED


def _put_config(settings: Mapping[str, str], folder: Path) -> None:
    """The configuration, with model, target and precision filled in."""
    shutil.copytree(_share() / "config", folder)
    file = folder / "depth.yaml"
    text = file.read_text(encoding="utf-8")
    for key, value in settings.items():
        text, count = re.subn(rf"^(\s+{key}:).*$", rf"\1 {value}", text, count=1, flags=re.MULTILINE)
        if not count:
            raise SettingError(f"{file.name} has no {key}", "Install this package again.")
    file.write_text(text, encoding="utf-8")


def _put_installer(model: str, target: str, architecture: str, file: Path) -> None:
    basics = " ".join(f"{module}:{_pinned(package)}" for module, package in BASICS.items())
    words = {
        "MODEL": model,
        "TARGET": target,
        "ARCHITECTURE": architecture,
        "BASICS": basics,
        "NUMPY": _pinned("numpy"),
        "NUMPY_FOR_ROS": NUMPY_FOR_ROS,
        "OWN": " ".join(_pinned(name) for name in OWN),
        # The wheels of ROS are for x86_64 only; elsewhere it comes from a distribution or a container.
        "ROS": " ".join(_ros_pins()) if architecture == "x86_64" else "",
    }
    text = INSTALLER.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def _put_sums(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _pinned(package: str) -> str:
    """A requirement for the very version that is installed here.

    Raises:
        SettingError: it is not installed here.
    """
    try:
        return f"{package}=={version(package)}"
    except PackageNotFoundError as error:
        remedy = "Deploy from an environment made of requirements/run.txt."
        raise SettingError(f"{package} is not installed here, so its version is unknown", remedy) from error


def _ros_pins() -> list[str]:
    pins = []
    for name in ROS:
        bare, bracket, extra = f"ros-{name}".partition("[")
        try:
            pins.append(f"{bare}{bracket}{extra}=={version(bare)}")
        except PackageNotFoundError:
            return []
    return pins


def _share() -> Path:
    """Folder of package.xml, config and launch: the checkout, or share/fastdepth_ros of an installation.

    Raises:
        SettingError: neither has them.
    """
    for place in places.shares():
        if all((place / entry).exists() for entry in SHARED):
            return place
    remedy = "Run it in a checkout, or in an environment that the package was installed to."
    raise SettingError("config and launch files of fastdepth_ros are not to be found", remedy)
