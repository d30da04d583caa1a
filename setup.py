from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "fastdepth_ros"


def requirements(name: str) -> list[str]:
    lines = Path("requirements", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def shared(folder: str) -> list[tuple[str, list[str]]]:
    """Every file below a folder, for share/<package>/<the same folder>."""
    files: dict[Path, list[str]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files.setdefault(path.parent, []).append(str(path))
    return [(f"share/{PACKAGE}/{where}", names) for where, names in files.items()]


# The ROS 2 wheels and OpenCV are not named here: in a ROS 2 workspace rosdep brings them (package.xml), elsewhere
# requirements/run.txt does, and a second copy from another source would break either.
FROM_ROSDEP = ("ros-", "opencv-", "numpy", "PyYAML", "rich", "matplotlib")

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Metric depth from one ordinary camera: FastDepth compiled by TVM, as a ROS 2 node.",
    license="Apache-2.0",
    author="fastdepth_ros maintainers",
    python_requires=">=3.10",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["**/*.json", "**/*.yaml", "**/*.html", "**/*.css", "**/*.sh"]},
    install_requires=["setuptools", *(r for r in requirements("run") if not r.startswith(FROM_ROSDEP))],
    extras_require={"test": ["pytest", "pytest-timeout", "hypothesis"], "cuda": requirements("cuda")},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"lib/{PACKAGE}", ["scripts/depth_node"]),
        *shared("launch"),
        *shared("config"),
        *shared("models"),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "fastdepth = fastdepth_ros.cli:main",
            "depth_node = fastdepth_ros.node.__main__:main",
        ]
    },
)
