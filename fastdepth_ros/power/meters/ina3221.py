"""The INA3221 power monitors of Jetson boards, through iio (JetPack 4) or hwmon (JetPack 5 and later)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.files import Files, Unreadable
from fastdepth_ros.power.meters.channel import Channel, Meter, PowerChannel

DEVICES = "sys/bus/i2c/devices"
INPUTS = frozenset({"VDD_IN", "POM_5V_IN"})
"""Rails that feed the whole module: all others branch off them, and are never added to them."""

REMEDY = "Its watts are left out; check that the INA3221 driver is bound (ls /sys/bus/i2c/drivers)."


def find(files: Files) -> Meter:
    """The rails of all monitors; those that are not connected (NC) are left out."""
    channels: list[Channel] = []
    findings: list[Finding] = []
    kinds = set()
    for device in files.names(DEVICES):
        folders = [(f, "iio") for f in files.names(device, r"iio:device\d+$")]
        folders += [(f, "hwmon") for f in files.names(f"{device}/hwmon", r"hwmon\d+$")]
        try:
            if "ina3221" not in files.text(f"{device}/name"):
                continue
        except Unreadable as error:
            # A device with neither folder is no power monitor, whatever its name.
            if not folders:
                continue
            findings.append(error.finding("It is taken for a power monitor, for it looks like one."))
        for folder, kind in folders:
            kinds.add(kind)
            channels += _iio(files, folder, findings) if kind == "iio" else _hwmon(files, folder, findings)
    rails = [channel.rail for channel in channels]
    if rails and not INPUTS & set(rails):
        remedy = "The sum of its rails stands for the whole module."
        findings.append(Finding(Level.NOTE, f"no rail of {', '.join(rails)} measures the whole module", remedy))
    name = f"INA3221 ({', '.join(sorted(kinds))})"
    return Meter(name, tuple(channels), _whole, tuple(findings))


def _whole(rails: Sequence[str]) -> list[str]:
    """The input of the module; where no rail measures that, all of them."""
    return [rail for rail in rails if rail in INPUTS] or list(rails)


def _iio(files: Files, folder: str, findings: list[Finding]) -> list[Channel]:
    found: list[Channel] = []
    for index in _indices(files, folder, r"(?:rail_name_|in_power)(\d+)(?:_input)?$"):
        power = f"{folder}/in_power{index}_input"
        rail, named = _label(files, f"{folder}/rail_name_{index}", findings)
        if rail == "NC":
            continue

        def watts(files: Files, power: str = power) -> float:
            return files.number(power) / 1000.0

        found.append(PowerChannel(rail, power, REMEDY, watts, named))
    return found


def _hwmon(files: Files, folder: str, findings: list[Finding]) -> list[Channel]:
    found: list[Channel] = []
    # in1 to in3 are the buses, in4 to in7 the shunts: a power needs the first kind, and the current.
    for index in _indices(files, folder, r"(?:in|curr)([123])_(?:input|label)$"):
        volts, amperes = f"{folder}/in{index}_input", f"{folder}/curr{index}_input"
        rail, named = _label(files, f"{folder}/in{index}_label", findings)
        if rail == "NC":
            continue

        def watts(files: Files, volts: str = volts, amperes: str = amperes) -> float:
            return files.number(volts) * files.number(amperes) / 1e6

        found.append(PowerChannel(rail, amperes, REMEDY, watts, named))
    return found


def _indices(files: Files, folder: str, pattern: str) -> list[int]:
    names = (name.rsplit("/", 1)[-1] for name in files.names(folder))
    return sorted({int(match[1]) for name in names if (match := re.match(pattern, name))})


def _label(files: Files, name: str, findings: list[Finding]) -> tuple[str, bool]:
    """Name of a rail, and whether the board says so; otherwise its address stands for it."""
    try:
        return files.text(name), True
    except Unreadable as error:
        parts = name.split("/")
        otherwise = f"{parts[4]}/{parts[-1]}"
        findings.append(error.finding(f"The rail is shown as {otherwise}."))
        return otherwise, False
