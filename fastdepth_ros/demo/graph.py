"""A ROS graph of its own: nothing of it leaves this machine, and nothing that runs here disturbs it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from fastdepth_ros import dds
from fastdepth_ros.errors import SettingError

PORT_BASE, PORT_GAIN, DOMAINS = 7400, 250, 100
"""RTPS 2.2, 9.6.1: participant 0 of a domain hears its metatraffic on port base + gain * domain + 10."""

UDP = "<type>UDPv4</type>"
LOOPBACK_ONLY = UDP + "<interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>"

OTHERS = (
    "ROS_STATIC_PEERS",
    "ROS_DISCOVERY_SERVER",
    "ROS_NAMESPACE",
    "ROS_SECURITY_ENABLE",
    "ROS_SECURITY_STRATEGY",
    "FASTDDS_ENVIRONMENT_FILE",
    "FASTDDS_BUILTIN_TRANSPORTS",
    "RMW_FASTRTPS_USE_QOS_FROM_XML",
)
"""Variables that would choose other peers, names, keys or transports."""


def graph_environment(folder: Path) -> dict[str, str]:
    """The environment variables of a graph of its own.

    Args:
        folder: for the Fast DDS profile and the logs.

    Raises:
        SettingError: the package's Fast DDS profile is missing, or no domain is free.
    """
    return {
        **loopback_profile(folder),
        "ROS_DOMAIN_ID": str(free_domain()),
        "ROS_LOG_DIR": str(folder.resolve() / "ros_log"),
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        # The profile chooses the interface; these would choose another.
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
        "ROS_LOCALHOST_ONLY": "0",
    }


def enter_graph(folder: Path) -> None:
    """Put this process, and those that it starts, into a graph of their own; call it before ROS is imported.

    Args:
        folder: for the Fast DDS profile and the logs.

    Raises:
        SettingError: as :func:`graph_environment`.
    """
    for name in OTHERS:
        os.environ.pop(name, None)
    os.environ.update(graph_environment(folder))


def loopback_profile(folder: Path) -> dict[str, str]:
    """The variables that have Fast DDS use the package's profile on this machine alone, whatever the user's profile is.

    The file is written. A process reads it once, when it makes its first participant. Kilted reads both variables, the
    old one first, and refuses a second profile of the same name: so the old one is emptied unless it is the one.

    Args:
        folder: for the profile.

    Raises:
        SettingError: the package's profile is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "fastdds_loopback.xml"
    profile.write_text(shipped_profile().read_text(encoding="utf-8").replace(UDP, LOOPBACK_ONLY), encoding="utf-8")
    file = str(profile.resolve())
    # A shell may have sourced another distribution than the one whose wheels are installed.
    old = dds.OLD_NAME_ONLY
    old_file = file if os.environ.get("ROS_DISTRO") in old or dds.wheels() in old else ""
    return {dds.NEW_NAME: file, dds.OLD_NAME: old_file, "SKIP_DEFAULT_XML_FILE": "1"}


def shipped_profile() -> Path:
    """``config/fastdds.xml`` of the checkout or of the installed package.

    Raises:
        SettingError: it is not there.
    """
    profile = dds.shipped("fastdds.xml")
    if profile is not None:
        return profile
    raise SettingError("config/fastdds.xml is not installed", "Install the package again, or run it from its checkout.")


def free_domain() -> int:
    """A domain in which nobody on this machine is, counting from one that differs from process to process.

    Raises:
        SettingError: all are taken.
    """
    for offset in range(DOMAINS):
        domain = 1 + (os.getpid() + offset) % DOMAINS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("0.0.0.0", PORT_BASE + PORT_GAIN * domain + 10))
            except OSError:
                continue
            return domain
    raise SettingError("every ROS domain of this machine is in use", "End ROS programs that are not needed.")
