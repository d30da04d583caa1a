"""ROS, its middleware, and the shared memory that images travel through."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastdepth_ros import dds
from fastdepth_ros.doctor.check import fail, ok, warn
from fastdepth_ros.errors import Finding

PROFILE_VARIABLES = (dds.NEW_NAME, dds.OLD_NAME)

SEGMENT_BYTES = 4 << 20
"""Shared memory of a publisher that holds four VGA pictures."""

FREE_BYTES = 64 << 20
SHARED_MEMORY = Path("/dev/shm")
SEGMENTS = ("fastdds_*", "fastrtps_*")
"""Files of Fast DDS there: of Kilted's, and of those before."""

RECEIVE_BUFFER = Path("/proc/sys/net/core/rmem_max")
RECEIVE_BYTES = 2 << 20


def missing() -> bool:
    """Whether rclpy cannot be imported."""
    return importlib.util.find_spec("rclpy") is None


def distribution() -> Iterator[Finding]:
    """Check that ROS is there, and name it."""
    if missing():
        fact = "rclpy cannot be imported: the node does not start here; infer, bench and compile do"
        yield fail("ROS", fact, "Source /opt/ros/DISTRO/setup.bash, or install requirements/run.txt.")
        return
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    yield ok("ROS", f"{dds.distribution() or 'unknown distribution'}, domain {domain}, discovery {reach}")


def middleware() -> Iterator[Finding]:
    """Check the middleware, and that images fit through it."""
    if missing():
        return
    import rclpy

    name = rclpy.get_rmw_implementation_identifier()
    if "fastrtps" in name:
        yield _profile(name)
    elif "cyclone" in name:
        yield _receive_buffer(name)
    else:
        yield warn("DDS", name, "This package was run with Fast DDS only; watch the drops in /diagnostics.")


def shared_memory() -> Iterator[Finding]:
    """Check the room in /dev/shm, of which containers get 64 MB unless they ask for more, and whose it is."""
    try:
        room = os.statvfs(SHARED_MEMORY)
    except OSError as error:
        yield warn(
            "shared memory", f"{SHARED_MEMORY} cannot be read ({error.strerror})", "Mount it: it carries images."
        )
        return
    files = [file for pattern in SEGMENTS for file in SHARED_MEMORY.glob(pattern)]
    free, others = room.f_bavail * room.f_frsize, owners(files) - {os.geteuid()}
    fact = f"{free >> 20} MB free in {SHARED_MEMORY}, {len(files)} files of Fast DDS"
    if others:
        fact += f", of user {', '.join(sorted(map(name_of, others)))}, too, and this is {name_of(os.geteuid())}"
        remedy = (
            "Run the camera driver and the node as one user, a container with --user: of others Fast DDS sees the"
            " topics, and gets no message through shared memory. What ended processes left goes by"
            " `sudo fastdds shm clean`."
        )
        yield warn("shared memory", fact, remedy)
    elif free < FREE_BYTES:
        remedy = (
            "Remove what dead processes left with `fastdds shm clean`; give a container --ipc=host or --shm-size=512m."
        )
        yield warn("shared memory", fact, remedy)
    else:
        yield ok("shared memory", fact)


def owners(files: Iterable[Path]) -> set[int]:
    """Numbers of the users whose files these are, of those that are still there."""
    found = set()
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            found.add(file.stat().st_uid)
    return found


def name_of(user: int) -> str:
    """Name of a user; where this machine has none for it, as in a container, its number."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _profile(name: str) -> Finding:
    """Check that the profile in force has a segment that images fit into."""
    variable = dds.profile_variable()
    shipped = dds.shipped("fastdds.xml")
    remedy = (
        "depth.launch.py sets it for the node; the camera driver needs it as well:"
        f" export {variable}={shipped or 'config/fastdds.xml'}"
    )
    file = os.environ.get(variable)
    if not file:
        fact = f"{name} without a profile: best-effort images over 0.5 MB between processes are lost"
        return warn("DDS", fact, remedy)
    try:
        segment = dds.segment_of(Path(file))
    except (OSError, ValueError) as error:
        return fail("DDS", f"{variable}={file} cannot be read ({error})", remedy)
    if segment < SEGMENT_BYTES:
        fact = f"{name}, {file} gives {segment >> 10} KB of shared memory: too little for images"
        return warn("DDS", fact, remedy)
    return ok("DDS", f"{name}, {segment >> 20} MB of shared memory ({file})")


def _receive_buffer(name: str) -> Finding:
    try:
        size = int(RECEIVE_BUFFER.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return warn(
            "DDS", f"{name}, receive buffer unknown", f"Check that {RECEIVE_BUFFER} is {RECEIVE_BYTES} or more."
        )
    if size < RECEIVE_BYTES:
        remedy = f"sudo sysctl -w net.core.rmem_max={RECEIVE_BYTES}: images in many datagrams overflow less."
        return warn("DDS", f"{name}, receive buffer of {size >> 10} KB", remedy)
    return ok("DDS", f"{name}, receive buffer of {size >> 10} KB")
