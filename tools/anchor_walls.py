"""Prints how straight walls are in the computed room, without and with measured points.

    python -m tools.anchor_walls vo:150 uniform:200

Walls, floor, carpet and ceiling are where the true depth shows a plane of 250 cells or more. What is printed is how far
answers are off their best plane there: root mean square over depth, means over the frames, once where each stands
alone, and once frame after frame as in the node, which remembers.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros import cdr
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.demo.simulated import Simulated
from fastdepth_ros.demo.truth import camera_of, read_at
from fastdepth_ros.evaluation.sensors import parse
from fastdepth_ros.messages.files import read_message
from fastdepth_ros.models import find_bundle
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.recording import Recording, find_camera
from fastdepth_ros.recording.depth import decode_depth
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.storage import writable_cache
from fastdepth_ros.scene.record import RATE, room_recording
from tools.anchors_picture import sight

EVERY = 5
"""Frames of the recording from one that is measured to the next."""

CELL = 2
"""Pixels of an answer along each side of a cell."""

FLAT, LEAST = 2e-4, 250
"""Second difference of inverse depth [1/m] below which cells are planar, and cells of a plane at least."""

Depth = npt.NDArray[np.floating]


class Wall(NamedTuple):
    """Cells of one plane.

    Attributes:
        cells: (rows, columns) whether each is of it.
        rays: (n, 3) of them; inverse depth on a plane is a sum of these.
    """

    cells: npt.NDArray[np.bool_]
    rays: Depth


def walls_of(truth: Depth, camera: Intrinsics) -> list[Wall]:
    """Planes of a true depth.

    Args:
        truth: (rows, columns) of cells [m], NaN where it is unknown.
        camera: of CELL times as many rows and columns.
    """
    near = 1 / truth
    bent = np.full(near.shape, np.inf)
    across = near[:, 2:] - 2 * near[:, 1:-1] + near[:, :-2]
    down = near[2:] - 2 * near[1:-1] + near[:-2]
    bent[1:-1, 1:-1] = np.abs(across[1:-1]) + np.abs(down[:, 1:-1])
    count, labels = cv2.connectedComponents((bent < FLAT).astype(np.uint8), connectivity=4)
    v, u = np.mgrid[0 : near.shape[0], 0 : near.shape[1]] * CELL + (CELL - 1) / 2
    rays = np.stack(((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)), -1)
    walls = [Wall(labels == number, rays[labels == number]) for number in range(1, count)]
    return [wall for wall in walls if len(wall.rays) >= LEAST and bend(truth, wall) < 0.01]


def bend(depth: Depth, wall: Wall) -> float:
    """Distance of a depth [m] from its best plane: root mean square over the mean of depth."""
    z = depth[wall.cells].astype(float)
    # Residuals of depth, from those of inverse depth.
    plane = np.linalg.lstsq(wall.rays * (z**2)[:, None], z, rcond=None)[0]
    return float(np.sqrt(np.mean((z - 1 / (wall.rays @ plane)) ** 2)) / z.mean())


def main(*sensors: str) -> None:
    """Print a line without anchors, and one for each set of sensors."""
    bundle = find_bundle()
    engine = open_engine(module_for(bundle))
    single: dict[str, list[float]] = {name: [] for name in ("", *sensors)}
    followed: dict[str, list[float]] = {name: [] for name in single}
    pipelines = {name: Pipeline(engine, bundle.manifest, Settings()) for name in single}
    with Recording.open(room_recording(writable_cache("recordings"))) as recording:
        topics = find_camera(recording)
        camera = camera_of(recording, topics)
        measured = {name: Simulated(recording, topics, camera, bundle.manifest, parse(name)) for name in sensors}
        truths = {cdr.stamp_of(m.data): m for m in recording.messages([topics.ground_truth.name])}
        for number, message in enumerate(recording.messages([topics.image.name])):
            stamp, picture = cdr.stamp_of(message.data), read_message(recording.decode(message))
            for name, pipeline in pipelines.items():
                given = sight(measured.get(name), stamp)
                frame = pipeline.run(picture, camera, anchors=given, now=number / RATE)
                if number % EVERY:
                    continue
                truth = read_at(decode_depth(recording.decode(truths[stamp])), camera, frame.intrinsics)
                walls = walls_of(truth[::CELL, ::CELL], frame.intrinsics)
                if not walls:
                    continue
                followed[name].append(bends(frame.depth, walls))
                fresh = Pipeline(engine, bundle.manifest, Settings())
                alone = fresh.run(picture, camera, anchors=given, now=0.0)
                single[name].append(bends(alone.depth, walls))
    for name, own in single.items():
        means = f"{100 * np.mean(own):.1f} %, frame after frame {100 * np.mean(followed[name]):.1f} %"
        sys.stdout.write(f"{name or 'alone':12} {means}  ({len(own)} frames)\n")


def bends(depth: Depth, walls: list[Wall]) -> float:
    """Mean of how far the walls of an answer are off their planes, by their sizes."""
    cells = depth[::CELL, ::CELL]
    return float(np.average([bend(cells, wall) for wall in walls], weights=[len(wall.rays) for wall in walls]))


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["vo:150", "uniform:200"]))
