"""Makes the picture of docs/steady.md, and measures what steadiness does to a camera that stands and to one that goes.

    python -m tools.steady_picture --picture docs/pictures/steady.jpg
    python -m tools.steady_picture --standing 40 FOLDER_OR_TAR_OR_RECORDING... [--every 20]
    python -m tools.steady_picture --walks 12
    python -m tools.steady_picture --cost 500

A camera that stands sees one picture over and over, with the noise of a sensor, a lamp that flickers and JPEG. One that
goes walks and turns in computed rooms, with exact depth. Recordings with depth: ``fastdepth eval --steadiness``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import colourise
from fastdepth_ros.evaluation.dataset import Frame, open_source
from fastdepth_ros.evaluation.evaluate import Options
from fastdepth_ros.evaluation.evaluate import run as evaluate_all
from fastdepth_ros.evaluation.frames import Labelled, is_recording, labelled
from fastdepth_ros.evaluation.steadied import MEASURES, SteadyStudy
from fastdepth_ros.filters.gate import Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.steadiness import Steadiness
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
from fastdepth_ros.scene.rooms.photo import develop, random_photo
from fastdepth_ros.scene.rooms.render import render
from fastdepth_ros.scene.rooms.writer import make_room
from fastdepth_ros.scene.shapes import Pose

SEED = 22
RATE = 30.0
FIRST = 10
"""Frames after which a mean over time is one."""

NOISE, LAMP, QUALITY = 3.0, 0.02, 90
"""Standard deviation of the sensor's noise, of 255; amplitude of the lamp's flicker; JPEG's quality."""

STEPS, SPEED, TURN = 24, 0.6, 20.0
"""Frames of a walk, its speed [m/s], and how fast it turns [degrees/s]."""

AMOUNTS = (0.5, 1.0)
WALL = {"min_depth": 0.0, "max_depth": 80.0}


class Answers:
    """The shipped network, which answers in cells."""

    def __init__(self) -> None:
        self.bundle = find_bundle()
        self.engine = open_engine(module_for(self.bundle))
        self.pipeline = Pipeline(self.engine, self.bundle.manifest, Settings(**WALL))

    def cells(self, pixels: np.ndarray, camera: Intrinsics | None) -> np.ndarray:
        """The answer alone, (rows, columns) [m]."""
        frame = self.pipeline.run(Picture(pixels, "rgb"), camera, depth=False, cloud=False, cells=True)
        assert frame.cells is not None
        return frame.cells.metres.copy()


def filmed(pixels: np.ndarray, rng: np.random.Generator, number: int) -> np.ndarray:
    """A picture as a camera that stands before it sends it, the n-th time."""
    light = 1 + LAMP * np.sin(2.3 * number)
    noisy = np.clip(pixels * light + rng.normal(0, NOISE, pixels.shape), 0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return np.ascontiguousarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1])


def stills(paths: list[Path], every: int) -> Iterator[tuple[str, np.ndarray, Intrinsics | None]]:
    """Set, pixels and camera of every n-th picture."""
    for path in paths:
        if is_recording(path):
            for number, (_, frame) in enumerate(labelled([path])):
                if number % every == 0:
                    yield path.name, frame.pixels, frame.camera
        else:
            for sample in open_source(path)[::every]:
                frame = sample.read()
                yield sample.set, frame.pixels, frame.camera


def measure_standing(paths: list[Path], every: int, frames: int) -> None:
    """Print how much log depth flickers before pictures that stand still: alone, and what steadiness leaves of it."""
    answers, rng = Answers(), np.random.default_rng(SEED)
    rows: dict[str, list[list[float]]] = {}
    for name, pixels, camera in stills(paths, every):
        filters = [Steadiness((112, 112)) for _ in AMOUNTS]
        series: list[list[np.ndarray]] = [[] for _ in range(1 + len(AMOUNTS))]
        for number in range(frames):
            alone = answers.cells(filmed(pixels, rng, number), camera)
            series[0].append(alone)
            for amount, filter_, own in zip(AMOUNTS, filters, series[1:], strict=True):
                own.append(alone.copy())
                filter_.steady(own[-1], Halves(answers.engine.input), number / RATE, amount)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = [float(np.nanmean(np.log(np.stack(own[FIRST:])).std(0))) for own in series]
        rows.setdefault(name, []).append(spread)
    for name, own in rows.items():
        spreads = np.array(own)
        left = ", ".join(
            f"{amount:g}: {share:.2f} (worst {worst:.2f})"
            for amount, share, worst in zip(
                AMOUNTS,
                (spreads[:, 1:] / spreads[:, :1]).mean(0),
                (spreads[:, 1:] / spreads[:, :1]).max(0),
                strict=True,
            )
        )
        words = f"{len(own)} pictures, sd of log depth {spreads[:, 0].mean():.4f}; left by {left}"
        sys.stdout.write(f"{name}: {words}\n")


def walk(number: int) -> Iterator[Labelled]:
    """A camera that goes forward and turns, in a random room."""
    rng = np.random.default_rng([SEED, number])
    room = make_room(SEED, number)
    camera, pose = random_camera(rng, room)
    photo, turn = random_photo(rng), np.radians(TURN / RATE) * rng.choice((-1, 1))
    for step in range(STEPS):
        light, depth = render(room.scene, camera, pose)
        pixels = filmed(develop(light, camera, photo), rng, step)
        yield Labelled(f"walk {number} {step}", Frame(pixels, np.asarray(depth, np.float32), camera))
        right, down, forward = pose.axes
        c, s = np.cos(turn), np.sin(turn)
        axes = np.stack((c * right - s * forward, down, c * forward + s * right))
        pose = Pose(pose.position + axes[2] * SPEED / RATE, axes)


def measure_walks(count: int) -> None:
    """Print the measures of `fastdepth eval --steadiness` over walks."""
    answers = Answers()
    for amount in AMOUNTS:
        found: dict[str, list[list[float]]] = {"alone": [], "steady": []}
        for number in range(count):
            study = SteadyStudy((112, 112), amount)
            evaluate_all(answers.engine, answers.bundle.manifest, walk(number), Options(), study.look)
            for name, own in study.summary().items():
                found[name].append([own[measure] for measure in MEASURES])
        for name, own in found.items():
            means = dict(zip(MEASURES, np.nanmean(np.array(own), axis=0), strict=True))
            words = ", ".join(f"{measure} {value:.4f}" for measure, value in means.items())
            sys.stdout.write(f"{count} walks, {amount:g}, {name}: {words}\n")


def measure_cost(rounds: int) -> None:
    """Print what gate and steadiness add to a frame beside the network [ms]: frames with and without them, in turns."""
    engine, manifest = (answers := Answers()).engine, answers.bundle.manifest
    renderer = Renderer(build_room(), CAMERA)
    pictures = [Picture(renderer.render(pose_at(step / 75), step).picture, "rgb") for step in range(12)]
    pictures += pictures[-2:0:-1]
    gate = Gate()
    ways = {
        "plain": (Pipeline(engine, manifest), False),
        "gate": (Pipeline(engine, manifest), True),
        "gate and steady": (Pipeline(engine, manifest, Settings(steadiness=0.5)), True),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        picture, now = pictures[number % len(pictures)], number / RATE
        for name, (pipeline, looks) in ways.items():
            look = partial(_good, gate, now) if looks else None
            stages = pipeline.run(picture, CAMERA, now=now, look=look).stages
            taken[name].append(sum(stages.values()) - stages["infer"])
    costs = {name: float(np.median(own)) * 1e3 for name, own in taken.items()}
    more = [costs["gate"] - costs["plain"], costs["gate and steady"] - costs["gate"]]
    sys.stdout.write(", ".join(f"{name} {cost:.3f} ms" for name, cost in costs.items()))
    sys.stdout.write("; the gate {:.3f} ms, steadiness {:.3f} ms more\n".format(*more))


def _good(gate: Gate, now: float, picture: Halves) -> bool:
    gate.look(picture, now)
    return True


def draw(out: Path) -> None:
    """Write the picture: a row of depth over time, alone and steadied, of a camera that stands and then goes."""
    answers, rng = Answers(), np.random.default_rng(SEED)
    renderer = Renderer(build_room(), CAMERA)
    stand, go = 36, 36
    rows: list[list[np.ndarray]] = [[], [], []]
    filters = [Steadiness((112, 112)) for _ in AMOUNTS]
    row, shown = 62, None
    for number in range(stand + go):
        pixels = renderer.render(pose_at(max(0, number - stand) / 75), number).picture
        shown = pixels if shown is None else shown
        alone = answers.cells(filmed(pixels, rng, number), CAMERA)
        for own, amount, filter_ in zip(rows, (0.0, *AMOUNTS), (None, *filters), strict=True):
            cells = alone.copy()
            if filter_ is not None:
                filter_.steady(cells, Halves(answers.engine.input), number / RATE, amount)
            own.append(np.log(cells[row]))
    assert shown is not None
    view = answers.bundle.manifest.view_of(640, 480)
    at = view.y + round((row + 0.5) / 112 * view.height)
    photo = shown[..., ::-1].copy()
    cv2.line(photo, (view.x, at), (view.x + view.width, at), (0, 0, 255), 3)
    side = 300
    panels = {"a row of cells": cv2.resize(photo, (side * 4 // 3, side), interpolation=cv2.INTER_AREA)}
    for name, own in zip(("off", *(f"{amount:g}" for amount in AMOUNTS)), rows, strict=True):
        log = np.stack(own)
        near, far = np.percentile(np.exp(log), (2, 98))
        depth = colourise(np.exp(log).astype(np.float32), float(near), float(far))
        change = np.clip(128 + 255 / 0.15 * np.diff(log, axis=0, prepend=log[:1]) / 2, 0, 255).astype(np.uint8)
        both = np.hstack((depth, cv2.cvtColor(change, cv2.COLOR_GRAY2BGR)))
        large = cv2.resize(both, (side, side), interpolation=cv2.INTER_NEAREST)
        cv2.line(large, (0, side * stand // (stand + go)), (side, side * stand // (stand + go)), (255, 255, 255), 1)
        panels[f"steadiness: {name}"] = large
    columns = []
    for name, panel in panels.items():
        cv2.putText(panel, name, (8, side - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(panel, name, (8, side - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        columns += [np.full((side, 10, 3), 255, np.uint8), panel]
    cv2.imwrite(str(out), np.hstack(columns[1:]), [cv2.IMWRITE_JPEG_QUALITY, 88])


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="*", help="pictures for --standing")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the picture")
    parser.add_argument("--standing", type=int, default=0, metavar="N", help="film each picture so many times")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every n-th picture")
    parser.add_argument("--walks", type=int, default=0, metavar="N", help="measure so many walks in computed rooms")
    parser.add_argument("--cost", type=int, default=0, metavar="N", help="measure the time of so many frames")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.picture:
        draw(args.picture)
    if args.standing:
        measure_standing(args.paths, args.every, args.standing)
    if args.walks:
        measure_walks(args.walks)
    if args.cost:
        measure_cost(args.cost)


if __name__ == "__main__":
    main()
