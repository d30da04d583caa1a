"""Power monitor: the object that watches for the node and the command, and tells in one piece what it saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.board import BoardState
from fastdepth_ros.power.files import Files
from fastdepth_ros.power.ledger import Drawn
from fastdepth_ros.power.meters.battery import Charge
from fastdepth_ros.power.modes import Mode
from fastdepth_ros.power.nvpmodel import Nvpmodel
from fastdepth_ros.power.profiles import Budget, Operation, Profile
from fastdepth_ros.power.sampler import USUAL, Periods, Sampler

WINDOW = 5.0
"""Seconds that the reported power is averaged over."""


@dataclass(frozen=True)
class PowerState:
    """The power of the machine, and what is to be said about it. Unknown figures are None, never 0.

    Attributes:
        board: its model, real mode, clocks and temperatures.
        profile: the profile in force.
        wanted: names of the modes that are right for the profile; empty where it does not matter.
        meter: where the watts come from; ``none`` where nothing measures them.
        rails: mean power of each rail [W] in the last window.
        watts: mean power of the whole machine in the last window [W].
        frames: frames computed in that window.
        work_watts: mean power of the whole while they were computed [W].
        idle_watts: what the machine draws without frames in this mode [W].
        active_watts: ``work_watts`` over ``idle_watts`` [W].
        frame_mj: energy of the whole for one frame, its share of the idle power included [mJ].
        active_frame_mj: energy of one frame over idle [mJ].
        batteries: how full they are.
        budget: what the profile expects.
        cost: part of one core that watching costs, 0 to 1.
        about_board: what is wrong or missing of the board and its mode, each with its remedy; warnings first.
        about_power: the same of the meter and of what it shows.
    """

    board: BoardState
    profile: str
    wanted: tuple[str, ...] = ()
    meter: str = "none"
    rails: Mapping[str, float] = field(default_factory=dict)
    watts: float | None = None
    frames: int = 0
    work_watts: float | None = None
    idle_watts: float | None = None
    active_watts: float | None = None
    frame_mj: float | None = None
    active_frame_mj: float | None = None
    batteries: tuple[Charge, ...] = ()
    budget: Budget = field(default_factory=Budget)
    cost: float = 0.0
    about_board: tuple[Finding, ...] = ()
    about_power: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is wrong or missing; warnings first."""
        return _in_order([*self.about_board, *self.about_power])

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that somebody should do something about."""
        return tuple(finding for finding in self.findings if finding.level is Level.WARN)


class PowerMonitor:
    """Watches the machine in a thread of its own, and checks it against a profile. It never writes to sysfs.

    Args:
        profile: the profile in force at first.
        root: where ``sys`` and ``etc`` are: ``/``, or a made-up tree.
        nvpmodel: program and arguments that go before ``-q`` and ``-m ID``.
        manage_mode: whether nvpmodel may be asked to set the mode of a profile, once for each change of profile.
        device: what the network runs on, ``cpu`` or ``cuda``.
        clock: the time [s], monotonic.
        periods: of its looks.

    Raises:
        SettingError: the command would raise privileges or start a shell.
    """

    def __init__(
        self,
        profile: Profile,
        root: str | Path = "/",
        nvpmodel: Sequence[str] = ("nvpmodel",),
        manage_mode: bool = False,
        device: str = "cpu",
        clock: Callable[[], float] = time.monotonic,
        periods: Periods = USUAL,
    ) -> None:
        self._tool = Nvpmodel(nvpmodel)
        self._clock = clock
        self.sampler = Sampler(Files(root), self._tool, clock, periods)
        self._manage = manage_mode
        self._device = device
        self._profile = profile
        self._to_request = manage_mode
        self._held = False
        self._started = clock()

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self._profile

    @property
    def operation(self) -> Operation:
        """Operation that the profile means on this board; before the first look at the board, that of plain Linux."""
        return self._profile.on(self.sampler.watch.board.kind)

    def start(self) -> None:
        """Begin to watch."""
        self._started = self._clock()
        self.sampler.start()

    def stop(self) -> None:
        """Watch no more."""
        self.sampler.stop()

    def wait(self, timeout: float = 2.0) -> bool:
        """Wait until the board was looked at; False where it took too long."""
        end = time.monotonic() + timeout
        while not self.sampler.watch.looks and time.monotonic() < end:
            self.sampler.revive()
            time.sleep(0.005)
        return bool(self.sampler.watch.looks)

    def select(self, profile: Profile) -> Operation:
        """Put another profile in force at once; where that is allowed, nvpmodel is asked for its mode meanwhile."""
        self._profile = profile
        self._to_request, self._held = self._manage, False
        self._request()
        return self.operation

    def frame(self, start: float, end: float) -> None:
        """Tell that a frame was computed from ``start`` to ``end`` [s, monotonic]."""
        self.sampler.frames.add(start, end)

    def snapshot(self, window: float = WINDOW) -> PowerState:
        """Tell what is known now. It is cheap and never blocks: the thread has read everything before.

        Args:
            window: over which power is averaged [s]; at most two minutes.
        """
        self.sampler.revive()
        watch, now = self.sampler.watch, self._clock()
        board, operation = watch.board, self.operation
        budget, whole = operation.budget(self._device), watch.meter.whole
        drawn = self.sampler.ledger.drawn([(now - window, now)])
        spans, frames = self.sampler.frames.work(now - window)
        work = _sum(self.sampler.ledger.drawn(spans), whole)
        total = _sum(drawn, whole)
        idle = _sum(watch.idle.get(board.mode.name if board.mode else "", {}), whole)
        seconds = sum(end - start for start, end in spans)
        active = work - idle if work is not None and idle is not None else None
        self._request()
        about_power = self._about_power(total if frames else None, budget)
        return PowerState(
            board=board,
            profile=self._profile.name,
            wanted=operation.modes,
            meter=watch.meter.name,
            rails={rail: watts for rail, amount in drawn.items() if (watts := amount.watts) is not None},
            watts=total,
            frames=frames,
            work_watts=work,
            idle_watts=idle,
            active_watts=active,
            frame_mj=work * seconds / frames * 1e3 if work is not None and frames else None,
            active_frame_mj=active * seconds / frames * 1e3 if active is not None and frames else None,
            batteries=watch.batteries,
            budget=budget,
            cost=self.sampler.cost / max(now - self._started, 1e-9),
            about_board=_in_order([*self._about_mode(), *_about_heat(board), *board.findings]),
            about_power=_in_order(about_power),
        )

    def _about_power(self, watts: float | None, budget: Budget) -> list[Finding]:
        """Findings about the meter, and about what it shows."""
        watch, findings = self.sampler.watch, []
        if watts is not None and budget.watts is not None and watts > budget.watts:
            cause = f"the board draws {watts:.1f} W, over the {budget.watts:g} W of {self._profile.name}"
            findings.append(
                Finding(Level.WARN, cause, "Lower max_rate, take a thriftier profile, or see what else runs.")
            )
        if not watch.meter.channels and watch.looks:
            remedy = "Power is not reported; mJ per frame needs an INA3221, RAPL or a battery that says what it gives."
            findings.append(Finding(Level.NOTE, "no power meter was found on this machine", remedy))
        return [*findings, *watch.troubles.values(), *watch.meter.findings, *watch.findings]

    def _target(self) -> Mode | None:
        """The mode that the profile asks for on this board; None where it asks for none, or none that is known."""
        known = {mode.name: mode for mode in self.sampler.watch.board.modes}
        return next((known[name] for name in self.operation.modes if name in known), None)

    def _request(self) -> None:
        """Have nvpmodel asked for the mode, once for each profile and where that is allowed and needed."""
        target, real = self._target(), self.sampler.watch.board.mode
        if not self._to_request or target is None:
            return
        self._to_request = False
        if real is None or real.name not in self.operation.modes:
            self.sampler.request(target.name, target.id)

    def _about_mode(self) -> list[Finding]:
        """Whether the board is in a mode that the profile wants, and what came of asking for it."""
        names, real = self.operation.modes, self.sampler.watch.board.mode
        if not names or not self.sampler.watch.looks:
            return []
        if real is not None and real.name in names:
            self._held = True
            return []
        target = self._target()
        name = target.name if target else names[0]
        fix = f"Run: sudo nvpmodel -m {target.id if target else f'ID, the number of {name} in /etc/nvpmodel.conf'}"
        if real is None:
            cause = f"power_profile {self._profile.name} expects mode {name}; which one is in force cannot be told"
        else:
            cause = f"power_profile {self._profile.name} expects mode {name}, but the board is in {real.name}"
        if real is not None and self._held:
            cause += f". It was in {name} before: somebody else changed it"
            fix += ". Let only one node manage the mode, and give all nodes of this board the same profile."
        findings = [Finding(Level.WARN, cause, fix)]
        requested = self.sampler.watch.requested
        if self._manage and requested and target and requested[0] == name and requested[1].fate != "done":
            call, answer = self._tool.words("-m", str(target.id)), requested[1]
            by_hand = "and confirm its question there" if answer.fate == "question" else "as a user who may"
            findings.append(Finding(Level.WARN, f"`{call}` {answer.fault}", f"{fix}, {by_hand}."))
        return findings


def _about_heat(board: BoardState) -> list[Finding]:
    remedy = "Cool the board better, feed it better, or take a thriftier profile."
    return [Finding(Level.WARN, f"throttled: {what}", remedy) for what in board.throttled]


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each once, warnings first."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.level is not Level.WARN))


def _sum(drawn: Mapping[str, Drawn], whole: tuple[str, ...]) -> float | None:
    """Mean power of the rails that are the whole; None where one of them was not measured."""
    watts = [drawn[rail].watts if rail in drawn else None for rail in whole]
    known = [value for value in watts if value is not None]
    return sum(known) if known and len(known) == len(watts) else None
