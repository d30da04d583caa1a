"""The Python packages that depth needs, and the TVM runtime among them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastdepth_ros.doctor.check import fail, ok, warn
from fastdepth_ros.errors import Finding
from fastdepth_ros.runtime.cache import has_compiler

NEEDED = ("numpy", "cv2", "safetensors", "yaml")
OLDEST_NUMPY = (1, 23)
"""The first with ``from_dlpack``, through which tensors are shared; Ubuntu 22.04 brings 1.21."""

OLDEST_OPENCV = (4, 5)
"""Ubuntu 22.04's."""

RUNTIME = "libtvm_runtime.so"


def packages() -> Iterator[Finding]:
    """Import what the node imports."""
    found, wrong = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {getattr(importlib.import_module(name), '__version__', '')}".strip())
        except Exception as error:  # a broken binary package raises what it likes
            wrong.append(f"{name} ({error})")
    versions = dict(word.split()[:2] for word in found if " " in word)
    numpy, opencv = versions.get("numpy", ""), versions.get("cv2", "")
    if wrong:
        remedy = "Install them as requirements/run.txt names them, or with rosdep; mixing both can break NumPy."
        yield fail("packages", f"cannot be imported: {', '.join(wrong)}", remedy)
    elif _numbers(opencv) < OLDEST_OPENCV:
        remedy = "Take that of Ubuntu 22.04 or newer, or: pip install opencv-python-headless."
        yield fail("packages", f"OpenCV {opencv} is older than 4.5, with which this package was last tried", remedy)
    elif _numbers(numpy) < OLDEST_NUMPY:
        remedy = "Put 1.26, which ROS loads with as well, into an environment beside it: pip install numpy==1.26.4."
        yield fail("packages", f"NumPy {numpy} is too old for the TVM runtime, which needs 1.23", remedy)
    else:
        yield ok("packages", ", ".join(found))
    if importlib.util.find_spec("torch"):
        fact = "torch is installed beside the TVM runtime, which loads it: 180 MB and 1.6 s at each start"
        yield warn("packages", fact, "Give the node an environment of its own without torch.")


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split(".")[:2])


def tvm_runtime() -> Iterator[Finding]:
    """Check that the runtime library is there, and whether modules can be compiled here."""
    remedy = "Install apache-tvm and apache-tvm-ffi as requirements/run.txt names them."
    try:
        versions = f"{version('apache-tvm')}, tvm_ffi {version('apache-tvm-ffi')}"
    except PackageNotFoundError as error:
        yield fail("TVM runtime", f"{error.name} is not installed", remedy)
        return
    spec = importlib.util.find_spec("tvm")
    folders = list(spec.submodule_search_locations or []) if spec else []
    library = Path(folders[0], "lib", RUNTIME) if folders else None
    if library is None or not library.is_file():
        yield fail("TVM runtime", f"{versions}, but {library or RUNTIME} is missing", remedy)
        return
    compiler = "with the compiler" if has_compiler() else "runtime only, no compiler"
    yield ok("TVM runtime", f"{versions}, {compiler}")
