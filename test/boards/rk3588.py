"""A made-up Radxa ROCK 5B (RK3588): four A76 and four A55 cores, a Mali in devfreq, no power modes and no rails."""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree

CPU = "sys/devices/system/cpu"
GPU = "sys/class/devfreq/fb000000.gpu"
LITTLE, BIG, GPU_TOP = 1800000, 2400000, 1000000000
ZONES = {"package-thermal": 48500, "bigcore0-thermal": 49000, "littlecore-thermal": 48000, "gpu-thermal": 47000}


def build(root: Path) -> Tree:
    """The board as its kernel shows it."""
    tree = Tree(root)
    tree.write("sys/firmware/devicetree/base/model", b"Radxa ROCK 5B\0")
    tree.write("sys/firmware/devicetree/base/compatible", b"radxa,rock-5b\0rockchip,rk3588\0")
    tree.write(f"{CPU}/online", "0-7")
    for core in range(8):
        for limit in ("scaling_max_freq", "cpuinfo_max_freq"):
            tree.write(f"{CPU}/cpu{core}/cpufreq/{limit}", LITTLE if core < 4 else BIG)
    tree.write(f"{GPU}/available_frequencies", "300000000 500000000 700000000 900000000 1000000000")
    tree.write(f"{GPU}/max_freq", GPU_TOP)
    for index, (zone, temperature) in enumerate(ZONES.items()):
        tree.write(f"sys/class/thermal/thermal_zone{index}/type", zone)
        tree.write(f"sys/class/thermal/thermal_zone{index}/temp", temperature)
    tree.unread = {"sys/class/thermal/cooling_device0/cur_state"}  # a fan says nothing of throttling
    for index, device in enumerate(("pwm-fan", "cpufreq-cpu0", "cpufreq-cpu4", "devfreq-fb000000.gpu")):
        tree.write(f"sys/class/thermal/cooling_device{index}/type", device)
        tree.write(f"sys/class/thermal/cooling_device{index}/cur_state", 0)
    return tree
