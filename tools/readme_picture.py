"""Makes the README's picture of the computed room: what the camera sees, the depth that comes of it, the cloud.

    python -m tools.readme_picture docs/pictures/readme.png

Nothing in it is painted: the shipped bundle answers, and the cloud is the pipeline's, seen from the right and above.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.colours import colourise
from fastdepth_ros.models import find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room

MOMENT = 0.45
"""Share of the camera's way through the room."""
SIDE, GAP = 320, 12
GROUND, INK = (34, 31, 28), (235, 235, 235)
EYE_LEFT, EYE_DOWN = 34.0, 22.0
"""Angles from which the cloud is seen [degrees]."""


def main(out: Path) -> None:
    """Write the picture."""
    frame = Renderer(build_room(), CAMERA).render(pose_at(MOMENT), 0)
    bundle = find_bundle()
    pipeline = Pipeline(open_engine(module_for(bundle)), bundle.manifest, Settings(cloud="xyzrgb"))
    answer = pipeline.run(Picture(frame.picture, "rgb"), CAMERA)
    seen = pipeline_input(pipeline)
    panels = {
        "camera": cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC),
        "depth": cv2.resize(colourise(answer.depth), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST),
        "point cloud": cloud(answer.cloud[..., :3].reshape(-1, 3), seen.reshape(-1, 3)),
    }
    gap = np.full((SIDE, GAP, 3), 255, np.uint8)
    row = [part for name, panel in panels.items() for part in (gap, titled(panel, name))][1:]
    cv2.imwrite(str(out), np.hstack(row), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def pipeline_input(pipeline: Pipeline) -> np.ndarray:
    """Picture that the network saw, (height, width, 3) BGR."""
    return np.ascontiguousarray(pipeline._engine.input[..., ::-1])


def titled(panel: np.ndarray, name: str) -> np.ndarray:
    """The panel with its name in a corner."""
    cv2.rectangle(panel, (0, SIDE - 26), (14 + 10 * len(name), SIDE), GROUND, -1)
    cv2.putText(panel, name, (8, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return panel


def cloud(points: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Points (n, 3) [m] with colours (n, 3) BGR, seen without perspective from the right and above."""
    good = np.isfinite(points).all(1)
    points, colours = points[good], colours[good]
    a, b = np.radians(-EYE_LEFT), np.radians(EYE_DOWN)
    around = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    local = (points - np.median(points, 0)) @ (tilt @ around).T
    scale = SIDE / 1.05 / np.ptp(np.percentile(local, (0.5, 99.5), axis=0)[:, :2], axis=0).max()
    middle = np.percentile(local, (0.5, 99.5), axis=0).mean(0)
    columns, rows = np.rint(SIDE / 2 + scale * (local - middle)[:, :2]).astype(int).T
    panel = np.full((SIDE, SIDE, 3), GROUND, np.uint8)
    order = np.argsort(-local[:, 2], kind="stable")
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        r, c = rows[order] + dy, columns[order] + dx
        inside = (r >= 0) & (r < SIDE) & (c >= 0) & (c < SIDE)
        panel[r[inside], c[inside]] = colours[order][inside]
    return panel


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/readme.png"))
