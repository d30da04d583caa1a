"""The paper's table 2 for this machine: run time, frame rate, watts and energy of a frame in each power profile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fastdepth_ros.power import PowerMonitor, load_profiles, process
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.engine import Engine, max_threads
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule

IDLE = 3.0
"""Seconds in which the idle power is measured, before each profile."""


@dataclass(frozen=True)
class Row:
    """One operating point. What nothing measures is None.

    Attributes:
        platform: the machine and what of it computes.
        profile: the power profile.
        threads: of the network; None where the paper does not say.
        runtime_ms: median run time of the network [ms].
        rate: frames a second, one after the other without a pause [Hz].
        watts, idle_watts: mean power of the whole machine then, and without frames [W].
        frame_mj: energy of the whole machine for a frame [mJ].
    """

    platform: str
    profile: str
    threads: int | None
    runtime_ms: float
    rate: float
    watts: float | None
    idle_watts: float | None
    frame_mj: float | None


def _of_paper(device: str, profile: str, runtime: float, rate: float, watts: float, idle: float) -> Row:
    return Row(f"Jetson TX2 {device} (paper)", profile, None, runtime, rate, watts, idle, watts * runtime)


PAPER = (
    _of_paper("GPU", "max-n", 5.6, 178, 12.2, 3.4),
    _of_paper("GPU", "max-q", 8.2, 120, 6.5, 1.9),
    _of_paper("CPU", "max-n", 37, 27, 10.5, 3.4),
    _of_paper("CPU", "max-q", 64, 15, 3.8, 1.9),
)
"""Wofk et al., FastDepth, ICRA 2019, table 2; energy is power times run time."""


def measure(module: CompiledModule, seconds: float, tell: Callable[[str], object]) -> list[dict[str, Any]]:
    """Run the network in max-n and in max-q, with their threads and on their cores, as fast as it goes.

    Args:
        module: compiled for this machine.
        seconds: for each of them.
        tell: is told what goes on.

    Returns:
        The fields of a :class:`Row` for each.
    """
    most, profiles = max_threads(), load_profiles()
    rows = []
    for profile in (profiles.find("max-n"), profiles.find("max-q")):
        monitor = PowerMonitor(profile)
        monitor.start()
        try:
            monitor.wait()
            operation = monitor.operation
            process.set_cores(operation.cores)
            engine = open_engine(module, min(operation.threads, most))
            engine.input[:] = np.random.default_rng(0).integers(0, 256, engine.input.shape, np.uint8)
            tell(f"{profile.name}: idle")
            time.sleep(IDLE)
            tell(f"{profile.name}: running")
            rows.append(asdict(_row(monitor, engine, profile.name, seconds)))
        finally:
            process.set_cores(None)
            monitor.stop()
    return rows


def _row(monitor: PowerMonitor, engine: Engine, profile: str, seconds: float) -> Row:
    engine.run()
    times: list[float] = []
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        start = time.monotonic()
        engine.run()
        end = time.monotonic()
        monitor.frame(start, end)
        times.append(end - start)
    state = monitor.snapshot(seconds)
    return Row(
        platform=processor.name(),
        profile=profile,
        threads=engine.threads,
        runtime_ms=float(np.median(times)) * 1e3,
        rate=len(times) / sum(times),
        watts=state.work_watts,
        idle_watts=state.idle_watts,
        frame_mj=state.frame_mj,
    )


HEADS = ("platform", "profile", "threads", "run time [ms]", "frames/s", "power (idle) [W]", "frame [mJ]")


def cells(row: Row) -> tuple[str, ...]:
    """Cells of a row under :data:`HEADS`."""
    idle = "unknown" if row.idle_watts is None else f"{row.idle_watts:.1f}"
    power = "no meter" if row.watts is None else f"{row.watts:.1f} ({idle})"
    energy = "no meter" if row.frame_mj is None else f"{row.frame_mj:.0f}"
    threads = "" if row.threads is None else str(row.threads)
    return (row.platform, row.profile, threads, f"{row.runtime_ms:.1f}", f"{row.rate:.0f}", power, energy)


def show(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Rows that :func:`measure` gave, and below them the paper's."""
    table = Table(*HEADS)
    for row in rows:
        table.add_row(*cells(Row(**row)))
    table.add_section()
    for known in PAPER:
        table.add_row(*cells(known))
    console.print(table)
