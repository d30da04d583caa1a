"""Fast DDS: which profile is in force, and the shared memory that a picture needs.

A publisher puts its messages into a segment of shared memory of its own, from which the readers of this machine take
them. A picture that is larger than the segment is lost for best-effort readers, or arrives now and then.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastdepth_ros import places

NEW_NAME, OLD_NAME = "FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"
"""Variables that name the profile: Jazzy and older read only the second; newer ones read it as well, and warn of it."""

OLD_NAME_ONLY = ("humble", "iron", "jazzy")
DISTRIBUTIONS = {"3": "humble", "7": "jazzy", "9": "kilted"}
"""First number of rclpy's version -> distribution."""

DEFAULT_SEGMENT = 512 << 10
"""Shared memory of a process without a profile [B]."""

SHIPPED = {"fastdds.xml": 16 << 20, "fastdds_large.xml": 128 << 20}
"""Profile in config/ -> its segment [B], from the smallest on."""

PICTURES = 2
"""Pictures that a segment should hold: one is read while the next one is written."""

MIB = 1 << 20


def distribution() -> str:
    """The ROS distribution; empty where nothing says which."""
    return os.environ.get("ROS_DISTRO") or wheels()


def wheels() -> str:
    """The distribution whose Python wheels are installed; empty without them."""
    try:
        return DISTRIBUTIONS.get(version("ros-rclpy").split(".")[0], "")
    except PackageNotFoundError:
        return ""


def profile_variable() -> str:
    """The variable that this distribution's Fast DDS takes its profile from."""
    return OLD_NAME if distribution() in OLD_NAME_ONLY else NEW_NAME


def shipped(name: str) -> Path | None:
    """A file of this package's config folder, in the checkout or installed; None where it is neither."""
    return places.find(f"config/{name}")


def segment_of(profile: Path) -> int:
    """The largest shared-memory segment of a profile [B]; 0 where it names none.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    try:
        tree = ElementTree.parse(profile)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    return max((int(e.text or 0) for e in tree.iter() if e.tag.endswith("segment_size")), default=0)


@lru_cache(1)
def own_segment() -> int:
    """The segment of this process, as its profile has it [B]; a process reads its profile once."""
    file = os.environ.get(profile_variable()) or os.environ.get(OLD_NAME)
    try:
        return (segment_of(Path(file)) if file else 0) or DEFAULT_SEGMENT
    except (OSError, ValueError):
        return DEFAULT_SEGMENT


def needed_segment(picture: int) -> int:
    """The segment that pictures of so many bytes need [B]: a power of two from the default on."""
    need = DEFAULT_SEGMENT
    while need < PICTURES * picture:
        need *= 2
    return need


def advice(picture: int) -> str:
    """Advice for the publisher of pictures of so many bytes, in a sentence or two; 0 bytes where that is not known."""
    if not picture:
        return "Images over 0.5 MB need config/fastdds.xml in the driver's process, too."
    need, own = needed_segment(picture), own_segment()
    if need <= DEFAULT_SEGMENT:
        return f"Pictures of {picture / 1e3:.0f} kB fit into shared memory without config/fastdds.xml."
    what = f"Pictures of {picture / 1e6:.1f} MB"
    here = f"this process has {own / MIB:.4g} MiB"
    profile = next((name for name, segment in SHIPPED.items() if segment >= need), None)
    remedy = f"config/{profile} has it" if profile else f"set segment_size to {need} in a copy of config/fastdds.xml"
    return f"{what} need {need / MIB:.4g} MiB of shared memory in the driver's process ({here}): {remedy}."
