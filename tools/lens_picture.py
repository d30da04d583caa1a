"""Makes the picture of docs/lens.md, and measures what undoing a lens costs: accuracy in computed rooms, and time.

    python -m tools.lens_picture --picture docs/pictures/lens.jpg
    python -m tools.lens_picture --turned docs/pictures/turned.jpg
    python -m tools.lens_picture --rooms 48 --lying 48
    python -m tools.lens_picture --cost 2000

OpenCV bends the pictures, the pipeline straightens them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.colours import colourise
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.lens.distortion import Distortion
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.lens.warp import Warp
from fastdepth_ros.mask import parse_mask
from fastdepth_ros.models import find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.rooms.writer import CAMERAS, make_room, photograph

SEED, SHOWN = 22, 3
LENSES = {
    "plumb_bob": Distortion("plumb_bob", (-0.3, 0.1, 0.001, -0.001, 0.0)),
    "equidistant": Distortion("equidistant", (-0.02, 0.01, -0.003, 0.0)),
}
SHRUNK = 1.1
"""Focal length of the bent picture, as a share of the straight one's: so both show about the same of the room."""

SIDE, GAP = 320, 10
BODY = "75 319, 75 240, 165 240, 165 319"
"""Polygon that is masked in the picture."""


def bend(
    picture: np.ndarray, camera: Intrinsics, distortion: Distortion, interpolation: int = cv2.INTER_CUBIC
) -> tuple[np.ndarray, Lens]:
    """Bend a picture as a camera with such a lens would: its raw pixels show what their rays meet; and that camera."""
    raw = Intrinsics(camera.width, camera.height, SHRUNK * camera.fx, SHRUNK * camera.fy, camera.cx + 4, camera.cy - 3)
    matrix, new = (np.array([[c.fx, 0, c.cx], [0, c.fy, c.cy], [0, 0, 1]]) for c in (raw, camera))
    columns, rows = np.meshgrid(np.arange(float(camera.width)), np.arange(float(camera.height)))
    pixels, d = np.stack((columns, rows), axis=-1).reshape(-1, 1, 2), np.array(distortion.coefficients)
    if distortion.model == "equidistant":
        found = cv2.fisheye.undistortPoints(pixels, matrix, d, P=new)
    else:
        often = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-8)
        found = cv2.undistortPointsIter(pixels, matrix, d, None, new, often)
    places = found.reshape(camera.height, camera.width, 2).astype(np.float32)
    return cv2.remap(picture, places, None, interpolation), Lens(raw, distortion)


def draw(out: Path) -> None:
    """Write the picture: raw, depth of it as it is, depth of it rectified, and in the raw picture's own grid."""
    picture, _, camera = photograph(make_room(SEED, SHOWN // CAMERAS), SEED, SHOWN)
    raw, lens = bend(picture, camera, LENSES["plumb_bob"])
    pipeline = make_pipeline()
    panels = {"raw picture": raw[..., ::-1]}
    panels["rectify: off"] = colourise(pipeline.run(Picture(raw, "rgb"), lens.camera, cloud=False).depth)
    panels["rectify: auto"] = colourise(pipeline.run(Picture(raw, "rgb"), camera, cloud=False, lens=lens).depth)
    pipeline.settings = Settings("camera", output_camera="raw")
    panels["output_camera: raw"] = colourise(pipeline.run(Picture(raw, "rgb"), camera, cloud=False, lens=lens).depth)
    write_row(out, panels, SIDE * camera.height // camera.width)


def draw_turned(out: Path) -> None:
    """Write the other picture: a turned camera's, depth of it unturned and turned, and without the robot's own body."""
    picture, _, camera = photograph(make_room(SEED, SHOWN // CAMERAS), SEED, SHOWN)
    own = np.ascontiguousarray(np.rot90(picture))
    matrix = Intrinsics(camera.height, camera.width, camera.fy, camera.fx, camera.cy, camera.width - 1 - camera.cx)
    pipeline = make_pipeline()
    panels = {"picture": own[..., ::-1]}
    for rotation in ("0", "90"):
        pipeline.settings = Settings("camera", rotation=rotation)
        panels[f"rotation: {rotation}"] = colourise(pipeline.run(Picture(own, "rgb"), matrix, cloud=False).depth)
    pipeline.mask = parse_mask(BODY)
    panels["and a mask"] = colourise(pipeline.run(Picture(own, "rgb"), matrix, cloud=False).depth)
    write_row(out, panels, SIDE)


def write_row(out: Path, panels: dict[str, np.ndarray], height: int) -> None:
    """Write panels side by side, each with its name."""
    row = []
    for name, panel in panels.items():
        width = panel.shape[1] * height // panel.shape[0]
        small = cv2.resize(np.ascontiguousarray(panel), (width, height), interpolation=cv2.INTER_AREA)
        cv2.putText(small, name, (8, height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(small, name, (8, height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        row += [np.full((height, GAP, 3), 255, np.uint8), small]
    cv2.imwrite(str(out), np.hstack(row[1:]), [cv2.IMWRITE_JPEG_QUALITY, 88])


def make_pipeline() -> Pipeline:
    """The shipped bundle, answering in the camera's grid."""
    bundle = find_bundle()
    return Pipeline(open_engine(module_for(bundle)), bundle.manifest, Settings("camera"))


def measure_rooms(pipeline: Pipeline, count: int, seed: int = SEED) -> dict[str, tuple[float, float, float]]:
    """delta1 of computed rooms, where both answers are.

    Returns:
        Lens -> of the straight pictures, of the bent ones straightened by the pipeline, and of the bent ones as they
        are, each held against the depth of its own pixels.
    """
    straight: list[np.ndarray] = []
    truths: list[np.ndarray] = []
    found: dict[str, tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]] = {
        name: ([], [], []) for name in LENSES
    }
    for number in range(count):
        picture, truth, camera = photograph(make_room(seed, number // CAMERAS), seed, number)
        straight.append(pipeline.run(Picture(picture, "rgb"), camera, cloud=False).depth.copy())
        truths.append(truth)
        for name, distortion in LENSES.items():
            raw, lens = bend(picture, camera, distortion)
            undone, left, bent_truth = found[name]
            undone.append(pipeline.run(Picture(raw, "rgb"), camera, cloud=False, lens=lens).depth.copy())
            left.append(pipeline.run(Picture(raw, "rgb"), lens.camera, cloud=False).depth.copy())
            bent_truth.append(bend(truth, camera, distortion, cv2.INTER_NEAREST)[0])
    answers = {}
    for name, (undone, left, bent_truth) in found.items():
        there = np.isfinite(np.stack(straight)) & np.isfinite(np.stack(undone))
        both = [np.where(there, np.stack(each), np.nan) for each in (straight, undone)]
        one, other = (float(evaluate(each, np.stack(truths))["delta1"]) for each in both)
        answers[name] = one, other, float(evaluate(np.stack(left), np.stack(bent_truth))["delta1"])
    return answers


def measure_turned(pipeline: Pipeline, count: int, seed: int = SEED) -> dict[str, float]:
    """delta1 of computed rooms that are filmed by a camera that lies on its side, by the rotation that is told.

    Returns:
        What was told -> delta1; ``upright`` is that of the same pictures from an upright camera.
    """
    answers: dict[str, list[np.ndarray]] = {"upright": [], "0": [], "90": []}
    truths: dict[str, list[np.ndarray]] = {name: [] for name in answers}
    for number in range(count):
        picture, truth, camera = photograph(make_room(seed, number // CAMERAS), seed, number)
        lying = Intrinsics(camera.height, camera.width, camera.fy, camera.fx, camera.cy, camera.width - 1 - camera.cx)
        for name, found in answers.items():
            turned = name != "upright"
            shown = np.ascontiguousarray(np.rot90(picture)) if turned else picture
            pipeline.settings = Settings("camera", rotation=name if turned else "0")
            found.append(pipeline.run(Picture(shown, "rgb"), lying if turned else camera, cloud=False).depth.copy())
            truths[name].append(np.rot90(truth) if turned else truth)
    return {name: evaluate(np.stack(found), np.stack(truths[name]))["delta1"] for name, found in answers.items()}


def measure_cost(rounds: int) -> None:
    """Time of the way into the network's input, cut and scaled against straightened, in turns [ms]."""
    generator = np.random.default_rng(0)
    for width, height in ((640, 480), (1280, 720), (1920, 1080)):
        camera = Intrinsics(width, height, 0.7 * width, 0.7 * width, (width - 1) / 2, (height - 1) / 2)
        view = View.of(PAPER_VIEW, width, height, 224, 224)
        warps = {name: Warp(Lens(camera, each), view.intrinsics(camera)) for name, each in LENSES.items()}
        pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
        out, times = np.zeros((224, 224, 3), np.uint8), {name: [] for name in ("off", *warps)}
        for _ in range(rounds):
            for name, taken in times.items():
                started = time.perf_counter()
                if name == "off":
                    cv2.resize(view.cut(pixels), (224, 224), out, 0, 0, cv2.INTER_LINEAR)
                else:
                    warps[name].see(pixels, out)
                taken.append(time.perf_counter() - started)
        medians = {name: float(np.median(taken)) * 1e3 for name, taken in times.items()}
        words = ", ".join(f"{name} {ms:.3f} ms" for name, ms in medians.items())
        sys.stdout.write(f"{width}x{height}: {words}\n")


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the picture")
    parser.add_argument("--turned", type=Path, metavar="FILE", help="write the picture of a turned camera")
    parser.add_argument("--rooms", type=int, default=0, metavar="N", help="measure accuracy on so many pictures")
    parser.add_argument("--lying", type=int, default=0, metavar="N", help="the same of a camera that lies on its side")
    parser.add_argument("--seed", type=int, default=SEED, help="of the rooms")
    parser.add_argument("--cost", type=int, default=0, metavar="N", help="measure the time of so many frames")
    args = parser.parse_args()
    if args.picture:
        draw(args.picture)
    if args.turned:
        draw_turned(args.turned)
    if args.rooms:
        for name, (one, other, left) in measure_rooms(make_pipeline(), args.rooms, args.seed).items():
            words = f"straight {one:.4f}, bent and straightened {other:.4f}, bent and left so {left:.4f}"
            sys.stdout.write(f"{name}: {words}\n")
    if args.lying:
        for name, delta1 in measure_turned(make_pipeline(), args.lying, args.seed).items():
            sys.stdout.write(f"rotation {name}: {delta1:.4f}\n")
    if args.cost:
        measure_cost(args.cost)


if __name__ == "__main__":
    main()
