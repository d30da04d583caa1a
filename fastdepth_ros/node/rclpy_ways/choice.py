"""Chooses the way for the rclpy that is installed."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping

from fastdepth_ros.node.rclpy_ways.interface import Way
from fastdepth_ros.node.rclpy_ways.plain import PlainWay

PLAIN = "FASTDEPTH_PLAIN_RCLPY"
"""Environment variable that chooses the plain way with the value 1."""


def version() -> str:
    """The version of rclpy, as ``9.1.2``; empty where it does not say."""
    try:
        return importlib.metadata.version("rclpy")
    except importlib.metadata.PackageNotFoundError:
        return ""


def choose(environment: Mapping[str, str] = os.environ, release: str | None = None) -> tuple[Way, str]:
    """Choose the way for this rclpy.

    Args:
        environment: ``FASTDEPTH_PLAIN_RCLPY=1`` chooses the plain way.
        release: of rclpy; None is the one that is installed.

    Returns:
        The way, and its name with the reason, in words.
    """
    release = version() if release is None else release
    about = f"rclpy {release or 'of an unknown version'}"
    if environment.get(PLAIN) == "1":
        return PlainWay(), f"plain, as {PLAIN} wants it: {about}"
    try:
        from fastdepth_ros.node.rclpy_ways import private
    except (ImportError, AttributeError) as error:  # something that is not public is gone
        return PlainWay(), f"plain: {about} lacks something ({error})"
    if ".".join(release.split(".")[:2]) not in private.RAN_ON:
        return PlainWay(), f"plain: {about} is none of those that the fast way was run on"
    return private.PrivateWay(), f"fast: {about}"
