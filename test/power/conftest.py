"""A monitor on a made-up board whose clock is the test's own: rounds run when the test says so, at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from boards.tree import Tree

from fastdepth_ros.power import PowerMonitor, PowerState, load_profiles
from fastdepth_ros.power.sampler import PERIOD

PROFILES = load_profiles()


class Bench:
    """A monitor, and the time that it believes in."""

    def __init__(self, tree: Tree, profile: str = "max-n", **options) -> None:
        self.tree = tree
        self.now = 1000.0
        options.setdefault("nvpmodel", ["/nonexistent/nvpmodel"])
        self.monitor = PowerMonitor(PROFILES[profile], tree.root, clock=lambda: self.now, **options)

    def run(
        self, seconds: float = 1.0, frame: float = 0.0, rate: float = 30.0, each: Callable[[float], None] | None = None
    ) -> PowerState:
        """Let time pass, round by round.

        Args:
            frame: how long computing a frame takes [s]; 0 for no frames.
            rate: of the frames [Hz].
            each: called before each round with the time since the last one [s], to change the tree.
        """
        end = self.now + seconds
        due = self.now
        while self.now < end - 1e-9:
            self.now = min(end, self.now + PERIOD)
            while frame and due + frame <= self.now + 1e-9:
                self.monitor.frame(due, due + frame)
                due += 1 / rate
            if each:
                each(PERIOD)
            self.monitor.sampler.round(self.monitor.sampler.files)
        return self.monitor.snapshot()

    def told(self, window: float = 2.0) -> str:
        """All findings, as one text."""
        return "\n".join(str(finding) for finding in self.monitor.snapshot(window).findings)


@pytest.fixture
def bench():
    made = []

    def make(tree: Tree, profile: str = "max-n", **options) -> Bench:
        made.append(Bench(tree, profile, **options))
        return made[-1]

    yield make
    for one in made:
        one.monitor.stop()
