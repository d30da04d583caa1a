"""Power meters: what a machine can say of the watts that it draws."""

from __future__ import annotations

from fastdepth_ros.power.files import Files
from fastdepth_ros.power.meters import battery, ina3221, rapl
from fastdepth_ros.power.meters.channel import Channel, Meter

__all__ = ["Channel", "Meter", "find_meter"]

NONE = Meter("none")


def find_meter(files: Files) -> Meter:
    """The best meter of this machine: the board's rails, else the processor's counters, else a battery, else none.

    A meter whose channels cannot be read is taken only where no other can be.
    """
    found = [meter for meter in (ina3221.find(files), rapl.find(files), battery.find(files)) if meter.channels]
    return ([meter for meter in found if meter.works(files)] or found or [NONE])[0]
