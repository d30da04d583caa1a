"""Temperatures, and what the kernel does against heat and over-current."""

from __future__ import annotations

import errno
import re

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.files import Files, Unreadable

THERMAL = "sys/class/thermal"
CPU0 = "sys/devices/system/cpu/cpu0/thermal_throttle"
HWMON = "sys/class/hwmon"

# Cooling devices that make the machine slower. A fan that turns is no throttling, and neither is a modem's.
_SLOWING = re.compile(r"(thermal-)?(cpu|gpu|devfreq)|Processor|.*(throttle|balanced|-alert)", re.IGNORECASE)


class Thermal:
    """Looks at the thermal zones; remembers the kernel's counters of throttling, to see them move."""

    def __init__(self) -> None:
        self._zones: dict[str, str] = {}
        self._cooling: dict[str, str] = {}
        self._meanings: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def survey(self, files: Files, findings: list[Finding]) -> None:
        """Find what there is to look at."""
        zones = files.names(THERMAL, r"thermal_zone\d+$")
        self._zones = {zone: _type(files, zone, findings) for zone in zones}
        devices = {device: _type(files, device, findings) for device in files.names(THERMAL, r"cooling_device\d+$")}
        self._cooling = {device: name for device, name in devices.items() if _SLOWING.match(name)}
        if files.has(CPU0):
            self._meanings[f"{CPU0}/package_throttle_count"] = "the processor is too hot"
        for monitor in files.names(HWMON, r"hwmon\d+$"):
            for counter in files.names(monitor, r"oc\d+_event_cnt$"):
                self._meanings[counter] = "the board draws too much current"

    def look(self, files: Files, findings: list[Finding]) -> tuple[dict[str, float], tuple[str, ...]]:
        """Temperatures [degrees Celsius] by name of the zone, and what throttles now, in words."""
        temperatures: dict[str, float] = {}
        for zone, name in self._zones.items():
            try:
                degrees = files.number(f"{zone}/temp", low=-100_000, high=300_000) / 1000.0
            except Unreadable as error:
                # A sensor whose part of the chip is switched off says EAGAIN: normal on an idle GPU.
                level = Level.NOTE if error.code == errno.EAGAIN else Level.WARN
                findings.append(error.finding(f"The temperature of {name} is unknown without it.", level))
                continue
            temperatures[name if name not in temperatures else f"{name} ({zone.rsplit('/', 1)[-1]})"] = degrees
        return temperatures, (*self._slowed(files, findings), *self._counted(files, findings))

    def _slowed(self, files: Files, findings: list[Finding]) -> list[str]:
        throttled = []
        for device, name in self._cooling.items():
            try:
                # An idle intel_powerclamp says -1.
                state = files.number(f"{device}/cur_state", low=-1, high=10**6)
            except Unreadable as error:
                findings.append(error.finding(f"Whether {name} slows the board is unknown without it."))
                continue
            if state > 0:
                throttled.append(f"{name} slows the board (state {state})")
        return throttled

    def _counted(self, files: Files, findings: list[Finding]) -> list[str]:
        throttled = []
        for counter, meaning in self._meanings.items():
            try:
                count = files.number(counter)
            except Unreadable as error:
                findings.append(error.finding(f"Whether {meaning} is unknown without it."))
                continue
            if count > self._counts.get(counter, count):
                throttled.append(f"{meaning} ({files.path(counter)} went up to {count})")
            self._counts[counter] = count
        return throttled


def _type(files: Files, folder: str, findings: list[Finding]) -> str:
    try:
        return files.text(f"{folder}/type")
    except Unreadable as error:
        findings.append(error.finding("It is shown under the name of its folder."))
        return folder.rsplit("/", 1)[-1]
