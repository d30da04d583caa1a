"""Real state of the board: its model, the mode in force, its temperatures, and whether it throttles."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power import thermal
from fastdepth_ros.power.files import Files, Unreadable, parse_list
from fastdepth_ros.power.kinds import KINDS, LINUX, Kind, kind_of
from fastdepth_ros.power.modes import Clocks, Mode, fits, infer, known_modes
from fastdepth_ros.power.nvpmodel import Answer

TREE = "sys/firmware/devicetree/base"
CPUS = "sys/devices/system/cpu"
DEVFREQ = "sys/class/devfreq"


@dataclass(frozen=True)
class BoardState:
    """State of the board at one time.

    Attributes:
        kind: name of one of :data:`~fastdepth_ros.power.kinds.KINDS`.
        model: what its maker calls it.
        mode: the mode in force; None where it is unknown, or the board has no modes.
        mode_from: ``clocks`` or ``nvpmodel``; empty without a mode.
        modes: the modes that it knows; empty where that is unknown.
        clocks: cores and clocks in force.
        temperatures: of the thermal zones [degrees Celsius], by name.
        throttled: what holds the board back now, in words; empty where nothing does.
        findings: what could not be read.
    """

    kind: str = LINUX.name
    model: str = "unknown"
    mode: Mode | None = None
    mode_from: str = ""
    modes: tuple[Mode, ...] = ()
    clocks: Clocks = field(default_factory=Clocks)
    temperatures: dict[str, float] = field(default_factory=dict)
    throttled: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def has_nvpmodel(self) -> bool:
        """Whether the board has power modes."""
        return KINDS[self.kind].has_nvpmodel


class BoardReader:
    """Looks at the board: seldom at what it is, each time at what it does."""

    def __init__(self) -> None:
        self._thermal = thermal.Thermal()
        self._kind, self._model = LINUX, "unknown"
        self._modes: tuple[Mode, ...] = ()
        self._gpu: str | None = None
        self._tops: tuple[float | None, float | None] = (None, None)
        self._findings: list[Finding] = []

    def survey(self, files: Files) -> None:
        """See what board it is, which modes it knows, and where it shows what it does."""
        findings: list[Finding] = []
        self._kind = _kind(files, findings)
        self._model = _model(files, self._kind, findings)
        self._modes = known_modes(files, self._kind.modes, findings) if self._kind.has_nvpmodel else ()
        self._gpu = next((name for name in files.names(DEVFREQ) if _last(name) in self._kind.gpus), None)
        gpu_top = _fastest(files, f"{self._gpu}/available_frequencies", findings) if self._gpu else None
        if self._gpu is None and self._kind.has_nvpmodel:
            remedy = "The mode in force is judged by the processor alone; show this process /sys/class/devfreq."
            findings.append(Finding(Level.NOTE, f"{files.path(DEVFREQ)} shows no GPU", remedy))
        cores = _online(files, [])
        self._tops = _highest(files, cores, "cpuinfo_max_freq", findings), gpu_top
        self._thermal.survey(files, findings)
        self._findings = findings

    def look(self, files: Files, answer: Answer | None = None) -> BoardState:
        """Look at the board.

        Args:
            files: where ``sys`` and ``etc`` are.
            answer: what nvpmodel said last; None where it was not asked.
        """
        findings = list(self._findings)
        cores = _online(files, findings)
        cpu_hz = _highest(files, cores, "scaling_max_freq", findings)
        gpu_hz = _hertz(files, f"{self._gpu}/max_freq", 1.0, findings) if self._gpu else None
        clocks = Clocks(cores, cpu_hz, self._tops[0], gpu_hz, self._tops[1])
        temperatures, throttled = self._thermal.look(files, findings)
        mode, mode_from = _in_force(self._modes, clocks, answer, findings)
        if mode is None and self._kind.has_nvpmodel:
            remedy = "Make nvpmodel or /etc/nvpmodel.conf visible to this process, or compare the clocks by hand."
            findings.append(Finding(Level.NOTE, f"no known mode of this {self._model} fits its clocks", remedy))
        return BoardState(
            self._kind.name, self._model, mode, mode_from, self._modes, clocks, temperatures, throttled, tuple(findings)
        )


def _online(files: Files, findings: list[Finding]) -> tuple[int, ...]:
    name = f"{CPUS}/online"
    try:
        return parse_list(files.text(name))
    except Unreadable as error:
        findings.append(error.finding("The cores that are online are unknown without it."))
    except ValueError:
        findings.append(
            Finding(Level.WARN, f"{files.path(name)} holds no list of cores", "Mount the kernel's own /sys.")
        )
    return ()


def _highest(files: Files, cores: tuple[int, ...], name: str, findings: list[Finding]) -> float | None:
    """The highest of the cores' frequencies [Hz]; None where they have none, as in a virtual machine."""
    folders = [folder for core in cores if files.has(folder := f"{CPUS}/cpu{core}/cpufreq")]
    found = [_hertz(files, f"{folder}/{name}", 1000.0, findings) for folder in folders]
    return max((hertz for hertz in found if hertz), default=None)


def _kind(files: Files, findings: list[Finding]) -> Kind:
    compatible = ""
    try:
        compatible = files.text(f"{TREE}/compatible")
    except Unreadable as error:
        if files.has(TREE):
            findings.append(error.finding("The kind of board is guessed from its GPU instead."))
    return kind_of(compatible, [_last(name) for name in files.names(DEVFREQ)])


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _model(files: Files, kind: Kind, findings: list[Finding]) -> str:
    tree = files.has(TREE)
    names = [f"{TREE}/model"] if tree else ["sys/class/dmi/id/product_name"]
    for name in names:
        try:
            return files.text(name)
        except Unreadable as error:
            findings.append(error.finding("It holds the board's model, which is only shown.", Level.NOTE))
    return kind.title or platform.machine() or "unknown"


def _hertz(files: Files, name: str, unit: float, findings: list[Finding]) -> float | None:
    try:
        return files.number(name, low=1, high=10**11) * unit
    except Unreadable as error:
        findings.append(error.finding("The mode in force is judged by the other clocks."))
        return None


def _fastest(files: Files, name: str, findings: list[Finding]) -> float | None:
    try:
        return float(max(int(word) for word in files.text(name).split() if word.isdigit() and len(word) <= 15))
    except Unreadable as error:
        findings.append(error.finding("What the GPU can do at most is unknown without it.", Level.NOTE))
    except ValueError:
        path = files.path(name)
        findings.append(Finding(Level.NOTE, f"{path} holds no frequencies", "What the GPU can do at most is unknown."))
    return None


def _in_force(
    modes: tuple[Mode, ...], clocks: Clocks, answer: Answer | None, findings: list[Finding]
) -> tuple[Mode | None, str]:
    """The mode in force: what the clocks say, and what nvpmodel says where they do not contradict it."""
    seen = infer(modes, clocks)
    if answer is None or answer.fate != "done" or answer.name is None:
        return seen, "clocks" if seen else ""
    told = next((mode for mode in modes if mode.name == answer.name), None)
    if told is None:
        return Mode(answer.name, -1 if answer.id is None else answer.id, (), None, None), "nvpmodel"
    if fits(told, clocks):
        return told, "nvpmodel"
    what = f"are those of {seen.name}" if seen else "are not those of this mode"
    remedy = f"Set the mode again: sudo nvpmodel -m {told.id}; a hot board or another program may have changed clocks."
    findings.append(Finding(Level.WARN, f"nvpmodel says {told.name}, but the cores and clocks in force {what}", remedy))
    return seen, "clocks" if seen else ""
