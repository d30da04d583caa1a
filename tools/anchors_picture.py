"""Makes the picture of docs/anchors.md: the cloud of the room without and with measured points, and the true one.

    python -m tools.anchors_picture docs/pictures/anchors.jpg vo:150 uniform:200

Nothing in it is painted: the shipped bundle answers frame after frame, as in the node, and simulated sensors measure.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros import cdr
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.demo.cloud_view import INK, cloud_pictures
from fastdepth_ros.demo.simulated import Simulated
from fastdepth_ros.demo.truth import camera_of, read_at
from fastdepth_ros.evaluation.sensors import parse
from fastdepth_ros.messages.files import bgr_of, read_message
from fastdepth_ros.models import find_bundle
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.recording import Recording, find_camera
from fastdepth_ros.recording.depth import decode_depth
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.storage import writable_cache
from fastdepth_ros.scene.record import RATE, room_recording

FRAME = 5
GAP, QUALITY = 6, 85
SIZE = (360, 270)


def main(out: Path, *sensors: str) -> None:
    """Write the picture."""
    bundle = find_bundle()
    engine = open_engine(module_for(bundle))
    pipelines = {name: Pipeline(engine, bundle.manifest, Settings(cloud="xyz")) for name in ("", *sensors)}
    with Recording.open(room_recording(writable_cache("recordings"))) as recording:
        topics = find_camera(recording)
        camera = camera_of(recording, topics)
        measured = {name: Simulated(recording, topics, camera, bundle.manifest, parse(name)) for name in sensors}
        truths = {cdr.stamp_of(m.data): m for m in recording.messages([topics.ground_truth.name])}
        for number, message in zip(range(FRAME + 1), recording.messages([topics.image.name]), strict=False):
            stamp, picture = cdr.stamp_of(message.data), read_message(recording.decode(message))
            frames = {
                name: pipeline.run(picture, camera, anchors=sight(measured.get(name), stamp), now=number / RATE)
                for name, pipeline in pipelines.items()
            }
        truth = read_at(decode_depth(recording.decode(truths[stamp])), camera, frames[""].intrinsics)
    clouds = {f"with {name}" if name else "without anchors": frame.cloud for name, frame in frames.items()}
    clouds["true depth"] = rays(frames[""], truth)
    finite = {name: points[np.isfinite(points).all(1)] for name, points in ((n, flat(c)) for n, c in clouds.items())}
    rows = cloud_pictures(finite.values(), camera, bgr_of(picture))
    titled = [[title(panel, name) for name, panel in zip(finite, row, strict=True)] for row in rows.values()]
    gap = np.full((titled[0][0].shape[0], GAP, 3), 255, np.uint8)
    lines = [np.hstack([part for panel in row for part in (gap, panel)][1:]) for row in titled]
    between = np.full((GAP, lines[0].shape[1], 3), 255, np.uint8)
    cv2.imwrite(str(out), np.vstack((lines[0], between, lines[1])), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def sight(measured: Simulated | None, stamp: int):
    """The anchors of an image, found in the answer as the node finds them."""
    points = measured.points(stamp) if measured is not None else None
    if points is None:
        return ()
    seen = PointMeasurement("anchors", points.astype(float), np.full(len(points), np.nan))
    return lambda metres, view: [seen.sight(metres, view, 0.0).anchors]


def flat(cloud: np.ndarray) -> np.ndarray:
    """The x, y and z of a cloud (rows, columns, fields) as (n, 3)."""
    return np.asarray(cloud[..., :3].reshape(-1, 3), np.float64)


def rays(frame, truth: np.ndarray) -> np.ndarray:
    """Points of the true depth along the rays of an answer: (rows, columns, 3)."""
    x, y = frame.intrinsics.slopes()
    return np.stack((x * truth, y * truth, truth), -1)


def title(panel: np.ndarray, words: str) -> np.ndarray:
    """The panel, smaller, with its name in a corner."""
    panel = cv2.resize(panel, SIZE, interpolation=cv2.INTER_AREA)
    cv2.putText(panel, words, (10, panel.shape[0] - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return panel


if __name__ == "__main__":
    main(
        Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/anchors.jpg"),
        *(sys.argv[2:] or ["vo:150", "uniform:200"]),
    )
