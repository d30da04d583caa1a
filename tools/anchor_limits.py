"""Prints what `max_uncertainty` leaves of the computed room's cloud, and how wrong that is, without and with anchors.

    python -m tools.anchor_limits vo:150 uniform:200 tof:8x8

All frames of the recording follow each other as in the node, which remembers; answers are float32's. A cell of the
table is the share of the points that are left, and their root mean square of error over that of all points.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from fastdepth_ros import cdr
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

LIMITS = (0.75, 0.5, 0.4, 0.3, 0.2, 0.15)
"""Values of `max_uncertainty` [m]."""

LEAST = 0.01
"""Share of the points below which nothing is said of what is left."""

Numbers = npt.NDArray[np.floating]


def errors_of(recording: Recording, sensors: str) -> tuple[Numbers, Numbers]:
    """Error and its standard deviation of every point of every frame whose truth is known, each (points,) [m]."""
    bundle = find_bundle()
    pipeline = Pipeline(open_engine(module_for(bundle, precision="float32")), bundle.manifest, Settings())
    topics = find_camera(recording)
    camera = camera_of(recording, topics)
    measured = Simulated(recording, topics, camera, bundle.manifest, parse(sensors)) if sensors else None
    truths = {cdr.stamp_of(m.data): m for m in recording.messages([topics.ground_truth.name])}
    found = []
    for number, message in enumerate(recording.messages([topics.image.name])):
        stamp, picture = cdr.stamp_of(message.data), read_message(recording.decode(message))
        frame = pipeline.run(
            picture, camera, cloud=False, anchors=sight(measured, stamp), now=number / RATE, uncertainty=True
        )
        truth = read_at(decode_depth(recording.decode(truths[stamp])), camera, frame.intrinsics)
        error = frame.depth - truth
        known = np.isfinite(error) & np.isfinite(frame.uncertainty)
        found.append((error[known], frame.uncertainty[known]))
    return np.concatenate([error for error, _ in found]), np.concatenate([sure for _, sure in found])


def row(name: str, errors: Numbers, sure: Numbers) -> str:
    """A row of the table: the root mean square of all, what each limit leaves, and where it is half of that."""
    order = np.argsort(sure)
    left = np.arange(1, len(order) + 1) / len(order)
    ratio = np.sqrt(np.cumsum(errors[order] ** 2) / np.arange(1, len(order) + 1) / np.mean(errors**2))
    cells = []
    for limit in LIMITS:
        within = int(np.searchsorted(sure[order], limit, side="right"))
        many = within > LEAST * len(order)
        cells.append(f"{left[within - 1]:.2f} / {ratio[within - 1]:.2f}" if many else "")
    half = np.flatnonzero((ratio <= 0.5) & (left > LEAST))
    where = f"{sure[order][half[-1]]:.3f} m, {left[half[-1]]:.2f} left" if len(half) else "nowhere"
    return f"| {name} | {np.sqrt(np.mean(errors**2)):.2f} | {' | '.join(cells)} | {where} |"


def main(*sensors: str) -> None:
    """Print a row for each set of sensors, and one without."""
    with Recording.open(room_recording(writable_cache("recordings"))) as recording:
        for name in (*sensors, ""):
            sys.stdout.write(row(name or "alone", *errors_of(recording, name)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["vo:150", "uniform:200", "tof:8x8"]))
