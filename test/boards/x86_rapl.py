"""A made-up x86 computer with RAPL, and a battery where a test wants one."""

from __future__ import annotations

from pathlib import Path

from boards.tree import Tree

RAPL = "sys/class/powercap"
RANGE = 262_143_328_850
"""Number that a counter of a real Intel package holds before it starts again [uJ]."""

DOMAINS = {"package-0": "intel-rapl:0", "core": "intel-rapl:0:0", "dram": "intel-rapl:0:1"}
BATTERY = "sys/class/power_supply/BAT0"


def build(root: Path, full: int = RANGE) -> Tree:
    """Two cores, no modes, counters just before their end: every test that runs for some seconds sees them wrap.

    Args:
        full: where the counters start again [uJ]; a low value has them do it again and again.
    """
    tree = Tree(root)
    tree.write("sys/class/dmi/id/product_name", "NUC11ATKC4")
    tree.write("sys/devices/system/cpu/online", "0-1")
    for core in range(2):
        tree.write(f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_max_freq", 2900000)
        tree.write(f"sys/devices/system/cpu/cpu{core}/cpufreq/cpuinfo_max_freq", 2900000)
    tree.write("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", 7)
    for domain, zone in DOMAINS.items():
        tree.write(f"{RAPL}/{zone}/name", domain)
        tree.write(f"{RAPL}/{zone}/max_energy_range_uj", full)
        tree.write(f"{RAPL}/{zone}/energy_uj", full - 1_000_000)
    tree.write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp")
    tree.write("sys/class/thermal/thermal_zone0/temp", 52000)
    tree.write("sys/class/thermal/cooling_device0/type", "Processor")
    tree.write("sys/class/thermal/cooling_device0/cur_state", 0)
    return tree


def draw(tree: Tree, **joules: float) -> None:
    """Let domains use so much energy [J]; ``package`` stands for package-0."""
    for name, amount in joules.items():
        file = f"{RAPL}/{DOMAINS['package-0' if name == 'package' else name]}/energy_uj"
        full = int((tree.root / file).with_name("max_energy_range_uj").read_text())
        tree.write(file, (int((tree.root / file).read_text()) + round(amount * 1e6)) % (full + 1))


def add_battery(tree: Tree, watts: float, percent: int = 80, status: str = "Discharging") -> None:
    """A battery that gives so much [W]."""
    tree.write(f"{BATTERY}/type", "Battery")
    tree.write(f"{BATTERY}/status", status)
    tree.write(f"{BATTERY}/capacity", percent)
    tree.write(f"{BATTERY}/power_now", round(watts * 1e6))
