"""A ROS graph of its own: nothing of it leaves this machine, and nothing that runs here disturbs it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from fastdepth_ros.errors import SettingError

PORT_BASE, PORT_GAIN, DOMAINS = 7400, 250, 100
"""RTPS 2.2, 9.6.1: participant 0 of a domain hears its metatraffic on port base + gain * domain + 10."""

PROFILE_VARIABLE = dict.fromkeys(("humble", "iron", "jazzy"), "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Distribution -> what its Fast DDS calls the variable; newer ones warn of the old name."""

UDP = "<type>UDPv4</type>"
LOOPBACK_ONLY = UDP + "<interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>"

OTHERS = ("ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER", "ROS_NAMESPACE")
"""What else would choose peers or names."""


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
    """The variable that has Fast DDS use the package's profile on this machine alone, and the file, which is written.

    A process reads it once, when it makes its first participant.

    Args:
        folder: for the profile.

    Raises:
        SettingError: the package's profile is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "fastdds_loopback.xml"
    profile.write_text(shipped_profile().read_text(encoding="utf-8").replace(UDP, LOOPBACK_ONLY), encoding="utf-8")
    variable = PROFILE_VARIABLE.get(os.environ.get("ROS_DISTRO", ""), "FASTDDS_DEFAULT_PROFILES_FILE")
    return {variable: str(profile.resolve())}


def shipped_profile() -> Path:
    """``config/fastdds.xml`` of the checkout or of the installed package.

    Raises:
        SettingError: it is not there.
    """
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    folders = [Path(__file__).resolve().parents[2], *(Path(p) / "share" / "fastdepth_ros" for p in prefixes if p)]
    for folder in folders:
        if (folder / "config" / "fastdds.xml").is_file():
            return folder / "config" / "fastdds.xml"
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
