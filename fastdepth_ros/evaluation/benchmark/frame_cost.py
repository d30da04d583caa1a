"""Cost of a frame beside the network: processor time of the node, at a camera's rate, over DDS.

Each node is a process of its own and gets pictures from this one at 30 Hz: first while somebody listens to the depth
map alone, then with a listener to the cloud. The network runs on one thread and counts its own time
(:mod:`fastdepth_ros.evaluation.benchmark.counted_node`); what is left of the process's time, middleware and diagnostics
included, is what a frame costs beside it. Processor time, unlike time by the clock, hardly changes when other programs
are running.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.evaluation.benchmark.counted_node import Counts, CountsFile
from fastdepth_ros.harness import measured
from fastdepth_ros.harness.bystander import Bystander
from fastdepth_ros.harness.process import NodeProcess
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room

SIZES = ((640, 480), (1280, 720), (1920, 1080))
RATE = 30
WARM_UP = 15
"""Frames with each output that are not counted: buffers are made, messages are sent for the first time."""

SETTLE = 11.0
"""Seconds from the start of a node that are not counted: until then it announces itself over and over, as
config/fastdds.xml has it."""

START_LIMIT, FRAMES_LIMIT = 60.0, 30.0
"""Until the first depth comes, and beyond the time that the frames take at the camera's rate [s]."""

POINTS = 300
"""Measured points of a frame, as many as a SLAM's."""

UNHURRIED = "profiles: {max-n: {linux: {cpu: {}}}}\n"
"""Profiles without a wished age: beside other programs the governor would answer fewer images than are counted."""

JPEG_QUALITY = 90
COUNTED = "fastdepth_ros.evaluation.benchmark.counted_node"


class Case(NamedTuple):
    """A camera: its picture's size [px], and whether it sends JPEG."""

    width: int
    height: int
    jpeg: bool


CASES = tuple(Case(*size, jpeg) for size in SIZES for jpeg in (False, True))


class Seen(NamedTuple):
    """A picture of the computed room, (height, width, 3) RGB, and points in it (n, 3) in the optical frame [m]."""

    pixels: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float64]


def pictures(sizes: Collection[tuple[int, int]] = SIZES) -> dict[tuple[int, int], Seen]:
    """Size -> a picture with as much detail as a real one, for JPEG's sake, and :data:`POINTS` points that it shows."""
    width, height = max(sizes)
    frame = Renderer(build_room(), camera_of(width, height)).render(pose_at(0.0), 0)
    found = {}
    for width, height in sizes:
        seen = frame.picture.shape[0] * width // height
        left = (frame.picture.shape[1] - seen) // 2
        picture, depth = (np.ascontiguousarray(whole[:, left : left + seen]) for whole in (frame.picture, frame.depth))
        pixels = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        depth = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST)
        found[width, height] = Seen(np.asarray(pixels, np.uint8), _points(depth))
    return found


def _points(depth: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Points (n, 3) [m] of a depth map, with errors as a SLAM's, within what the network sees."""
    height, width = depth.shape
    random = np.random.default_rng(0)
    camera = camera_of(width, height)
    across = random.uniform((width - height) / 2 + 0.05 * height, (width + height) / 2 - 0.05 * height, POINTS)
    down = random.uniform(0.06 * height, 0.94 * height, POINTS)
    z = depth[down.astype(int), across.astype(int)] * np.exp(random.normal(0, 0.05, POINTS))
    return np.stack(((across - camera.cx) / camera.fx * z, (down - camera.cy) / camera.fy * z, z), axis=1)


def camera_of(width: int, height: int) -> Intrinsics:
    """The camera that films the room, for a picture that is cut to a size of the same height."""
    focal = 1575.0 * height / 1080
    return Intrinsics(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)


class Camera(Bystander):
    """A camera driver and the listeners to its depth.

    Args:
        pixels: the picture that it sends, over and over.
        jpeg: whether compressed.

    Attributes:
        first_depth: when the first depth map came [ns, the system's clock]; 0 before.
    """

    def __init__(self, pixels: npt.NDArray[np.uint8], jpeg: bool) -> None:
        super().__init__("fastdepth_bench")
        self.first_depth = 0
        driver = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._message: Any = compressed(pixels) if jpeg else raw(pixels)
        topic = "/image/compressed" if jpeg else "/image"
        self._image = self.node.create_publisher(type(self._message), topic, driver)
        self._info = self.node.create_publisher(CameraInfo, "/camera_info", driver)
        height, width = pixels.shape[:2]
        self._camera_info = measured.camera_info(Header(), camera_of(width, height))
        self._anchors: Any = None
        self._cloud: Any = None
        self.node.create_subscription(Image, "/depth/image_rect", self._hear, driver, raw=True)
        self.node.create_timer(1 / RATE, self._send)

    def listen_to_the_cloud(self) -> None:
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.node.create_subscription(PointCloud2, "/depth/points", lambda _: None, best_effort, raw=True)

    def listen_to_the_uncertainty(self) -> Any:
        """A subscription; the node computes it while there is one."""
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        return self.node.create_subscription(Image, "/depth/uncertainty", lambda _: None, best_effort, raw=True)

    def send_points(self, points: npt.NDArray[np.float64]) -> None:
        """Measured points (n, 3) [m] with every picture from now on."""
        self._cloud = measured.cloud(Header(), points)
        self._anchors = self.node.create_publisher(PointCloud2, "/anchors", QoSProfile(depth=1))

    def _send(self) -> None:
        stamp = self.node.get_clock().now().to_msg()
        self._message.header.stamp = self._camera_info.header.stamp = stamp
        if self._anchors is not None:
            self._cloud.header.stamp = stamp
            self._anchors.publish(self._cloud)
        self._info.publish(self._camera_info)
        self._image.publish(serialize_message(self._message))

    def _hear(self, _: bytes) -> None:
        self.first_depth = self.first_depth or time.time_ns()


def raw(pixels: npt.NDArray[np.uint8]) -> Image:
    """The picture as most drivers send it, bgr8."""
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding="bgr8", step=3 * width)
    message.data.frombytes(np.ascontiguousarray(pixels[..., ::-1]).tobytes())
    return message


def compressed(pixels: npt.NDArray[np.uint8]) -> CompressedImage:
    """The picture as image_transport's JPEG."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    message = CompressedImage(format="bgr8; jpeg compressed bgr8")
    message.data.frombytes(data.tobytes())
    return message


def measure(
    model: Path,
    target: str,
    precision: str,
    cases: tuple[Case, ...],
    frames: int,
    folder: Path,
    say: Callable[[str], object],
) -> list[dict[str, Any]]:
    """Measure each case with a node of its own.

    The environment is that of :func:`fastdepth_ros.demo.graph.enter_graph`, and the model is compiled already.

    Args:
        model: folder of the bundle.
        target, precision: that it is compiled for.
        cases: to measure.
        frames: that are counted, with each output.
        folder: for logs.
        say: is told what goes on.

    Returns:
        For each case its fields and ``first_depth_s`` from the start of the node's process, ``resident_mb`` of it
        at the end [10^6 bytes], ``network_ms``, ``depth_ms`` and ``cloud_ms``: processor time of a frame, of the
        network, and of everything else with a listener to depth, and to depth and cloud. Raw pictures of the smallest
        size have ``sigma_ms`` and ``anchors_ms``, too: what uncertainty costs, and what :data:`POINTS` points cost.

    Raises:
        NodeError: a node ended or does not answer.
    """
    seen = pictures({case[:2] for case in cases})
    module = {"model": str(model.resolve()), "target": target, "precision": precision}
    return [_measure(module, case, seen[case[:2]], frames, folder, say) for case in cases]


def _measure(module: dict[str, str], case: Case, seen: Seen, frames: int, folder: Path, say: Any) -> dict[str, Any]:
    name = f"{case.width}x{case.height} {'JPEG' if case.jpeg else 'raw'}"
    place = folder / name.replace(" ", "-")
    place.mkdir(parents=True)
    (place / "power.yaml").write_text(UNHURRIED, encoding="utf-8")
    parameters = {
        **module,
        "power_file": str(place / "power.yaml"),
        "threads": 1,
        "image_transport": "compressed" if case.jpeg else "raw",
        "cloud": "xyzrgb",
    }
    counts = CountsFile(place / "counts")
    # As the node's own door has it, which is not taken here.
    command = ["env", "OPENBLAS_NUM_THREADS=1", sys.executable, "-m", COUNTED, str(place / "counts")]
    say(f"{name}: until the first depth")
    with Camera(seen.pixels, case.jpeg) as camera, NodeProcess(place, parameters, command) as process:
        process.wait_for(lambda: camera.first_depth > 0, START_LIMIT)
        first_depth = (camera.first_depth - process.started) / 1e9
        say(f"{name}: depth alone")
        process.wait_for(lambda: time.time_ns() > process.started + SETTLE * 1e9, 2 * SETTLE)
        network, depth, _ = _cost(process, counts, frames)
        camera.listen_to_the_cloud()
        say(f"{name}: depth and cloud")
        _, cloud, _ = _cost(process, counts, frames)
        resident, _ = process.memory()
        anchored = {}
        if case == CASES[0]:
            say(f"{name}: measured depths")
            anchored = _anchored(process, counts, frames, camera, seen.points)
    return {
        **case._asdict(),
        **anchored,
        "first_depth_s": round(first_depth, 3),
        "resident_mb": round(resident, 1),
        "network_ms": round(network, 3),
        "depth_ms": round(depth, 3),
        "cloud_ms": round(cloud, 3),
    }


def _anchored(
    process: NodeProcess, counts: CountsFile, frames: int, camera: Camera, points: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Processor time of a frame [ms] for the uncertainty alone, and then for points without it.

    It comes last: from then on the node remembers what was measured.
    """
    uncertainty = camera.listen_to_the_uncertainty()
    _until_anchored(process, counts, True)
    _, _, sigma = _cost(process, counts, frames)
    camera.node.destroy_subscription(uncertainty)
    _until_anchored(process, counts, False)
    camera.send_points(points)
    _until_anchored(process, counts, True)
    _, _, anchors = _cost(process, counts, frames)
    return {"sigma_ms": round(sigma, 3), "anchors_ms": round(anchors, 3)}


def _until_anchored(process: NodeProcess, counts: CountsFile, wanted: bool) -> None:
    """Wait for two frames with anchoring, or two without: the node looks for sources twice a second."""
    last = counts.read()

    def seen() -> bool:
        nonlocal last
        now = counts.read()
        if now.frames < last.frames + 2:
            return False
        before, last = last, now
        return (now.anchoring > before.anchoring) is wanted

    process.wait_for(seen, FRAMES_LIMIT)


def _cost(process: NodeProcess, counts: CountsFile, frames: int) -> tuple[float, float, float]:
    """Processor time of a frame [ms] over so many: of the network, of everything else, and of anchoring in that."""
    before, begun = _after(process, counts, WARM_UP)
    after, ended = _after(process, counts, frames)
    count, network = after.frames - before.frames, after.network - before.network
    anchoring = (after.anchoring - before.anchoring) / count / 1e6
    return network / count / 1e6, (ended - begun - network) / count / 1e6, anchoring


def _after(process: NodeProcess, counts: CountsFile, frames: int) -> tuple[Counts, int]:
    """The counts so many frames later, and the processor time of the process then [ns]."""
    until = counts.read().frames + frames
    process.wait_for(lambda: counts.read().frames >= until, FRAMES_LIMIT + 2 * frames / RATE)
    return counts.read(), process.processor_time()
