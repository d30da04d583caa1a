"""Measures what gate, steadiness and scan add to a frame: by the module's functions and in numpy, in turns.

    python -m tools.filter_cost --frames 300

Pictures of the computed room, 640x480 raw; one thread. A frame goes into the network's input, is looked at, answered,
steadied, and made a scan of twice: with the camera at the scan's origin, and beside it, as tf says it of most robots.
What is printed is the processor time of each step: the median, and the least in brackets.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from fastdepth_ros.arguments import Bind
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import Band, Stand
from fastdepth_ros.filters.gate import Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.scan import ScanMaker
from fastdepth_ros.filters.steadiness import Steadiness
from fastdepth_ros.models import find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room
from fastdepth_ros.viewing import Viewing

RATE = 30.0
HEIGHT, PITCH = 1.5, 0.1
"""Height of the camera above the floor [m], and its angle below the horizon [rad]."""

BESIDE = 0.2, 0.05
"""Camera in the scan's frame, ahead and to the left [m]."""


class Way:
    """Filters of one kind, and the times that they took [ms]."""

    def __init__(self, engine: Engine, seen: Intrinsics, bind: Bind | None) -> None:
        self._engine = engine
        self._halves, self._gate = Halves(engine.input, bind), Gate()
        rows, columns = engine.input.shape[0] // 2, engine.input.shape[1] // 2
        self._steadiness = Steadiness((rows, columns), bind)
        here = Stand.level((0.0, math.cos(PITCH), math.sin(PITCH)), HEIGHT)
        camera = seen.scale(columns, rows)
        self._scans = {
            "scan": ScanMaker(camera, here, Band(), bind),
            "scan beside": ScanMaker(camera, here._replace(origin=BESIDE), Band(), bind),
        }
        self.times: dict[str, list[float]] = {}

    def frame(self, now: float) -> None:
        """Take a frame that was written into the network's input."""
        self._halves.show(self._engine.input)
        self._timed("gate", lambda: self._gate.look(self._halves, now))
        metres = np.array(self._engine.run())
        self._timed("steadiness", lambda: self._steadiness.steady(metres, self._halves, now, 0.5))
        for name, maker in self._scans.items():
            self._timed(name, lambda maker=maker: maker.ranges(metres))  # type: ignore[misc]

    def _timed(self, name: str, step: Callable[[], object]) -> None:
        began = time.thread_time_ns()
        step()
        self.times.setdefault(name, []).append((time.thread_time_ns() - began) / 1e6)


def main() -> None:
    """Print the times."""
    options = argparse.ArgumentParser("python -m tools.filter_cost", description=__doc__)
    options.add_argument("--frames", type=int, default=300)
    given = options.parse_args()
    cv2.setNumThreads(1)
    bundle = find_bundle()
    engine = Engine(module_for(bundle), 1)
    viewing = Viewing(bundle.manifest, engine.input)
    renderer = Renderer(build_room(), CAMERA)
    pictures = [Picture(renderer.render(pose_at(step / 75), step).picture, "rgb") for step in range(12)]
    pictures += pictures[-2:0:-1]
    geometry = viewing.geometry(pictures[0], CAMERA, None, "0")
    assert geometry.seen is not None
    ways = {"functions": Way(engine, geometry.seen, engine.bind), "numpy": Way(engine, geometry.seen, None)}
    for number in range(given.frames):
        for way in ways.values():
            viewing.prepare(pictures[number % len(pictures)], geometry)
            way.frame(number / RATE)
    for name in ways["numpy"].times:
        words = ", ".join(
            f"{kind} {np.median(way.times[name]):.3f} ms ({np.min(way.times[name]):.3f})" for kind, way in ways.items()
        )
        sys.stdout.write(f"{name}: {words}\n")


if __name__ == "__main__":
    main()
