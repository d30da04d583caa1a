"""A battery that says how fast it empties, through power_supply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastdepth_ros.errors import Finding
from fastdepth_ros.power.files import Files, Unreadable
from fastdepth_ros.power.meters.channel import Channel, Meter, PowerChannel

SUPPLIES = "sys/class/power_supply"
REMEDY = "The power drawn from it is unknown without it."


@dataclass(frozen=True)
class Charge:
    """State of a battery: how full it is [percent, None where it does not say] and what it does (``Discharging``)."""

    name: str
    percent: float | None
    status: str


def supplies(files: Files, findings: list[Finding]) -> list[str]:
    """The batteries that feed this machine; that of a mouse (scope ``Device``) does not."""
    found = []
    for supply in files.names(SUPPLIES):
        try:
            if files.text(f"{supply}/type") != "Battery":
                continue
        except Unreadable as error:
            if not files.has(f"{supply}/capacity"):
                continue
            findings.append(error.finding("It is taken for a battery, for it has a charge."))
        try:
            if files.text(f"{supply}/scope") == "Device":
                continue
        except Unreadable:
            pass  # few batteries have one
        found.append(supply)
    return found


def find(files: Files) -> Meter:
    """Every battery is a rail."""
    findings: list[Finding] = []
    channels: list[Channel] = []
    for supply in supplies(files, findings):
        name = supply.rsplit("/", 1)[-1]
        source = "power_now" if files.has(f"{supply}/power_now") else "current_now"
        channels.append(PowerChannel(name, f"{supply}/{source}", REMEDY, _watts(supply)))
    return Meter("battery", tuple(channels), tuple, tuple(findings))


def charges(files: Files, findings: list[Finding]) -> list[Charge]:
    """Charges of the batteries."""
    found = []
    for supply in supplies(files, findings):
        percent, status = None, "Unknown"
        try:
            percent = float(files.number(f"{supply}/capacity", high=100))
            status = files.text(f"{supply}/status")
        except Unreadable as error:
            findings.append(error.finding("The state of the battery is incomplete without it."))
        found.append(Charge(supply.rsplit("/", 1)[-1], percent, status))
    return found


def _watts(supply: str) -> Callable[[Files], float]:
    def watts(files: Files) -> float:
        status = files.text(f"{supply}/status")
        if status != "Discharging":
            path = files.path(f"{supply}/status")
            raise Unreadable(
                path, f"says {status}: what the machine draws does not come from this battery", fault=False
            )
        if files.has(f"{supply}/power_now"):
            return files.number(f"{supply}/power_now") / 1e6
        # Some drivers count a current that flows out as negative.
        microamperes = abs(files.number(f"{supply}/current_now", low=-(10**9)))
        return microamperes * files.number(f"{supply}/voltage_now") / 1e12

    return watts
