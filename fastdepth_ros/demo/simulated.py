"""Simulated sensors beside a recording's images: what they measure of its true depth, as real messages.

Sensors are those of :mod:`fastdepth_ros.evaluation.sensors`. They look at what the network sees, as in ``fastdepth
eval --anchors``, so that figures of both can be compared. Their messages bear the stamps of the images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.demo.truth import decoded, read_at, sized
from fastdepth_ros.errors import ImageError
from fastdepth_ros.evaluation.sensors import Scene, Sensor
from fastdepth_ros.harness import measured
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.recording import CameraTopics, Message, Recording, Topic
from fastdepth_ros.recording.following import Follower, stamp_of, stamped
from fastdepth_ros.runtime.manifest import Manifest

Floats = npt.NDArray[np.floating[Any]]

HERE = "0 0 0"
"""Place of all sensors: the camera's."""

RANGE_CONE = 8.0
"""Width of the patch that the simulated ranger looks at [px of the network's input]."""

FLOOR_STEP = 11
"""Every n-th pixel is looked at where the floor is looked for; 11 shares no factor with the width of the view."""

FLOOR_TRIES, FLOOR_NEAR = 1000, 200
"""Planes that are tried, and points among which the three of each lie."""

FLOOR_LEVEL, FLOOR_HEIGHT, FLOOR_THICK, FLOOR_LEAST = 0.85, 0.1, 0.01, 40
"""Cosine of a floor's normal and the picture's down at least; share by which its height may be off, and a point's depth
from it; and its points at least."""


class Simulated:
    """Messages of simulated sensors; see :class:`~fastdepth_ros.demo.feed.Feed`.

    Args:
        recording: with true depth.
        topics: its camera; with a camera_info and a ground truth.
        camera: of its pictures.
        manifest: of the bundle, which says what the network sees.
        sensors: to simulate.
        progress: called for every image.
        seed: of their noise.
    """

    def __init__(
        self,
        recording: Recording,
        topics: CameraTopics,
        camera: Intrinsics,
        manifest: Manifest,
        sensors: Sequence[Sensor],
        progress: Callable[[], None] = lambda: None,
        seed: int = 0,
    ) -> None:
        self._camera = camera
        self._view = manifest.view_of(camera.width, camera.height)
        self._seen = self._view.intrinsics(camera)
        self._sensors = sensors
        self._image = topics.image
        self._messages: dict[int, list[Message]] = {}
        self._points: dict[int, Floats] = {}
        self.parameters: dict[str, object] = {}
        self._places: dict[str, str] = {}
        for sensor in sensors:
            self._place(sensor)
        self.parameters["anchor_extrinsics"] = "; ".join(f"{name}={HERE} {turn}" for name, turn in self._places.items())
        assert topics.ground_truth is not None
        truths = Follower(recording, topics.ground_truth.name)
        for index, (stamp, image) in enumerate(stamped(recording, topics.image.name)):
            truth = decoded(recording, truths.nearest(stamp))
            scene = self._scene(recording, image, truth) if truth is not None else None
            if scene is not None:
                self._look(scene, image, stamp, seed, index)
            progress()

    @property
    def words(self) -> str:
        """See :class:`~fastdepth_ros.demo.feed.Feed`."""
        return "simulated: " + ", ".join(sensor.name for sensor in self._sensors)

    @property
    def topics(self) -> list[Topic]:
        """See :class:`~fastdepth_ros.demo.feed.Feed`."""
        return list({message.topic.name: message.topic for ms in self._messages.values() for message in ms}.values())

    @property
    def names(self) -> Mapping[str, str]:
        """See :class:`~fastdepth_ros.demo.feed.Feed`."""
        return {}

    @property
    def followers(self) -> tuple[str, ...]:
        """No topic: each message shares the stamp of its image."""
        return ()

    def beside(self, recording: Recording, camera: Sequence[str]) -> Iterator[Message]:
        """Messages of the sensors, each before the image that it belongs to."""
        for message in recording.messages(camera):
            if message.topic.name == self._image.name:
                for own in self._messages.get(stamp_of(message) or 0, ()):
                    yield own._replace(time=message.time)
            yield message

    def points(self, recorded: int) -> Floats | None:
        """See :class:`~fastdepth_ros.demo.feed.Feed`."""
        return self._points.get(recorded)

    def _place(self, sensor: Sensor) -> None:
        """Place a sensor: at the camera; a ranger and a lidar look through a whole pixel near the picture's middle."""
        seen = self._seen
        right = (seen.width // 2 - seen.cx) / seen.fx if sensor.source == "range" else 0.0
        down = (seen.height // 2 - seen.cy) / seen.fy if sensor.source in ("range", "scan") else 0.0
        turn = f"0 {math.atan2(down, math.hypot(1, right)):.9f} {math.atan2(-right, 1):.9f}"
        self._places["imu" if sensor.source == "floor" else sensor.source] = turn
        if sensor.source == "floor":
            self.parameters["camera_height"] = float(sensor.name.partition(":")[2])

    def _scene(self, recording: Recording, image: Message, truth: npt.NDArray[np.float32]) -> Scene | None:
        """View that the network has of an image, with its true depth; None where the image cannot be read."""
        try:
            pixels = rgb_of(read_message(recording.decode(image)))
        except ImageError:
            return None
        if pixels.shape[:2] != (self._camera.height, self._camera.width):
            return None
        size = (self._seen.width, self._seen.height)
        picture = np.asarray(cv2.resize(self._view.cut(pixels), size, interpolation=cv2.INTER_LINEAR), np.uint8)
        height, width = truth.shape
        return Scene(read_at(truth, sized(self._camera, width, height), self._seen), picture, self._seen)

    def _look(self, scene: Scene, image: Message, stamp: int, seed: int, index: int) -> None:
        """Messages of all sensors for one image."""
        found, points = [], []
        for number, sensor in enumerate(self._sensors):
            pixels, seen = self._measure(sensor, scene, seed, index)
            if not len(seen):
                continue
            points.append(seen)
            for topic, message in self._drivers(sensor, number, pixels, seen, stamp):
                kind = f"sensor_msgs/msg/{type(message).__name__}"
                found.append(Message(Topic(topic, kind, 0), image.time, serialize_message(message)))
        self._messages[stamp] = found
        if points:
            self._points[stamp] = np.concatenate(points)

    def _measure(self, sensor: Sensor, scene: Scene, seed: int, index: int) -> tuple[Floats, Floats]:
        """Pixels (n, 2) of the network's input and points (n, 3) [m] that a sensor measures.

        The floor's are those that it has: an inertial unit knows where down is, and no noise of depth is in that.
        """
        if sensor.source == "floor":
            rows, columns = np.nonzero(np.isfinite(scene.truth))
            pixels = np.stack((columns, rows), axis=1)[::FLOOR_STEP].astype(np.float32)
            points = self._rays(pixels) * scene.truth[rows, columns][::FLOOR_STEP, None]
            kept = floor_points(points, float(sensor.name.partition(":")[2]))
            return pixels[kept], points[kept]
        anchors = sensor.anchors(scene, seed, index)
        return anchors.pixels, self._rays(anchors.pixels) * anchors.depths[:, None]

    def _rays(self, pixels: Floats) -> Floats:
        x, y = (pixels - (self._seen.cx, self._seen.cy)).T / ((self._seen.fx,), (self._seen.fy,))
        return np.stack((x, y, np.ones(len(pixels))), axis=1)

    def _drivers(
        self, sensor: Sensor, number: int, pixels: Floats, points: Floats, stamp: int
    ) -> list[tuple[str, Any]]:
        """Topics and messages of a sensor's driver."""
        if sensor.source == "anchors":
            # Each sensor has a frame of its own: of one frame the node takes one message.
            return [("/anchors", measured.cloud(measured.header(stamp, f"simulated_{number}_optical_frame"), points))]
        head = measured.header(stamp, f"simulated_{sensor.source}")
        if sensor.source == "scan":
            return [("/scan", measured.scan(head, *_beams(points)))]
        if sensor.source == "range":
            cone = RANGE_CONE / self._seen.fx
            return [("/range", measured.single_range(head, float(np.linalg.norm(points[0])), cone))]
        if sensor.source == "anchor_depth":
            zones, camera = self._zones(sensor, pixels, points[:, 2])
            image = measured.depth_image(head, zones)
            return [("/anchor_depth/camera_info", measured.camera_info(head, camera)), ("/anchor_depth", image)]
        return [("/imu", measured.inertial(head, _down(points)))]

    def _zones(self, sensor: Sensor, pixels: Floats, depths: Floats) -> tuple[Floats, Intrinsics]:
        """A matrix of zones (8, 8) [m], 0 where one is empty, and its camera."""
        width, height = self._seen.width, self._seen.height
        left = int(width * (1 - 8 * sensor.zone[0]) / 2)
        across, down = (width - 2 * left) / 8, height / 8
        columns, rows = ((pixels - (left, 0)) / (across, down)).astype(int).clip(0, 7).T
        zones = np.zeros((8, 8))
        zones[rows, columns] = depths
        seen = self._seen
        centre = (seen.cx + 0.5 - left) / across - 0.5, (seen.cy + 0.5) / down - 0.5
        return zones, Intrinsics(8, 8, seen.fx / across, seen.fy / down, *centre)


def _beams(points: Floats) -> tuple[float, float, Floats]:
    """First angle, angle from beam to beam [rad] and ranges [m] of a lidar in whose plane points (n, 3) lie.

    A driver's beams are evenly spread, pixels are not: each beam takes the depth that was measured nearest to it.
    """
    forward = np.hypot(points[:, 1], points[:, 2])
    angles = np.arctan2(-points[:, 0], forward)
    count = max(2, len(points))
    beams = np.linspace(angles.min(), angles.max(), count)
    nearest = np.abs(beams[:, None] - angles[None, :]).argmin(1)
    gap = np.abs(beams - angles[nearest])
    increment = max(float(beams[1] - beams[0]), 1e-6)
    return float(beams[0]), increment, np.where(gap <= increment, forward[nearest] / np.cos(beams), np.inf)


def floor_points(points: Floats, height: float) -> npt.NDArray[np.bool_]:
    """Mask of the points (n, 3) in the optical frame [m] that lie on the floor; none where there is no floor.

    It is the plane with most points of some hundred, each through three that are near each other, among those that lie
    about so far below the camera and face it from below.
    """
    if len(points) < FLOOR_LEAST:
        return np.zeros(len(points), np.bool_)
    rng = np.random.default_rng(0)
    first = rng.integers(0, len(points) - FLOOR_NEAR, FLOOR_TRIES)
    triples = points[
        first[:, None] + np.column_stack((np.zeros_like(first), *rng.integers(1, FLOOR_NEAR, (2, FLOOR_TRIES))))
    ]
    usable = np.abs(np.linalg.det(triples)) > 1e-6
    normals = np.linalg.solve(triples[usable], np.ones((int(usable.sum()), 3, 1)))[..., 0]
    lengths = np.linalg.norm(normals, axis=1)
    level = normals[:, 1] > FLOOR_LEVEL * lengths
    normals = normals[level & (np.abs(1 / lengths - height) < FLOOR_HEIGHT * height)]
    if not len(normals):
        return np.zeros(len(points), np.bool_)
    fits = np.abs(normals @ points.T - 1) < FLOOR_THICK
    best = fits[fits.sum(1).argmax()]
    return np.asarray(best if best.sum() >= FLOOR_LEAST else np.zeros(len(points), np.bool_))


def _down(points: Floats) -> Floats:
    """Down (3,) in the body frame, of points (n, 3) of a floor in the optical frame."""
    normal, *_ = np.linalg.lstsq(points, np.ones(len(points)), rcond=None)
    x, y, z = normal / np.linalg.norm(normal)
    return np.array((z, -x, -y))
