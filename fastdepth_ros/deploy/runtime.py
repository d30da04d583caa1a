"""TVM's runtime library for any processor: out of what is installed here, or out of the wheel for that platform."""

from __future__ import annotations

import platform
import subprocess
import zipfile
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from fastdepth_ros import children
from fastdepth_ros.deploy.wheel import Wheel
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime.module import tvm_version
from fastdepth_ros.runtime.storage import writable_cache

LIBRARY = "tvm/lib/libtvm_runtime.so"
KEPT = (LIBRARY, "tvm/LICENSE", "tvm/NOTICE")
"""Files of TVM's wheel that a robot needs: a library of 3 MB and the licence, not 300 MB of compiler and Python."""

MANYLINUX = ("manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
"""Platforms whose wheels load with glibc 2.27, that of Ubuntu 18.04, and with any later one."""


def runtime_wheel(architecture: str) -> Wheel:
    """TVM's wheel for an architecture with nothing but its runtime library.

    It has the name and version of the whole, so that modules find the TVM that they were made by.

    Raises:
        ModuleError: TVM is not installed here, or its wheel for that architecture cannot be fetched.
    """
    version = tvm_version()
    if architecture == platform.machine():
        files = {str(file): file.locate() for file in distribution("apache-tvm").files or ()}
        about = distribution("apache-tvm").read_text("WHEEL") or ""
        members = {name: Path(str(files[name])).read_bytes() for name in KEPT if name in files}
    else:
        file = fetch([f"apache-tvm=={version}"], architecture, writable_cache("wheels"), python=None)
        with zipfile.ZipFile(next(file.glob(f"apache_tvm-{version}-*_{architecture}.whl"))) as archive:
            names = archive.namelist()
            members = {name: archive.read(name) for name in KEPT if name in names}
            about = archive.read(f"apache_tvm-{version}.dist-info/WHEEL").decode()
    if LIBRARY not in members:
        raise ModuleError(f"TVM {version} for {architecture} holds no {LIBRARY}", "Install apache-tvm again.")
    tags = tuple(line.split(": ", 1)[1] for line in about.splitlines() if line.startswith("Tag: "))
    summary = "The runtime library of Apache TVM alone, repacked for a robot by `fastdepth deploy`"
    needs = [f"apache-tvm-ffi=={distribution('apache-tvm-ffi').version}"]
    return Wheel("apache-tvm", version, tags, summary, members, requires=needs)


def fetch(names: Sequence[str], architecture: str, folder: Path, python: str | None) -> Path:
    """Have pip fetch wheels for another machine; what is in the folder already is not fetched again.

    Args:
        names: requirements, as pip knows them.
        architecture: of that machine.
        folder: where they go.
        python: its version of Python, and then what they need is fetched too; None for this one's and them alone.

    Raises:
        ModuleError: pip cannot, with what it said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    platforms = [word for name in MANYLINUX for word in ("--platform", f"{name}_{architecture}")]
    options = ["--python-version", python] if python else ["--no-deps"]
    command = children.python("pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(folder))
    command += ["--find-links", str(folder), *platforms, *options, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        cause = f"pip cannot fetch {', '.join(names)} for {architecture}: {said}"
        raise ModuleError(cause, "Check the network, or deploy on a machine of that architecture.")
    return folder
