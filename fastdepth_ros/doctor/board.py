"""GPU, power meter, power mode and heat, as far as this machine shows them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from fastdepth_ros.doctor.check import fail, ok, warn
from fastdepth_ros.errors import Finding
from fastdepth_ros.power import PowerMonitor, load_profiles
from fastdepth_ros.power.kinds import KINDS
from fastdepth_ros.runtime.gpu.driver import LIBRARY, driver

LOOK = 0.5
"""Seconds that the power is measured."""


def gpu(root: Path, target: str) -> Iterator[Finding]:
    """Name the GPU; where the module is for one, ask NVIDIA's driver whether it is there."""
    if target.startswith("cuda-"):
        here = driver(LIBRARY)  # A ModuleError of it is what there is to say.
        yield ok("GPU", "{}, sm_{}{}, by {}".format(here.name, *here.capability, LIBRARY))
        return
    cards = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    names = [_field(card, "Model") for card in cards]
    names += [
        f"{gpu} (target {kind.gpu_target})" if kind.gpu_target else gpu
        for kind in KINDS.values()
        for gpu in kind.gpus
        if (root / "sys/class/devfreq" / gpu).exists()
    ]
    found = ", ".join(name for name in names if name)
    yield ok("GPU", f"{found}; not used by a module for {target}" if found else "none found, none needed")


def power(root: Path, profile: str) -> Iterator[Finding]:
    """Name the power meter, the board's mode, and whether it throttles.

    Raises:
        SettingError: there is no such profile.
    """
    monitor = PowerMonitor(load_profiles().find(profile), root)
    monitor.start()
    try:
        if not monitor.wait():
            yield fail("board", "it does not answer: a file of its drivers hangs", "See `dmesg`, and restart it.")
            return
        time.sleep(LOOK)
        state = monitor.snapshot(LOOK)
    finally:
        monitor.stop()
    board = state.board
    mode = f"mode {board.mode.name} (by {board.mode_from})" if board.mode else "no power modes"
    hottest = max(board.temperatures.values(), default=None)
    heat = f", at most {hottest:.0f} °C" if hottest is not None else ""
    yield ok("board", f"{board.model}, {mode}{heat}")
    watts = f", {state.watts:.1f} W now" if state.watts is not None else ""
    yield ok("power meter", f"{state.meter}{watts}" if state.meter != "none" else "none: watts are not reported")
    for finding in state.warnings:
        yield warn("board", finding.cause, finding.remedy)


def _field(file: Path, name: str) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:")), "")
