"""The node's cloud of one frame, drawn from the side and from above, beside that of the true depth."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros import cdr
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import Bgr
from fastdepth_ros.demo.truth import Case, true_depth
from fastdepth_ros.evaluation import report
from fastdepth_ros.recording import Recording

Points = npt.NDArray[np.float64]

TOPIC = "/depth/points"
WIDTH, HEIGHT = 480, 360
ABOVE = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Axes of an eye that looks straight down: its right, down and forward in the camera's frame."""

GROUND, INK = (34, 31, 28), (150, 146, 142)


def cloud_at(depth: Recording, stamp: int) -> Points | None:
    """The finite points (n, 3) [m] of the node's cloud with a stamp [ns]; None where there is none."""
    if TOPIC not in depth.topics:
        return None
    for message in depth.messages([TOPIC]):
        if cdr.stamp_of(message.data) == stamp:
            return points_of(depth.decode(message))
    return None


def points_of(cloud: Any) -> Points:
    """The finite x, y, z (n, 3) [m] of a PointCloud2 message."""
    offsets = {field.name: int(field.offset) for field in cloud.fields}
    data = np.ascontiguousarray(cloud.data)
    shape, strides = (int(cloud.height), int(cloud.width)), (int(cloud.row_step), int(cloud.point_step))
    kind = np.dtype(">f4" if cloud.is_bigendian else "<f4")
    columns: list[Any] = [np.ndarray(shape, kind, data.data, offsets[name], strides).ravel() for name in "xyz"]
    points = np.stack(columns, 1).astype(np.float64)
    return np.asarray(points[np.isfinite(points).all(1)])


def true_cloud(case: Case, camera: Intrinsics) -> Points | None:
    """The points (n, 3) [m] of a frame's true depth along the rays of its answer; None where it is not known."""
    truth = true_depth(case, camera)
    if truth is None or case.camera is None:
        return None
    x, y = case.camera.slopes()
    points: Points = np.stack([x * truth, y * truth, truth], -1).reshape(-1, 3).astype(np.float64)
    return points[np.isfinite(points).all(1)]


def cloud_parts(number: int, clouds: Mapping[str, Points | None], camera: Intrinsics, photograph: Bgr) -> list[str]:
    """The section of the report.

    Args:
        number: of the frame.
        clouds: words -> points (n, 3), in the camera's optical frame [m]; None and empty ones are not shown.
        camera: of ``photograph``.
        photograph: gives the points their colours.
    """
    shown = {name: points for name, points in clouds.items() if points is not None and len(points)}
    if not shown:
        return []
    pictures = cloud_pictures(shown.values(), camera, photograph)
    rows = [
        (f"frame {number} from the right and above", pictures["side"]),
        (
            f"frame {number} from straight above; rings are 1 m apart, the camera is at their centre",
            pictures["above"],
        ),
    ]
    return [report.heading("Cloud"), report.picture_rows(list(shown), rows)]


def cloud_pictures(clouds: Collection[Points], camera: Intrinsics, photograph: Bgr) -> dict[str, list[Bgr]]:
    """Clouds drawn to one scale, as seen from the ``side`` and from ``above``; see :func:`cloud_parts`."""
    far = max(1.0, float(np.percentile(np.concatenate([points[:, 2] for points in clouds]), 99)))
    pictures: dict[str, list[Bgr]] = {"side": [], "above": []}
    for points in clouds:
        colours = _colours(points, camera, photograph)
        plain: Bgr = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
        side = (0.0, -0.05 * far, 0.6 * far)
        pictures["side"].append(_draw(plain.copy(), points, colours, _turn(38, 24), side, 1.15 * far))
        above, across = (0.0, 0.0, 0.5 * far), 1.1 * far * WIDTH / HEIGHT
        pictures["above"].append(_draw(_rings(plain, far, across), points, colours, ABOVE, above, across))
    return pictures


def _colours(points: Points, camera: Intrinsics, photograph: Bgr) -> Bgr:
    seen = camera.scale(photograph.shape[1], photograph.shape[0])
    columns, rows = np.rint(seen.project(points)).astype(int).T
    return np.asarray(photograph[rows.clip(0, seen.height - 1), columns.clip(0, seen.width - 1)])


def _turn(left: float, down: float) -> Points:
    """The axes of an eye that looks to the ``left`` and ``down``, in degrees, as rows: its right, down and forward."""
    a, b = math.radians(-left), math.radians(down)
    around: Points = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    tilt: Points = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    return np.asarray(tilt @ around, np.float64)


def _draw(
    picture: Bgr, points: Points, colours: Bgr, axes: Points, centre: tuple[float, float, float], across: float
) -> Bgr:
    """Draw points as seen along the third of ``axes``, without perspective; the picture is ``across`` metres wide."""
    local = (points - np.array(centre)) @ axes.T
    scale = WIDTH / across
    columns = np.rint(WIDTH / 2 + scale * local[:, 0]).astype(int)
    rows = np.rint(HEIGHT / 2 + scale * local[:, 1]).astype(int)
    far_first = np.argsort(-local[:, 2], kind="stable")
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        r, c = rows[far_first] + dy, columns[far_first] + dx
        inside = (r >= 0) & (r < HEIGHT) & (c >= 0) & (c < WIDTH)
        picture[r[inside], c[inside]] = colours[far_first][inside]
    return picture


def _rings(picture: Bgr, far: float, across: float) -> Bgr:
    """Draw circles of whole metres around the camera of a view from above, and their numbers where no camera looks."""
    scale = WIDTH / across
    camera = (WIDTH // 2, round(HEIGHT / 2 + scale * 0.5 * far))
    for metres in range(1, math.ceil(far) + 1):
        radius = round(metres * scale)
        cv2.circle(picture, camera, radius, INK, 1, cv2.LINE_AA)
        place = (round(camera[0] + 0.8 * radius) + 3, round(camera[1] - 0.6 * radius) + 4)
        cv2.putText(picture, f"{metres} m", place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, INK, 1, cv2.LINE_AA)
    return picture
