"""A made-up Raspberry Pi 5: four A76 cores, one thermal zone, no GPU in devfreq, no power modes and no rails."""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree

CPU = "sys/devices/system/cpu"
TOP = 2400000


def build(root: Path) -> Tree:
    """The board as its kernel shows it."""
    tree = Tree(root)
    tree.write("sys/firmware/devicetree/base/model", b"Raspberry Pi 5 Model B Rev 1.0\0")
    tree.write("sys/firmware/devicetree/base/compatible", b"raspberrypi,5-model-b\0brcm,bcm2712\0")
    tree.write(f"{CPU}/online", "0-3")
    for core in range(4):
        for limit in ("scaling_max_freq", "cpuinfo_max_freq"):
            tree.write(f"{CPU}/cpu{core}/cpufreq/{limit}", TOP)
    tree.write("sys/class/thermal/thermal_zone0/type", "cpu-thermal")
    tree.write("sys/class/thermal/thermal_zone0/temp", 51000)
    tree.unread = {"sys/class/thermal/cooling_device0/cur_state"}  # a fan says nothing of throttling
    for index, device in enumerate(("pwm-fan", "cpufreq-cpu0")):
        tree.write(f"sys/class/thermal/cooling_device{index}/type", device)
        tree.write(f"sys/class/thermal/cooling_device{index}/cur_state", 0)
    return tree
