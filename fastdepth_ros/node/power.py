"""The node's side of the power room: the profile in force, its budget held, and what is said of it."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from fastdepth_ros.diagnostics.monitor import Report
from fastdepth_ros.diagnostics.power import board_status, budget_status, performance, power_status
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.diagnostics.windows import MOST, percentile
from fastdepth_ros.errors import SettingError
from fastdepth_ros.parameters import FROM_PROFILE, Parameters, affinity_of, command_of, profiles_of
from fastdepth_ros.power import Decision, Finding, Governor, PowerMonitor, Profiles, load_profiles, process
from fastdepth_ros.power.profiles import BUILT_IN
from fastdepth_ros.power.sampler import USUAL, Periods
from fastdepth_ros.runtime.engine import max_threads

FIRST_LOOK = 0.5
"""Seconds that the node waits at its start to learn what board it is on; it needs a hundredth of that."""


class Niceness(NamedTuple):
    """Niceness of the whole process, and of its threads that compute: who starts a thread may leave his behind."""

    process: int
    worker: int


class Answered(NamedTuple):
    """An answer to an image, as it was published.

    Attributes:
        begun, ended: when it was computed and published [s, ``time.perf_counter``].
        age: of it then [s, node's clock].
        own: what of that is the node's [s].
        parameters: with which it was computed.
    """

    begun: float
    ended: float
    age: float
    own: float
    parameters: Parameters


Ages = tuple[float, float]
"""Ages of a depth map when it was published, and of its image when it came in [s]."""


def _notes() -> deque[Ages]:
    """For what the governor judges next, which it does not while the node's clock stands."""
    return deque(maxlen=MOST)


def _usable(parameters: Parameters) -> tuple[Profiles, Parameters]:
    """The profiles, and parameters that fit them; the built-in ones where a file is spoilt.

    The node refuses to configure then.
    """
    try:
        profiles = profiles_of(parameters.power_file)
        profiles.find(parameters.power_profile)
        return profiles, parameters
    except SettingError:
        return load_profiles(BUILT_IN), replace(parameters, power_profile=Parameters().power_profile)


class NodePower:
    """Holds a power profile in force. Only :meth:`arrived` and :meth:`answered` are not for the executor's thread.

    Args:
        parameters: of the node, at its start.
        now: the time in the node's clock [s].
        periods: of the looks at the machine.

    Raises:
        SettingError: nvpmodel_command or cpu_affinity is not allowed.
    """

    def __init__(self, parameters: Parameters, now: Callable[[], float], periods: Periods = USUAL) -> None:
        max_threads()  # remembers how many cores there are, before a profile takes some away
        self._device = "cuda" if parameters.target.startswith("cuda") else "cpu"
        self._profiles, parameters = _usable(parameters)
        self._monitor = PowerMonitor(
            self._profiles.find(parameters.power_profile),
            parameters.board_root,
            command_of(parameters.nvpmodel_command),
            parameters.manage_board_mode,
            self._device,
            periods=periods,
        )
        self._now = now
        self._at = now()
        self._governor = Governor(None, clock=lambda: self._at)
        self._noted = _notes()
        self._arrivals = self._judged_arrivals = 0
        self._since = self._at
        self._decided = -math.inf
        self._judged = -math.inf
        self._cores: tuple[int, ...] | None = None
        self._niceness = 0
        self._about_cores: list[Finding] = []
        self._about_niceness: list[Finding] = []
        self._switched: float | None = None
        self._took: float | None = None
        self._monitor.start()
        self._monitor.wait(FIRST_LOOK)
        self.apply(parameters)

    @property
    def decision(self) -> Decision:
        """Decision of the governor: how many images are answered at most, on how many threads, and why."""
        return self._governor.decision

    @property
    def effective(self) -> Parameters:
        """The node's parameters, with the threads and the rate that profile and governor leave.

        The profile gives the threads where the owner does not, and the lower of two limits of the rate holds.
        """
        return self.leave(self._parameters, self.decision.rate)

    def leave(self, parameters: Parameters, max_rate: float) -> Parameters:
        """Parameters of one of the node's cameras, with the threads that are left, and its share of the rate [Hz]."""
        threads = self._parameters.threads or min(self._monitor.operation.threads, max_threads())
        return replace(parameters, threads=1 if self.decision.single else threads, max_rate=max_rate)

    @property
    def niceness(self) -> Niceness:
        """Niceness in force: of profile and parameter, the one that leaves more to others.

        The process gets that of a profile only where this user may take it back with the next profile.
        """
        own = self._parameters.niceness
        wanted = own if self.decision.insists else max(own, self._monitor.operation.niceness)
        return Niceness(wanted if process.may_return_to(own) else own, wanted)

    def close(self) -> None:
        """Watch the machine no more."""
        self._monitor.stop()

    def apply(self, parameters: Parameters) -> None:
        """Put the profile, the cores and the niceness of the parameters in force."""
        self._parameters, self._at = parameters, self._now()
        profile = self._profiles.find(parameters.power_profile)
        if profile is not self._monitor.profile:
            self._switched, self._took = time.perf_counter(), None
            self._monitor.select(profile)
        operation = self._monitor.operation
        cores = operation.cores if parameters.cpu_affinity == FROM_PROFILE else affinity_of(parameters.cpu_affinity)
        if cores != self._cores:
            self._cores = cores
            self._about_cores = process.set_cores(cores)
        limits = [rate for rate in (parameters.max_rate, operation.max_rate) if rate > 0]
        several = (self.effective.threads or len(os.sched_getaffinity(0))) > 1
        nice = operation.niceness > parameters.niceness
        self._governor.set(self.age_budget, min(limits, default=0.0), several, nice)
        self._leave()

    def _leave(self) -> None:
        """Leave to others what profile and governor want."""
        niceness = self.niceness.process
        if niceness != self._niceness:
            self._niceness = niceness
            self._about_niceness = process.set_niceness(niceness)

    def answered(self, answer: Answered) -> None:
        """Take note of an answer. For the worker's thread."""
        if self._switched is not None and answer.parameters.power_profile == self._parameters.power_profile:
            self._took, self._switched = answer.ended - self._switched, None
        self._monitor.frame(answer.begun, answer.ended)
        if answer.ended - answer.own >= self._decided:  # what came in before says nothing of what was decided
            self._noted.append((answer.age, answer.age - answer.own))

    def arrived(self, count: int = 1) -> None:
        """Images came in. For the worker's thread."""
        self._arrivals += count

    def judge(self, now: float, busy_since: float | None = None) -> bool:
        """See whether it is time to decide anew; whether :attr:`effective` is another one now.

        Args:
            now: in the node's clock [s].
            busy_since: since when the worker has been at its frame [s, ``time.perf_counter``]; None where it has none.
        """
        self._at = now
        if busy_since is not None and busy_since != self._judged:
            pending = time.perf_counter() - busy_since
            if self._governor.overdue(pending):
                self._judged = busy_since
                self._noted.append((pending, 0.0))
                return self._decide()
        return self._governor.ready(len(self._noted)) and self._decide()

    def _decide(self) -> bool:
        """Let the governor judge what was noted; whether :attr:`effective` is another one now."""
        noted, self._noted = self._noted, _notes()
        now, before = self._at, self.decision
        seconds = max(now - self._since, 1e-3)
        age, arrival = (percentile(sorted(numbers), 0.95) for numbers in zip(*noted, strict=True))
        arrivals = self._arrivals
        asked = (arrivals - self._judged_arrivals) / seconds
        after = self._governor.update(age, arrival, asked, len(noted) / seconds)
        self._judged_arrivals, self._since = arrivals, now
        self._leave()
        if (after.rate, after.single, after.insists) == (before.rate, before.single, before.insists):
            return False
        self._decided = time.perf_counter()
        return True

    @property
    def age_budget(self) -> float | None:
        """The p95 of the depth's age that the profile allows on this board [s]; None where it says nothing."""
        age = self._monitor.operation.budget(self._device).age_ms
        return None if age is None else age / 1e3

    def report(self, report: Report) -> tuple[list[Status], dict[str, float]]:
        """Say of budget, power and board what there is to say, in words and as plain numbers."""
        state = self._monitor.snapshot()
        findings = [*self._about_cores, *self._about_niceness]
        statuses = [
            budget_status(report, state.profile, state.budget, self.decision, findings, self._in_force),
            power_status(state),
            board_status(state),
        ]
        return statuses, performance(report, state, self.decision, self._took)

    @property
    def _in_force(self) -> dict[str, str]:
        whole, worker = self.niceness
        alone = "" if whole == worker else f", of the network alone: this user could not take it back from {whole}"
        values = {"niceness": f"{worker}{alone}"}
        if self._took is not None:
            values["profile took hold after [ms]"] = f"{self._took * 1e3:.1f}"
        return values
