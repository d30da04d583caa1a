"""Makes the picture of docs/edges.md, and measures what `edges` does near edges, against exact depth of computed rooms.

    python -m tools.edges_picture --picture docs/pictures/edges.jpg
    python -m tools.edges_picture --rooms 36
    python -m tools.edges_picture --cost 200

Pictures are of 640x480 pixels, depth is in their grid. Answers are brought to the truth's median first: what is asked
for is the shape near edges, and not the scale.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import colourise
from fastdepth_ros.evaluation.steadied import EDGE
from fastdepth_ros.models import find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room
from fastdepth_ros.scene.rooms.cameras import random_camera
from fastdepth_ros.scene.rooms.kinds import FURNISHED
from fastdepth_ros.scene.rooms.photo import develop, random_photo
from fastdepth_ros.scene.rooms.render import render
from fastdepth_ros.scene.rooms.writer import make_room

SEED = 777
WORDS = ("keep", "remove", "guided")
AROUND = 15
"""Rows and columns of pixels around an edge that are near it."""

NEAR, REACH, EVERY = 0.1, 3, 5
"""A point flies if no true surface within so many steps of so many pixels has its depth within 10 %."""


def photograph(number: int) -> tuple[np.ndarray, np.ndarray, Intrinsics]:
    """Picture, exact depth [m] and camera of a random room, hall or seat, in turns."""
    kind = FURNISHED[number % len(FURNISHED)]
    rng = np.random.default_rng([SEED, number, 1])
    room = make_room(SEED, number, kind)
    camera, pose = random_camera(rng, room, kind)
    camera = camera.scale(2 * camera.width, 2 * camera.height)
    light, depth = render(room.scene, camera, pose)
    return develop(light, camera, random_photo(rng, kind)), depth, camera


def make_pipeline() -> Pipeline:
    """The shipped bundle, answering in the camera's grid."""
    bundle = find_bundle()
    return Pipeline(open_engine(module_for(bundle)), bundle.manifest)


def settings_of(edges: str, max_depth: float = 80.0) -> Settings:
    """Settings of a measurement."""
    return Settings("camera", edges=edges, min_depth=0.0, max_depth=max_depth, cloud="xyz")


def near_edges(truth: np.ndarray) -> np.ndarray:
    """Pixels near a step of the true depth."""
    known = truth > 0
    log = np.log(np.where(known, truth, 1)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    steps = (cv2.dilate(log, kernel) - cv2.erode(log, kernel) > EDGE) & known
    return cv2.dilate(steps.astype(np.uint8), np.ones((AROUND, AROUND), np.uint8)) > 0


def flying(depth: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Points of every n-th pixel that lie between the true surfaces around them, and on none of them."""
    answer, true = (
        np.where(each > 0, np.log(np.where(each > 0, each, 1)), np.nan) for each in (depth[::EVERY, ::EVERY], truth)
    )
    around = np.pad(true[::EVERY, ::EVERY], REACH, constant_values=np.nan)
    rows, columns = answer.shape
    parts = [around[i : i + rows, j : j + columns] for i in range(2 * REACH + 1) for j in range(2 * REACH + 1)]
    nearest = np.full(answer.shape, np.inf)
    low, high = np.full(answer.shape, np.inf), np.full(answer.shape, -np.inf)
    for part in parts:
        nearest = np.fmin(nearest, np.abs(answer - part))
        low, high = np.fmin(low, part), np.fmax(high, part)
    return (nearest > NEAR) & (high - low > EDGE) & (answer > low) & (answer < high)


def measure_rooms(count: int) -> None:
    """Print delta1 and RMSE near edges and of all, the share of points that fly, and what was taken out."""
    pipeline = make_pipeline()
    rows: dict[str, list[list[float]]] = {word: [] for word in WORDS}
    for number in range(count):
        pixels, truth, camera = photograph(number)
        near, scale = near_edges(truth), 1.0
        for word in WORDS:
            pipeline.settings = settings_of(word)
            depth = pipeline.run(Picture(pixels, "rgb"), camera, cloud=False).depth
            assert depth is not None
            both = (depth > 0) & (truth > 0)
            if word == "keep":
                answered, scale = both.sum(), float(np.median(truth[both]) / np.median(depth[both]))
            scaled = np.where(both, scale * depth, np.nan)
            error, metres = np.abs(np.log(scaled / np.where(both, truth, 1))), scaled - truth
            points = np.isfinite(scaled[::EVERY, ::EVERY])
            rows[word].append(
                [
                    *((error[at & both] < np.log(1.25)).mean() for at in (near, both)),
                    *(np.sqrt(np.square(metres[at & both]).mean()) for at in (near, both)),
                    flying(scaled, truth).sum() / points.sum(),
                    1 - both.sum() / answered,
                ]
            )
    names = ("delta1 near edges", "of all", "RMSE near edges [m]", "of all", "flying", "taken out")
    for word, own in rows.items():
        means = np.nanmean(np.array(own), axis=0)
        words = ", ".join(f"{name} {mean:.4f}" for name, mean in zip(names, means, strict=True))
        sys.stdout.write(f"{count} pictures, {word}: {words}\n")


def measure_cost(rounds: int) -> None:
    """Print the processor time of frames beside the network, in turns, depth alone in the camera's grid [ms]."""
    pipeline = make_pipeline()
    picture = Picture(Renderer(build_room(), CAMERA).render(pose_at(0.3), 0).picture, "rgb")
    taken: dict[str, list[float]] = {f"{size} {word}": [] for size in ("native", "camera") for word in WORDS}
    for _ in range(rounds):
        for name, own in taken.items():
            size, word = name.split()
            pipeline.settings = Settings(size, edges=word)  # type: ignore[arg-type]
            begun = time.thread_time()
            frame = pipeline.run(picture, CAMERA, cloud=False)
            own.append(time.thread_time() - begun)
            del frame
    for name, own in taken.items():
        sys.stdout.write(f"{name}: {np.median(own) * 1e3:.3f} ms with the network\n")


def draw(out: Path, number: int) -> None:
    """Write the picture: a room, a part of its depth with each of the words, and the true one."""
    pipeline = make_pipeline()
    pixels, truth, camera = photograph(number)
    depths = {}
    for word in WORDS:
        pipeline.settings = settings_of(word)
        depth = pipeline.run(Picture(pixels, "rgb"), camera, cloud=False).depth
        assert depth is not None
        depths[f"edges: {word}"] = depth.copy()
    both = (depths["edges: keep"] > 0) & (truth > 0)
    scale = np.median(depths["edges: keep"][both]) / np.median(truth[both])
    depths["exact"] = np.where(truth > 0, truth * scale, np.nan).astype(np.float32)
    edges = cv2.blur(near_edges(truth)[60:420, 80:560].astype(np.float32), (181, 181), borderType=cv2.BORDER_CONSTANT)
    y, x = (at + side - 90 for at, side in zip(np.unravel_index(edges.argmax(), edges.shape), (60, 80), strict=True))
    y, x = int(np.clip(y, 24, 270)), int(np.clip(x, 30, 430))
    part = slice(y, y + 180), slice(x, x + 180)
    near, far = (float(value) for value in np.nanpercentile(depths["exact"][part], (1, 99)))
    photo = pixels[..., ::-1].copy()
    cv2.rectangle(photo, (x, y), (x + 180, y + 180), (0, 0, 255), 3)
    panels = {"picture": photo[part]}
    panels |= {name: colourise(depth[part], near, far) for name, depth in depths.items()}
    row = [cv2.resize(photo, (360, 270), interpolation=cv2.INTER_AREA)]
    for name, panel in panels.items():
        large = cv2.resize(np.ascontiguousarray(panel), (270, 270), interpolation=cv2.INTER_NEAREST)
        cv2.putText(large, name, (8, 260), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(large, name, (8, 260), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        row += [np.full((270, 8, 3), 255, np.uint8), large]
    cv2.imwrite(str(out), np.hstack(row), [cv2.IMWRITE_JPEG_QUALITY, 88])


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the picture")
    parser.add_argument("--number", type=int, default=6, help="of the room in it [%(default)s]")
    parser.add_argument("--rooms", type=int, default=0, metavar="N", help="measure on so many pictures")
    parser.add_argument("--cost", type=int, default=0, metavar="N", help="measure the time of so many frames")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.picture:
        draw(args.picture, args.number)
    if args.rooms:
        measure_rooms(args.rooms)
    if args.cost:
        measure_cost(args.cost)


if __name__ == "__main__":
    main()
