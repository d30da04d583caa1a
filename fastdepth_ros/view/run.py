"""Looks at a node, and shows what it sees, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from fastdepth_ros.errors import FastDepthError, brief
from fastdepth_ros.harness.operator import NoNodeError
from fastdepth_ros.view import figures, listener, moment
from fastdepth_ros.view.knobs import KNOBS, NEEDED
from fastdepth_ros.view.listener import Heard, Listener
from fastdepth_ros.view.moment import Maker
from fastdepth_ros.view.page import Page

TELL_PERIOD = 0.5
"""Period in which figures are shown [s]."""

ASK_PERIOD = 2.0
"""Period in which the node is asked for its parameters, which others may set, too [s]."""

PATIENCE = 4.0
"""Time in which a service has to answer [s]."""

PICTURE_LOST = 1.0
"""Time after which a frame is shown although its picture was lost [s]."""

RATE_WINDOW = 3.0
"""Time over which the page's own rate is counted [s]."""


class Setter:
    """Hands values to the node in a thread of its own, the newest of each parameter: a slider moves faster than it.

    Args:
        heard: asks the node.
    """

    def __init__(self, heard: Listener) -> None:
        self._heard = heard
        self._wanted: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self, page: Page) -> None:
        """Begin; the page is told what the node has and refuses."""
        self._thread = threading.Thread(target=self._run, args=(page,), name="parameters", daemon=True)
        self._thread.start()

    def move(self, name: str, value: Any) -> None:
        """Have a parameter set soon."""
        with self._changed:
            self._wanted[name] = value
            self._changed.notify()

    def end(self) -> None:
        """End the thread; what was not set yet is not."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self, page: Page) -> None:
        known = False
        while not self._ended:
            with self._changed:
                wanted, self._wanted = self._wanted, {}
            try:
                if wanted:
                    page.refuse("; ".join(why for why in (self._set(*each) for each in wanted.items()) if why))
                if wanted or page.is_looked_at or not known:
                    self._refresh(page)
                    known = True
            except NoNodeError as error:
                if wanted:
                    page.refuse(str(error))
            except Exception as error:  # of what a browser sent, or of a node that is none of ours
                page.refuse(f"{brief(error)} ({type(error).__name__})")
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._wanted, ASK_PERIOD)

    def _set(self, name: str, value: Any) -> str:
        return self._heard.set(name, value, PATIENCE)

    def _refresh(self, page: Page) -> None:
        """Have the page show the node's values, but those that somebody moves at this moment."""
        values = self._heard.get((*(knob.name for knob in KNOBS), *NEEDED), PATIENCE)
        with self._changed:
            still = {name: value for name, value in values.items() if name not in self._wanted}
        page.set_parameters(still)


class Viewer:
    """Shows a node on a page.

    Args:
        heard: hears it.
        page: shows it.
        rate: frames a second that are shown at most.
    """

    def __init__(self, heard: Listener, page: Page, rate: float) -> None:
        self._heard, self._page = heard, page
        self._period = 1 / rate
        self._maker = Maker()
        self._stamp = -1
        self._age: float | None = None
        self._complaint = ""
        self._shown: deque[float] = deque()
        self._told = self._pictured = 0.0

    def run(self, stop: threading.Event) -> None:
        """Show what is new, until ``stop``. While nobody looks, nothing is heard but diagnostics."""
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._period, time.monotonic())
            self._heard.wanted = self._wanted()
            frame = self._heard.newest(self._stamp) if self._heard.wanted else None
            if frame is not None:
                self._show(frame)
            if time.monotonic() - self._told >= TELL_PERIOD:
                self._tell()

    def _wanted(self) -> tuple[str, ...]:
        if not self._page.is_looked_at:
            return ()
        shows = self._page.shows
        wanted = [listener.DEPTH, listener.DEPTH_INFO]
        wanted += [listener.IMAGE, listener.PICTURE_INFO] if moment.PICTURE in shows else []
        wanted += [listener.UNCERTAINTY] if moment.UNCERTAINTY in shows else []
        return tuple(wanted)

    def _show(self, frame: Heard) -> None:
        self._stamp, self._age = frame.stamp, frame.age
        if frame.image is not None:
            self._pictured = time.monotonic()
        elif listener.IMAGE in self._heard.wanted and time.monotonic() - self._pictured < PICTURE_LOST:
            return
        try:
            seen = self._maker.make(frame, self._page.coloured_by)
        except FastDepthError as error:  # anybody may publish on these topics
            self._complaint = str(error)
            return
        except Exception as error:  # what nobody thought of is said, too, and the page goes on
            self._complaint = f"{brief(error)} ({type(error).__name__}). Please report this."
            return
        self._complaint = seen.complaint
        self._page.show(seen)
        self._shown.append(time.monotonic())

    def _tell(self) -> None:
        now = self._told = time.monotonic()
        while self._shown and now - self._shown[0] > RATE_WINDOW:
            self._shown.popleft()
        rate = len(self._shown) / RATE_WINDOW
        statuses = self._heard.statuses
        rows = figures.rows_of(statuses, self._heard.numbers, self._age, rate)
        self._page.tell(rows, figures.problems_of(statuses, self._heard.silence, self._complaint))
