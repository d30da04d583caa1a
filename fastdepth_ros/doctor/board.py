"""GPU, power meter, power mode and heat, as far as this machine shows them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from fastdepth_ros.doctor.check import Check, fail, ok, warn
from fastdepth_ros.power import PowerMonitor, load_profiles

LOOK = 0.5
"""Seconds that the power is measured."""


def gpu(root: Path) -> Iterator[Check]:
    """Name the GPU. The modules of this version run on the processor, so that none is missed."""
    cards = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    names = [_field(card, "Model") for card in cards]
    tegra = sorted(
        path.name
        for pattern in ("*.gp10b", "*.gv11b", "*.ga10b")
        for path in (root / "sys/class/devfreq").glob(pattern)
    )
    found = ", ".join([name for name in names if name] + tegra)
    yield ok("GPU", f"{found}; not used, modules run on the processor" if found else "none found, none needed")


def power(root: Path, profile: str) -> Iterator[Check]:
    """What measures the power, which mode the board is in, and whether it throttles.

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
