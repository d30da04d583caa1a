import os
import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "fastdepth_ros"
HERE = Path(__file__).parent


def requirements(*names: str) -> list[str]:
    lines = [line for name in names for line in (HERE / "requirements" / f"{name}.txt").read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def version() -> str:
    """The version, which fastdepth_ros/__init__.py alone says; a test holds package.xml to it."""
    return re.search(r'^__version__ = "(.+)"$', (HERE / PACKAGE / "__init__.py").read_text("utf-8"), re.MULTILINE)[1]


def shared(folder: str, source: str = "") -> list[tuple[str, list[str]]]:
    """Every file below a folder, or below another one in its place, for share/<package>/<the same folder>."""
    root = Path(source or folder)
    files: dict[Path, list[str]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.setdefault(folder / path.parent.relative_to(root), []).append(str(path))
    return [(f"share/{PACKAGE}/{where}", names) for where, names in files.items()]


def data() -> list[str]:
    """Files of the package that are no Python, by name: to the setuptools of Ubuntu 22.04, ** is a single folder."""
    root = HERE / PACKAGE
    return [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.suffix in DATA]


DATA = (".css", ".json", ".sh", ".yaml")
"""Suffixes of files that the package reads."""

# What the node needs and no ROS 2 distribution brings. Everything else is in the extras: in a ROS 2 workspace rosdep
# brings it (package.xml), and a second copy from another source would break either.
NODE = ("apache-tvm", "safetensors")

setup(
    name=PACKAGE,
    version=version(),
    description="Metric depth from one ordinary camera: FastDepth compiled by TVM, as a ROS 2 node.",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    author="fastdepth_ros maintainers",
    python_requires=">=3.10",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: data()},
    install_requires=["setuptools", *(r for r in requirements("packages") if r.startswith(NODE))],
    extras_require={
        "alone": [r for r in requirements("packages") if not r.startswith(NODE)],
        "ros": requirements("packages", "run"),
        "ros-jazzy": requirements("packages", "run-jazzy"),
        "recordings": [r for r in requirements("packages") if r.startswith("rosbags")],
        "cuda": requirements("cuda"),
        "view": requirements("view"),
        "video": requirements("video"),
        "train": [r for r in requirements("train") if not r.startswith(("pytest", "hypothesis"))],
        "test": ["pytest", "pytest-timeout", "hypothesis"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"lib/{PACKAGE}", ["scripts/depth_node"]),
        *shared("launch"),
        *shared("config"),
        # `make wheel` names a folder with the same models and their compiled modules, which are too large for git.
        *shared("models", os.environ.get("FASTDEPTH_MODELS", "")),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "fastdepth = fastdepth_ros.cli:main",
            "depth_node = fastdepth_ros.node.__main__:main",
        ]
    },
)
