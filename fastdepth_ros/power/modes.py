"""The power modes that a board knows, and which of them its clocks are in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.files import Files, Unreadable

CONFIGURATION = "etc/nvpmodel.conf"
TOLERANCE = 0.03
"""A clock runs in steps, and the step nearest to what a mode asks for is up to so much away from it."""


@dataclass(frozen=True)
class Mode:
    """One mode of nvpmodel.

    Attributes:
        name, id: as nvpmodel calls it, and as ``nvpmodel -m`` wants it.
        cores: numbers of the processor cores that are online in it.
        cpu_hz: what the fastest online core may clock at most; None for no limit.
        gpu_hz: the same of the GPU.
    """

    name: str
    id: int
    cores: tuple[int, ...]
    cpu_hz: float | None
    gpu_hz: float | None


@dataclass(frozen=True)
class Clocks:
    """Clocks and cores in force; None where they cannot be read.

    Attributes:
        cores: numbers of the cores that are online.
        cpu_hz, cpu_top_hz: limit of the fastest online core, and what its hardware can do.
        gpu_hz, gpu_top_hz: the same of the GPU.
    """

    cores: tuple[int, ...] = ()
    cpu_hz: float | None = None
    cpu_top_hz: float | None = None
    gpu_hz: float | None = None
    gpu_top_hz: float | None = None


# Core 0 and cores 3-5 are Cortex-A57, cores 1 and 2 are Denver 2. JetPack 4.6's /etc/nvpmodel.conf, which a container
# lacks.
TX2 = (
    Mode("MAXN", 0, (0, 1, 2, 3, 4, 5), 2.035e9, 1.300e9),
    Mode("MAXQ", 1, (0, 3, 4, 5), 1.2e9, 0.85e9),
    Mode("MAXP_CORE_ALL", 2, (0, 1, 2, 3, 4, 5), 1.4e9, 1.12e9),
    Mode("MAXP_CORE_ARM", 3, (0, 3, 4, 5), 2.0e9, 1.12e9),
    Mode("MAXP_CORE_DENVER", 4, (0, 1), 2.0e9, 1.12e9),
)


def known_modes(files: Files, assumed: tuple[Mode, ...], findings: list[Finding]) -> tuple[Mode, ...]:
    """The modes of a Jetson: those of its own nvpmodel.conf, else those that are assumed of its kind."""
    remedy = "The modes of JetPack 4.6 are assumed." if assumed else "What this board's modes mean is unknown."
    try:
        modes = parse(files.text(CONFIGURATION))
        if not modes:
            cause = f"{files.path(CONFIGURATION)} defines no power model"
            findings.append(Finding(Level.NOTE, cause, remedy))
    except Unreadable as error:
        findings.append(error.finding(remedy, Level.NOTE))
        modes = ()
    return modes or assumed


def parse(configuration: str) -> tuple[Mode, ...]:
    """The modes that an nvpmodel.conf (JetPack 4.2 and later) defines; other lines are passed over."""
    modes = []
    for block in re.split(r"<\s*POWER_MODEL\s+", configuration)[1:]:
        head = re.match(r"ID=(\d{1,9})\s+NAME=(\S+)\s*>", block)
        if head is None:
            continue
        body = block[head.end() :].split("<")[0]
        cores = [int(n) for n, on in re.findall(r"^CPU_ONLINE\s+CORE_(\d{1,9})\s+([01])\s*$", body, re.M) if on == "1"]
        cpu = [int(f) for f in re.findall(r"^CPU_(?!ONLINE)\w+\s+MAX_FREQ\s+(-?\d{1,15})\s*$", body, re.M)]
        gpu = [int(f) for f in re.findall(r"^GPU\s+MAX_FREQ\s+(-?\d{1,15})\s*$", body, re.M)]
        modes.append(Mode(head[2], int(head[1]), tuple(cores), _limit(cpu, 1000.0), _limit(gpu, 1.0)))
    return tuple(modes)


def _limit(values: Sequence[int], unit: float) -> float | None:
    """The highest of some clusters' limits in Hz; nvpmodel writes -1 for no limit."""
    return None if not values or min(values) < 0 else max(values) * unit


def fits(mode: Mode, clocks: Clocks) -> bool:
    """Whether clocks are those of a mode; what cannot be read contradicts nothing."""
    return (
        (not mode.cores or clocks.cores == mode.cores)
        and _agrees(mode.cpu_hz, clocks.cpu_hz, clocks.cpu_top_hz)
        and _agrees(mode.gpu_hz, clocks.gpu_hz, clocks.gpu_top_hz)
    )


def infer(modes: Sequence[Mode], clocks: Clocks) -> Mode | None:
    """The one mode whose cores and clocks are in force; None where none fits, or more than one."""
    if not clocks.cores or clocks.cpu_hz is None:
        return None
    found = [mode for mode in modes if fits(mode, clocks)]
    return found[0] if len(found) == 1 else None


def _agrees(wanted: float | None, real: float | None, top: float | None) -> bool:
    if real is None:
        return True
    goal = top if wanted is None else min(wanted, top or wanted)
    return goal is None or abs(real - goal) <= TOLERANCE * goal
