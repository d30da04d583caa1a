"""Makes the picture of docs/nav2.md, and says how far scans are from those of exact depth.

    python -m tools.nav2_picture docs/pictures/nav2.png

A robot stands in the project's computed room at several places, its camera 0.45 m above the floor; then a camera is
carried through it by hand, at 1.5 m. Scans come from exact depth, from the shipped bundle alone, and from it with the
floor as its anchor (``camera_height``).
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.colours import colourise
from fastdepth_ros.filters.band import Band, Stand
from fastdepth_ros.filters.scan import ScanMaker
from fastdepth_ros.models import find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Cells, Pipeline
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import LENGTH, WIDTH, build_room
from fastdepth_ros.scene.shapes import Pose

HEIGHT, PITCH = 0.45, 0.1
PLACES = ((1.4, 0.5, 0.25), (2.4, 0.5, 0.0), (3.4, 0.6, -0.25), (2.4, 1.2, 0.6), (1.0, 1.5, -0.5), (3.8, 1.0, 0.4))
"""x and y in the room [m], and how far the robot looks to the left [rad]."""
CARRIED = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of the hand-held camera's way."""
SHOWN = 1
ROWS, GAP = 330, 12
GROUND, INK = (34, 31, 28), (235, 235, 235)
COLOURS = {"exact depth": (235, 235, 235), "network alone": (90, 110, 250), "with camera_height": (120, 220, 90)}
BAND = Band(0.1, 1.0, 0.1, 10.0)
Scan = tuple[np.ndarray, np.ndarray]


def main(out: Path) -> None:
    """Write the picture, and print the errors of all places."""
    camera = Robot()
    for name, poses in (
        ("a robot's camera", [stands_at(*place) for place in PLACES]),
        ("a camera in the hand", [pose_at(share) for share in CARRIED]),
    ):
        compare(name, [camera.look(pose).scans for pose in poses])
    look = camera.look(stands_at(*PLACES[SHOWN]))
    seen = cv2.resize(np.ascontiguousarray(look.picture[..., ::-1]), (440, ROWS), interpolation=cv2.INTER_AREA)
    depth = cv2.resize(colourise(look.metres), (440, ROWS), interpolation=cv2.INTER_NEAREST)
    gap = np.full((ROWS, GAP, 3), 255, np.uint8)
    row = np.hstack((seen, gap, depth, gap, plan(look.scans, PLACES[SHOWN])))
    cv2.imwrite(str(out), row, [cv2.IMWRITE_PNG_COMPRESSION, 9])


class Look(NamedTuple):
    """Sight of a place: the picture, depth of the network alone [m], and scans by name."""

    picture: np.ndarray
    metres: np.ndarray
    scans: dict[str, Scan]


class Robot:
    """A camera in the computed room, whose place above the floor is known."""

    def __init__(self) -> None:
        self._renderer, self._bundle = Renderer(build_room(), CAMERA), find_bundle()
        self._engine = open_engine(module_for(self._bundle))

    def look(self, pose: Pose) -> Look:
        """Scans of one place."""
        frame = self._renderer.render(pose, 0)
        stand = Stand.level(tuple(float(each) for each in -pose.axes[:, 2]), float(pose.position[2]))
        alone = self._answer(frame.picture)
        anchored = self._answer(frame.picture, FloorMeasurement(stand.down, stand.height))
        view = alone.view
        cut = frame.depth[view.y : view.y + view.height, view.x : view.x + view.width].astype(np.float32)
        exact = cv2.resize(cut, alone.metres.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        maker = ScanMaker(alone.seen.scale(*alone.metres.shape[::-1]), stand, BAND)
        angles = maker.angle_min + maker.angle_increment * np.arange(maker.count)
        maps = dict(zip(COLOURS, (exact, alone.metres, anchored.metres), strict=True))
        scans = {name: (angles, maker.ranges(metres)) for name, metres in maps.items()}
        return Look(frame.picture, alone.metres, scans)

    def _answer(self, picture: np.ndarray, floor: FloorMeasurement | None = None) -> Cells:
        anchors = (lambda metres, seen: [floor.sight(metres, seen, 0.0).anchors]) if floor else ()
        pipeline = Pipeline(self._engine, self._bundle.manifest)
        return pipeline.run(
            Picture(picture, "rgb"), CAMERA, depth=False, cloud=False, anchors=anchors, cells=True
        ).cells


def compare(camera: str, scans: list[dict[str, Scan]]) -> None:
    """Print how far ranges are from those of exact depth."""
    exact, *others = COLOURS
    for name in others:
        with np.errstate(invalid="ignore"):
            off = np.concatenate([scan[name][1] / scan[exact][1] - 1 for scan in scans])
        known = np.isfinite(off)
        sizes = np.abs(off[known])
        sys.stdout.write(
            f"{camera}, {name}: {known.sum()} of {len(off)} rays; off by {100 * np.median(off[known]):+.1f} % (median),"
            f" {100 * np.median(sizes):.1f} % (median of sizes); within a quarter:"
            f" {100 * np.mean(sizes < 0.25):.0f} %\n"
        )


def stands_at(x: float, y: float, left: float) -> Pose:
    """The robot's pose in the room, whose floor is z = 0 and whose far wall is at the end of y."""
    ahead = np.array((-math.sin(left), math.cos(left), 0.0))
    right = np.array((math.cos(left), math.sin(left), 0.0))
    forward = math.cos(PITCH) * ahead - math.sin(PITCH) * np.array((0.0, 0.0, 1.0))
    return Pose(np.array((x, y, HEIGHT)), np.stack((right, np.cross(forward, right), forward)))


def plan(scans: dict[str, Scan], place: tuple[float, float, float]) -> np.ndarray:
    """The room from above, with the scans in it."""
    scale = (ROWS - 20) / LENGTH
    panel = np.full((ROWS, round(WIDTH * scale) + 20, 3), GROUND, np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(10 + scale * x), round(ROWS - 10 - scale * y)

    cv2.rectangle(panel, at(0, 0), at(WIDTH, LENGTH), (90, 90, 90), 1)
    x, y, left = place
    cv2.circle(panel, at(x, y), 5, INK, -1, cv2.LINE_AA)
    for row, (name, (angles, ranges)) in enumerate(scans.items()):
        for angle, distance in zip(angles, ranges, strict=True):
            if np.isfinite(distance):
                turned = angle + left
                cv2.circle(
                    panel, at(x - distance * math.sin(turned), y + distance * math.cos(turned)), 2, COLOURS[name], -1
                )
        cv2.putText(
            panel, name, (16, ROWS - 50 + 14 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, COLOURS[name], 1, cv2.LINE_AA
        )
    return panel


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/nav2.png"))
