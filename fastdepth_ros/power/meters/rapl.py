"""The energy counters of x86 processors (RAPL), through powercap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastdepth_ros.errors import Finding
from fastdepth_ros.power.files import Files, Unreadable
from fastdepth_ros.power.meters.channel import Channel, CounterChannel, Meter

POWERCAP = "sys/class/powercap"
REMEDY = (
    "Since Linux 5.10 only root may read it: let a udev rule or a systemd unit run `chmod a+r` on it at start, if every"
    " user of this machine may see its power."
)


def find(files: Files) -> Meter:
    """The domains of all packages; the cores and the graphics are part of their package."""
    channels: list[Channel] = []
    findings: list[Finding] = []
    for zone in files.names(POWERCAP, r"intel-rapl:\d+(:\d+)?$"):
        name = zone.rsplit("/", 1)[-1]
        package, inner = name.split(":")[1], name.count(":") == 2
        named = True
        try:
            domain = files.text(f"{zone}/name")
        except Unreadable as error:
            domain, named = "domain" if inner else f"package-{package}", False
            findings.append(error.finding(f"It is shown as {domain}."))
        rail = f"{domain}-{package}" if inner else domain
        channels.append(CounterChannel(rail, f"{zone}/energy_uj", REMEDY, _counter(zone), named))
    return Meter("RAPL", tuple(channels), _whole, tuple(findings))


def _whole(rails: Sequence[str]) -> list[str]:
    """``psys`` where the platform has it; otherwise the packages and their memory, which is counted apart."""
    return ["psys"] if "psys" in rails else [rail for rail in rails if rail.startswith(("package", "dram"))]


def _counter(zone: str) -> Callable[[Files], tuple[float, float]]:
    def joules(files: Files) -> tuple[float, float]:
        full = files.number(f"{zone}/max_energy_range_uj", low=1, high=2**63)
        return files.number(f"{zone}/energy_uj", high=2**63) / 1e6, full / 1e6

    return joules
