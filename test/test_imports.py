"""Who may import whom. Arrows only go down: every import of every file is held against one table."""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAME = "fastdepth_ros"
PACKAGE = ROOT / NAME

ROS = {
    *("ament_index_python", "builtin_interfaces", "cv_bridge", "diagnostic_msgs", "geometry_msgs", "launch"),
    *("launch_ros", "lifecycle_msgs", "rcl_interfaces", "rclpy", "rosgraph_msgs", "sensor_msgs", "std_msgs"),
    *("std_srvs", "tf2_msgs"),
}
"""Packages of a ROS 2 distribution; the table calls them all ROS."""

RUNTIMES = {"onnx", "onnxruntime", "openvino", "nncf", "ncnn", "ai_edge_litert", "flatbuffers"}
"""Packages that `fastdepth bench` compares with; the table calls them runtimes."""

GROUPS = {**dict.fromkeys(ROS, "ROS"), **dict.fromkeys(RUNTIMES, "runtimes")}

ALLOWED = {
    "errors": set(),
    "children": {"errors"},
    "places": set(),
    "dds": {"places"},
    "files": {"errors", "yaml"},
    "codec": {"errors", "av", "cv2", "numpy"},
    "network": {"errors", "files", "numpy"},
    "camera": {"errors", "numpy"},
    "lens": {"camera", "errors", "files", "cv2", "numpy"},
    "picture": {"errors", "numpy"},
    "cdr": {"errors", "numpy"},
    "colours": {"cv2", "numpy"},
    "ply": {"files", "numpy"},
    "millimetres": {"numpy"},
    "settings": {"errors"},
    "cameras": {"errors"},
    "mask": {"codec", "errors", "files", "cv2", "numpy"},
    "power": {"children", "errors", "files", "places"},
    "cloud": {"camera", "errors", "picture", "cv2", "numpy"},
    "arguments": {"numpy"},
    "anchoring": {"arguments", "camera", "errors", "cv2", "numpy"},
    "filters": {"arguments", "camera", "colours", "cv2", "numpy"},
    "runtime": {"arguments", "camera", "children", "errors", "files", "network", "numpy", "safetensors", "tvm_ffi"},
    "importing": {"children", "errors", "files", "network", "runtime", "numpy", "safetensors"},
    "models": {"errors", "files", "importing", "places", "runtime"},
    "compiler": {
        *("anchoring", "arguments", "children", "errors", "files", "filters", "network", "runtime", "numpy"),
        *("tvm", "tvm_ffi"),
    },
    "lowering": {"compiler", "errors", "files", "network", "runtime", "numpy", "tvm"},
    "viewing": {"camera", "lens", "mask", "picture", "runtime", "cv2", "numpy"},
    "pipeline": {
        *("anchoring", "arguments", "camera", "cloud", "errors", "filters", "lens", "mask", "picture", "runtime"),
        *("settings", "viewing", "cv2", "numpy"),
    },
    "messages": {"anchoring", "camera", "cdr", "codec", "errors", "lens", "picture", "cv2", "numpy", "ROS"},
    "parameters": {
        *("anchoring", "cameras", "codec", "errors", "files", "lens", "mask", "models", "pipeline", "power"),
        *("runtime", "settings"),
    },
    "diagnostics": {"anchoring", "cdr", "codec", "dds", "errors", "power", "ROS"},
    "node": {
        *("anchoring", "arguments", "camera", "cameras", "cdr", "children", "codec", "diagnostics", "errors", "files"),
        *("filters", "lens", "messages", "models", "parameters", "picture", "pipeline", "power", "runtime", "settings"),
        *("cv2", "numpy", "ROS"),
    },
    "harness": {
        *("camera", "cdr", "diagnostics", "errors", "messages", "millimetres", "runtime", "numpy", "ROS", "yaml"),
    },
    "recording": {
        *("anchoring", "camera", "cdr", "codec", "errors", "files", "messages", "millimetres", "picture", "cv2"),
        *("numpy", "ROS", "rosbags"),
    },
    "scene": {"camera", "errors", "files", "recording", "cv2", "numpy", "rosbags"},
    "estimate": {"errors", "network", "numpy"},
    "evaluation": {
        "arguments",
        *("anchoring", "camera", "cdr", "children", "codec", "colours", "diagnostics", "errors", "files", "filters"),
        *("harness", "messages", "millimetres", "models", "network", "node", "picture", "pipeline", "power"),
        *("recording", "runtime", "scene", "settings", "cv2", "h5py", "matplotlib", "numpy", "rich", "ROS"),
        *("runtimes", "torch", "viewing", "lowering", "estimate"),
    },
    "training": {
        *("anchoring", "errors", "evaluation", "files", "importing", "network", "runtime", "cv2", "matplotlib"),
        *("numpy", "torch", "yaml"),
    },
    "pruning": {
        "arguments",
        *("compiler", "errors", "estimate", "evaluation", "files", "importing", "lowering", "models", "network"),
        *("runtime", "training", "matplotlib", "numpy", "torch", "yaml"),
    },
    "search": {
        *("errors", "estimate", "evaluation", "files", "lowering", "network", "pruning", "runtime", "training"),
        *("matplotlib", "numpy", "torch", "yaml"),
    },
    "adapting": {
        *("anchoring", "camera", "cdr", "errors", "evaluation", "messages", "network", "pruning", "recording"),
        *("runtime", "scene", "training", "cv2", "numpy", "torch"),
    },
    "deploy": {"children", "compiler", "errors", "files", "lowering", "places", "runtime"},
    "doctor": {
        *("anchoring", "camera", "cameras", "cdr", "children", "codec", "dds", "diagnostics", "errors", "files"),
        *("messages", "models", "network", "parameters", "pipeline", "power", "runtime", "settings", "viewing"),
        *("numpy", "ROS"),
    },
    "demo": {
        *("anchoring", "camera", "cdr", "codec", "colours", "dds", "diagnostics", "errors", "evaluation", "files"),
        *("harness", "messages", "parameters", "recording", "runtime", "scene", "settings", "cv2", "numpy"),
        *("rich", "ROS", "yaml"),
    },
    "view": {
        *("camera", "cdr", "colours", "diagnostics", "errors", "harness", "lens", "messages", "parameters", "cv2"),
        *("numpy", "ROS", "viser", "websockets"),
    },
    "commands": {
        *("adapting", "anchoring", "camera", "cameras", "cdr", "children", "codec", "colours", "compiler", "demo"),
        *("deploy", "diagnostics", "doctor", "errors", "estimate", "evaluation", "files", "harness", "importing"),
        *("messages", "millimetres", "models", "network", "parameters", "picture", "pipeline", "ply", "power"),
        *("pruning", "recording", "runtime", "scene", "search", "settings", "training", "viewing", "cv2", "numpy"),
        *("rich", "ROS", "torch", "lowering", "view"),
    },
    "cli": {"children", "commands", "errors"},
}
"""Room, or module of the package's root -> the rooms, and the packages of others, that it may import.

Python's own library is free to all. CONTRIBUTING.md shows the same table.
"""

DOORS = {"__init__.py", "__main__.py"}
"""Files that belong to no room: the package's own, and those that are run from outside and stand above every room."""


@functools.cache
def names(path: Path, package: Path = PACKAGE) -> tuple[str, ...]:
    """Every module or attribute that a file imports, anywhere in it, by its full name."""
    return tuple(imports(path, package))


def imports(path: Path, package: Path) -> Iterator[str]:
    above = (package.name, *path.relative_to(package).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = above[: len(above) - node.level + 1] if node.level else ()
            source = ".".join((*start, *([node.module] if node.module else [])))
            yield from (f"{source}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str | None:
    """Name of an imported name in the table; None for Python's own library and the package itself."""
    first, _, rest = name.partition(".")
    if first != NAME:
        return None if first in sys.stdlib_module_names else GROUPS.get(first, first)
    inside = rest.partition(".")[0]
    return inside if inside in ALLOWED else None


def files_of(room: str) -> list[Path]:
    module = PACKAGE / f"{room}.py"
    return (
        [module] if module.is_file() else [f for f in sorted((PACKAGE / room).rglob("*.py")) if f.name != "__main__.py"]
    )


def rooms() -> set[str]:
    inside = {p for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    return {path.stem for path in inside if path.name not in DOORS}


COMING: set[str] = set()
"""Rooms of the table that need not be there yet."""


def test_the_table_has_every_room():
    assert rooms() <= set(ALLOWED)
    assert set(ALLOWED) - rooms() <= COMING


@pytest.mark.parametrize("room", [room for room in ALLOWED if files_of(room)])
def test_a_room_imports_only_what_it_may(room):
    found = {str(f.relative_to(PACKAGE)): {room_of(name) for name in names(f)} - {room, None} for f in files_of(room)}
    assert not {file: wrong for file, imported in found.items() if (wrong := imported - ALLOWED[room])}


def test_the_table_s_arrows_go_down():
    inside = {room: below & set(ALLOWED) for room, below in ALLOWED.items()}
    assert tuple(graphlib.TopologicalSorter(inside).static_order())


def test_no_modules_import_each_other_in_a_circle():
    modules = {".".join(f.relative_to(ROOT).with_suffix("").parts): f for f in PACKAGE.rglob("*.py")}
    modules = {name.removesuffix(".__init__"): file for name, file in modules.items()}
    arrows = {
        module: {name if name in modules else name.rpartition(".")[0] for name in names(file)} & set(modules)
        for module, file in modules.items()
    }
    assert tuple(graphlib.TopologicalSorter(arrows).static_order())


def test_the_document_shows_the_same_table():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    assert {room: set(cell.replace("`", "").replace(",", " ").split()) - {"-"} for room, cell in rows} == ALLOWED


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("import torch.nn", "torch.nn"),
        ("from fastdepth_ros.cli import main", "fastdepth_ros.cli.main"),
        ("from fastdepth_ros import cli", "fastdepth_ros.cli"),
        ("from . import engine", "fastdepth_ros.runtime.engine"),
        ("from .gpu import driver", "fastdepth_ros.runtime.gpu.driver"),
        ("from .. import cli", "fastdepth_ros.cli"),
        ("from ..node.clock import now", "fastdepth_ros.node.clock.now"),
        ("def later():\n    from ..compiler import plan", "fastdepth_ros.compiler.plan"),
    ],
)
def test_an_import_is_seen_however_it_is_written(line, seen, tmp_path):
    file = tmp_path / NAME / "runtime" / "some.py"
    file.parent.mkdir(parents=True)
    file.write_text(line, encoding="utf-8")
    assert list(names(file, tmp_path / NAME)) == [seen]


def test_no_two_modules_of_tests_have_one_name():
    """pytest imports them by their bare names, and refuses the second of two in one process."""
    found = Counter(path.name for path in (ROOT / "test").rglob("test_*.py"))
    assert [name for name, count in found.items() if count > 1] == []
