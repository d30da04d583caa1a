"""The thread that watches the machine: its meter ten times a second, its board once, nvpmodel now and then.

One thread does it all, for each that wakes up costs a robot something, and only twice a second where there is neither
meter nor modes; nvpmodel runs beside it and is collected when it has answered. A driver that hangs in the kernel holds
the thread: :meth:`Sampler.revive` then starts another one, which stays away from that file until the first one comes
back.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.board import BoardReader, BoardState
from fastdepth_ros.power.files import Abandoned, Files, Unreadable
from fastdepth_ros.power.ledger import Drawn, Frames, Ledger
from fastdepth_ros.power.meters import NONE, Channel, Meter, find_meter
from fastdepth_ros.power.meters.battery import Charge, charges
from fastdepth_ros.power.nvpmodel import Answer, Nvpmodel

PERIOD = 0.1
"""Seconds between two looks at the meter."""

STUCK = 1.0
"""Seconds that a read may take before its driver counts as hanging."""

REST = 0.5
"""Seconds after a frame from which on the machine counts as idle."""

MEMORY = 60.0
"""Seconds of idling that the idle power is averaged over."""

LONG_AGO = float("-inf")


class Periods(NamedTuple):
    """Seconds between two looks.

    Attributes:
        meter: at the meter.
        board: at the board.
        ask: between two calls of nvpmodel.
        search: between two searches for a better meter.
        idle: between two rounds on a machine that has neither meter nor modes.
    """

    meter: float = PERIOD
    board: float = 1.0
    ask: float = 5.0
    search: float = 5.0
    idle: float = 0.5


USUAL = Periods()


@dataclass
class Watch:
    """Facts about the machine. Fields are replaced, never changed in place: any thread may read them.

    Attributes:
        board: as it was seen last.
        answer: what ``nvpmodel -q`` said last; None where it was not asked.
        requested: the mode that nvpmodel was asked to set last, and how that ended.
        meter: where the power comes from.
        troubles: what is wrong with a rail that gave no reading the last time, by its name.
        findings: what else is to be told.
        batteries: their charge.
        idle: what each rail draws without frames, by name of the mode in force.
        looks: number of looks at the board.
    """

    board: BoardState = field(default_factory=BoardState)
    answer: Answer | None = None
    requested: tuple[str, Answer] | None = None
    meter: Meter = NONE
    troubles: dict[str, Finding] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    batteries: tuple[Charge, ...] = ()
    idle: dict[str, dict[str, Drawn]] = field(default_factory=dict)
    looks: int = 0


class Sampler:
    """Watches the machine. All times are monotonic [s].

    Args:
        files: where ``sys`` and ``etc`` are.
        nvpmodel: how to call it; None never to.
        clock: the time.
        periods: of its looks.
    """

    def __init__(
        self,
        files: Files,
        nvpmodel: Nvpmodel | None = None,
        clock: Callable[[], float] = time.monotonic,
        periods: Periods = USUAL,
    ) -> None:
        self._periods = periods
        self.files = files
        self.clock = clock
        self.watch = Watch()
        self.ledger = Ledger()
        self.frames = Frames()
        self.cost = 0.0
        """Processor time that watching has cost so far [s]."""
        self._nvpmodel = nvpmodel
        self._asked_for = ""
        self._wish: tuple[str, int] | None = None
        self._board = BoardReader()
        self._worked: set[str] = set()
        self._rounds: list[tuple[Channel, ...]] = [()]
        self._turn = 0
        self._searched = self._looked = self._asked = LONG_AGO
        self._stop = threading.Event()
        self._reader = files
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._stop.clear()
        self._begin(self.files.fresh())

    def stop(self) -> None:
        """Watch no more. A thread that hangs in a driver is left behind; it ends when the driver lets it go."""
        self._stop.set()
        self._reader.abandoned = True
        if self._thread is not None:
            self._thread.join(STUCK)
            self._thread = None
        if self._nvpmodel is not None:
            self._nvpmodel.close()
            self._asked_for = ""

    def request(self, name: str, number: int) -> None:
        """Have nvpmodel called once with ``-m``, for a mode's name and number."""
        self._wish = (name, number)

    def revive(self) -> None:
        """Start another thread where this one hangs in a file, which is avoided from now on. To be called often."""
        inside = self._reader.inside
        if self._thread is None or inside is None or time.monotonic() - inside[1] < STUCK:
            return
        self._reader.abandoned = True
        self.files.avoided.add(inside[0])
        self._begin(self.files.fresh())

    def _begin(self, reader: Files) -> None:
        self._reader = reader
        self._thread = threading.Thread(target=self._run, args=(reader,), name="power", daemon=True)
        self._thread.start()

    def _run(self, files: Files) -> None:
        due = time.monotonic()
        looks, spent = self.watch.looks, time.thread_time()
        while not self._stop.is_set() and not files.abandoned:
            try:
                self.round(files)
            except Abandoned:
                return
            except Exception as error:
                cause = f"watching the machine failed ({type(error).__name__}: {error})"
                self.watch.findings = (Finding(Level.WARN, cause, "Report it, with the files of this board."),)
            if looks != self.watch.looks:
                looks, used = self.watch.looks, time.thread_time()
                self.cost, spent = self.cost + used - spent, used
            now = time.monotonic()
            busy = bool(self.watch.meter.channels) or self.watch.board.has_nvpmodel
            due = max(due + (self._periods.meter if busy else self._periods.idle), now)
            # Waiting for an event costs twice as much as sleeping, and whoever stops us has a tenth of a second.
            if busy:
                time.sleep(due - now)
            else:
                self._stop.wait(due - now)
        files.close()

    def round(self, files: Files) -> None:
        """Do what is due now. Nine of ten rounds only measure: a processor that has just woken up is slow."""
        now = self.clock()
        survey = now - self._searched >= self._periods.search
        if survey:
            self._searched = now
            self._search(files)
            self._board.survey(files)
        self._measure(files, now)
        if survey or now - self._looked >= self._periods.board:
            self._look(files, now)
        tool = self._nvpmodel
        if tool is not None and (tool.busy or self._wish is not None or now - self._asked >= self._periods.ask):
            self._talk(tool, now)

    def _look(self, files: Files, now: float) -> None:
        """See what the board does now, and what the rails drew since the last look if no frame was computed."""
        before, since = self.watch.board.mode, self._looked
        findings: list[Finding] = []
        self.watch.batteries = tuple(charges(files, findings))
        self.watch.board = self._board.look(files, self.watch.answer)
        self.watch.findings = tuple(findings)
        self.watch.looks += 1
        self._looked, done = now, self.frames.last
        if since > LONG_AGO and self.watch.board.mode == before and (done is None or since - done > REST):
            self._rest(since, now)

    def _search(self, files: Files) -> None:
        """Find the meter, and what became of it since; one that has worked is not given up for another kind."""
        old, new = self.watch.meter, find_meter(files)
        if new.name == old.name:
            self.watch.meter = old.successor(new)
        elif new.channels and not self._worked:
            self.watch.meter = new
        channels, whole = self.watch.meter.channels, self.watch.meter.whole
        always = tuple(channel for channel in channels if channel.rail in whole)
        self._rounds = [(*always, channel) for channel in channels if channel.rail not in whole] or [always]

    def _measure(self, files: Files, now: float) -> None:
        """Read the rails that are the whole, and one of the others: five reads less, each of which costs."""
        self._turn += 1
        for channel in self._rounds[self._turn % len(self._rounds)]:
            rail = channel.rail
            try:
                piece = channel.energy(files, now)
            except Unreadable as error:
                found = Finding(self._level(rail, error), f"rail {rail}: {error}", channel.remedy)
                self.watch.troubles = {**self.watch.troubles, rail: found}
                continue
            if self.watch.troubles:
                self.watch.troubles = {name: told for name, told in self.watch.troubles.items() if name != rail}
            if piece is None:
                self._worked.add(rail)
            elif piece[0] < now:
                self.ledger.add(rail, piece[0], now, piece[1])

    def _level(self, rail: str, error: Unreadable) -> Level:
        """Level of a rail's trouble: a file that this user never could read is no news."""
        forbidden = error.code in (errno.EACCES, errno.EPERM) and rail not in self._worked
        return Level.NOTE if forbidden or not error.fault else Level.WARN

    def _rest(self, since: float, now: float) -> None:
        """Add to what the rails draw without frames in the mode in force."""
        mode = self.watch.board.mode
        name = mode.name if mode else ""
        known = self.watch.idle.get(name, {})
        mixed = dict(known)
        for rail, drawn in self.ledger.drawn([(since, now)]).items():
            before = known.get(rail, Drawn())
            fade = min(1.0, MEMORY / max(before.seconds + drawn.seconds, 1e-9))
            mixed[rail] = Drawn(before.joules * fade + drawn.joules, before.seconds * fade + drawn.seconds)
        self.watch.idle = {**self.watch.idle, name: mixed}

    def _talk(self, tool: Nvpmodel, now: float) -> None:
        """Start a call of nvpmodel, or take its answer."""
        wish = self._wish
        answer: Answer | None = None
        if tool.busy:
            answer = tool.poll(now)
        elif wish is not None:
            self._asked_for, self._wish = wish[0], None
            answer = tool.start(now, "-m", str(wish[1]))
        else:
            self._asked = now
            answer = tool.start(now, "-q") if self.watch.board.has_nvpmodel else None
        if answer is None:
            return
        if self._asked_for:
            self.watch.requested = (self._asked_for, answer)
            self._asked_for, self.watch.answer = "", None
            self._asked = self._looked = LONG_AGO  # look at once what has come of it
        else:
            self.watch.answer = answer
