"""Temperatures, and what the kernel does against heat and over-current."""

from __future__ import annotations

import errno
import re

from fastdepth_ros.power.files import Files, Unreadable
from fastdepth_ros.power.findings import Finding, Level

THERMAL = "sys/class/thermal"
CPU0 = "sys/devices/system/cpu/cpu0/thermal_throttle"
HWMON = "sys/class/hwmon"

# Cooling devices that make the machine slower. A fan that turns is no throttling, and neither is a modem's.
_SLOWING = re.compile(r"(thermal-)?(cpu|gpu|devfreq)|Processor|.*(throttle|balanced|-alert)", re.IGNORECASE)


class Thermal:
    """Looks at the thermal zones; remembers the kernel's counters of throttling, to see them move."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def look(self, files: Files) -> tuple[dict[str, float], list[str], list[Finding]]:
        """Temperatures [degrees Celsius] by zone, what throttles now in words, and what could not be read."""
        findings: list[Finding] = []
        temperatures: dict[str, float] = {}
        for zone in files.names(THERMAL, r"thermal_zone\d+$"):
            name = _type(files, zone, findings)
            try:
                degrees = files.number(f"{zone}/temp", low=-100_000, high=300_000) / 1000.0
            except Unreadable as error:
                # A sensor whose part of the chip is switched off says EAGAIN: normal on an idle GPU.
                level: Level = "note" if error.code == errno.EAGAIN else "warn"
                findings.append(Finding(level, str(error), f"The temperature of {name} is unknown without it."))
                continue
            temperatures[name if name not in temperatures else f"{name} ({zone.rsplit('/', 1)[-1]})"] = degrees
        throttled = self._cooling(files, findings) + self._counted(files, findings)
        return temperatures, throttled, findings

    @staticmethod
    def _cooling(files: Files, findings: list[Finding]) -> list[str]:
        throttled = []
        for device in files.names(THERMAL, r"cooling_device\d+$"):
            name = _type(files, device, findings)
            if not _SLOWING.match(name):
                continue
            try:
                # An idle intel_powerclamp says -1.
                state = files.number(f"{device}/cur_state", low=-1, high=10**6)
            except Unreadable as error:
                findings.append(Finding("warn", str(error), f"Whether {name} slows the board is unknown without it."))
                continue
            if state > 0:
                throttled.append(f"{name} slows the board (state {state})")
        return throttled

    def _counted(self, files: Files, findings: list[Finding]) -> list[str]:
        """Counters that go up while the processor is held back."""
        counters = {f"{CPU0}/package_throttle_count": "the processor is too hot"} if files.has(CPU0) else {}
        for monitor in files.names(HWMON, r"hwmon\d+$"):
            for counter in files.names(monitor, r"oc\d+_event_cnt$"):
                counters[counter] = "the board draws too much current"
        counters |= {counter: "the board is held back" for counter in self._counts if counter not in counters}
        throttled = []
        for counter, meaning in counters.items():
            try:
                count = files.number(counter)
            except Unreadable as error:
                findings.append(Finding("warn", str(error), f"Whether {meaning} is unknown without it."))
                continue
            if count > self._counts.get(counter, count):
                throttled.append(f"{meaning} ({files.path(counter)} went up to {count})")
            self._counts[counter] = count
        return throttled


def _type(files: Files, folder: str, findings: list[Finding]) -> str:
    try:
        return files.text(f"{folder}/type")
    except Unreadable as error:
        findings.append(Finding("warn", str(error), "It is shown under the name of its folder."))
        return folder.rsplit("/", 1)[-1]
