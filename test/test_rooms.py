"""The arrows between the rooms only go down: who may import whom, held against every file."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "fastdepth_ros"
ROS = {"rclpy", "sensor_msgs", "diagnostic_msgs", "std_msgs", "rcl_interfaces", "lifecycle_msgs", "cv_bridge", "launch"}

FORBIDDEN = {
    "runtime": ROS | {"torch", "tvm", "fastdepth_ros.compiler", "fastdepth_ros.pipeline"},
    "pipeline.py": ROS | {"torch", "tvm", "tvm_ffi", "fastdepth_ros.compiler"},
    "cloud.py": ROS | {"torch", "tvm", "tvm_ffi", "fastdepth_ros.compiler"},
    "anchoring": ROS | {"torch", "tvm", "tvm_ffi", "fastdepth_ros.runtime", "fastdepth_ros.pipeline"},
    "camera.py": ROS | {"torch", "tvm", "tvm_ffi", "cv2", "fastdepth_ros.runtime"},
    "picture.py": ROS | {"torch", "tvm", "tvm_ffi", "fastdepth_ros.runtime"},
    "cdr.py": ROS | {"torch", "tvm", "tvm_ffi", "cv2", "fastdepth_ros.recording", "fastdepth_ros.messages"},
    "network.py": ROS | {"torch", "tvm", "tvm_ffi", "cv2", "fastdepth_ros.runtime"},
    "compiler": ROS | {"torch", "fastdepth_ros.pipeline"},
    "importing": ROS | {"torch", "tvm", "tvm_ffi", "fastdepth_ros.pipeline"},
    "training": ROS | {"tvm", "tvm_ffi"},
    "power": ROS | {"torch", "tvm", "tvm_ffi", "numpy", "cv2", "fastdepth_ros.compiler", "fastdepth_ros.runtime"},
    "scene": ROS | {"torch", "tvm", "tvm_ffi"},
    "": {"fastdepth_ros.cli"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere, with its parents: a.b.c also counts as a.b and a."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:n]) for name in found for n in range(1, name.count(".") + 2)}


@pytest.mark.parametrize("room", FORBIDDEN, ids=lambda room: room or "everyone")
def test_no_arrow_goes_up(room):
    place = PACKAGE / room
    # A __main__.py is a door from outside, and stands above every room.
    files = [place] if place.is_file() else [f for f in sorted(place.rglob("*.py")) if f.name != "__main__.py"]
    assert files, f"{room} is no room any more"
    wrong = {str(file.relative_to(PACKAGE)): imports(file) & FORBIDDEN[room] for file in files}
    assert not {file: names for file, names in wrong.items() if names}
