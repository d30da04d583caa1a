"""What the node makes from its depth for those who read it, as plain rclpy and rosbags read it."""

from __future__ import annotations

from typing import Any

import cv2
import independent_rvl
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import PATIENCE, TOPICS, Graph, camera_info_of, depth_of, image_of
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import LaserScan

WIDTH, HEIGHT = 640, 480
SCENE = cv2.GaussianBlur(np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 20) * 4
STORE = get_typestore(Stores.LATEST)


def serialized(graph: Graph, name: str) -> bytes:
    """The bytes of an answer on one of the node's topics."""
    kind, topic = TOPICS[name]
    heard: list[bytes] = []
    subscription = graph.node.create_subscription(kind, topic, heard.append, 10, raw=True)

    def answered() -> bool:
        graph.images.publish(image_of(SCENE, graph.header()))
        graph.spin(0.1)
        return bool(heard)

    graph.wait_for(answered, f"a message on {topic}", PATIENCE)
    graph.node.destroy_subscription(subscription)
    return heard[-1]


def unpacked(form: str, data: Any) -> np.ndarray:
    """A compressed depth image in its own unit, by decoders of others."""
    packed = bytes(data)
    if form.endswith("rvl"):
        return independent_rvl.depth_of(form, packed)
    values = cv2.imdecode(np.frombuffer(packed, np.uint8, offset=12), cv2.IMREAD_UNCHANGED)
    if form.startswith("16UC1"):
        return values
    a, b = np.frombuffer(packed, "<f4", 2, 4)
    with np.errstate(divide="ignore"):
        return np.where(values > 0, a / (values.astype(np.float32) - b), np.float32(np.nan))


@pytest.mark.parametrize("method", ["png", "rvl"])
@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_compressed_depth_is_the_depth_image(graph: Graph, encoding: str, method: str):
    for name, value in (("depth_encoding", encoding), ("compressed_depth_format", method)):
        assert graph.set(name, value)[0]
    image = image_of(SCENE, graph.header())
    packed, depth = graph.ask(image, "compressed_depth", "depth")
    assert packed.format == f"{encoding}; compressedDepth {method}"
    read, wanted = unpacked(packed.format, packed.data), depth_of(depth)
    if encoding == "16UC1":
        np.testing.assert_array_equal(read, wanted)
    else:
        known = np.isfinite(wanted)
        np.testing.assert_array_equal(np.isfinite(read), known)
        a = np.frombuffer(bytes(packed.data), "<f4", 1, 4)[0]
        assert (np.abs(read - wanted)[known] <= 0.51 * wanted[known] ** 2 / a + 1e-5).all()
    for name, value in (("depth_encoding", "32FC1"), ("compressed_depth_format", "png")):
        assert graph.set(name, value)[0]


def test_who_reads_only_compressed_depth_gets_it_and_nothing_else_is_published(graph: Graph):
    (packed,) = graph.ask(image_of(SCENE, graph.header()), "compressed_depth")
    assert packed.format == "32FC1; compressedDepth png"
    assert np.isfinite(unpacked(packed.format, packed.data)).any()


def test_rosbags_reads_compressed_depth(graph: Graph):
    message = STORE.deserialize_cdr(serialized(graph, "compressed_depth"), "sensor_msgs/msg/CompressedImage")
    assert message.header.frame_id == "eye"
    assert unpacked(message.format, message.data.tobytes()).shape == (224, 224)


@pytest.fixture
def over_the_floor(graph: Graph):
    """The camera stands 0.6 m above the floor and looks down a little; the scan's frame is called as the image's."""
    settings = {"camera_height": 0.6, "camera_pitch": 0.2, "scan_output_frame": "eye", "anchoring": "off"}
    usual = {"camera_height": 0.0, "camera_pitch": 0.0, "scan_output_frame": "none", "anchoring": "auto"}
    for name, value in settings.items():
        assert graph.set(name, value)[0]
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    yield
    for name, value in usual.items():
        assert graph.set(name, value)[0]


def points_of(depth: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Points of a depth image's cells [m]: forward, left and up from the floor under a camera as above."""
    cells = depth[::2, ::2].astype(np.float64)
    cells[~np.isfinite(cells)] = np.nan
    columns, rows = np.meshgrid(np.arange(112) * 2 + 0.5, np.arange(112) * 2 + 0.5)
    x, y = (columns - k[2]) / k[0] * cells, (rows - k[5]) / k[4] * cells
    cosine, sine = np.cos(0.2), np.sin(0.2)
    return np.stack((cosine * cells - sine * y, -x, 0.6 - cosine * y - sine * cells), -1).reshape(-1, 3)


@pytest.mark.usefixtures("over_the_floor")
def test_the_scan_is_the_nearest_obstacle_of_each_direction(graph: Graph):
    scan, depth, info = graph.ask(image_of(SCENE, graph.header()), "scan", "depth", "camera_info")
    points = points_of(depth_of(depth), np.array(info.k))
    ranges = np.array(scan.ranges)
    assert len(ranges) > 60
    surely, perhaps = nearest_of(points, scan, 1e-3), nearest_of(points, scan, -1e-3)
    assert (ranges[surely < np.inf] < np.inf).all()
    found = np.isfinite(ranges)
    assert found.any()
    assert (ranges[found] <= surely[found] + 1e-3).all()
    # A cell stands in its neighbours' rays, too.
    beside = np.min([np.roll(np.pad(perhaps, 1, constant_values=np.inf), by)[1:-1] for by in (-1, 0, 1)], axis=0)
    assert (ranges[found] >= beside[found] - 1e-3).all()


def nearest_of(points: np.ndarray, scan: LaserScan, margin: float) -> np.ndarray:
    """The nearest point of each ray whose height is between the limits [m]; +Inf where there is none."""
    points = points[(points[:, 2] > 0.1 + margin) & (points[:, 2] < 1.0 - margin)]
    distances, angles = np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0])
    rays = np.floor((angles - scan.angle_min) / scan.angle_increment + 0.5).astype(int)
    nearest = np.full(len(scan.ranges), np.inf)
    inside = (rays >= 0) & (rays < len(nearest)) & (distances <= scan.range_max)
    np.minimum.at(nearest, rays[inside], distances[inside])
    return nearest


@pytest.mark.usefixtures("over_the_floor")
def test_obstacles_are_points_between_the_heights(graph: Graph):
    assert graph.set("obstacle_clearing", 9.0)[0]
    obstacles, depth, info = graph.ask(image_of(SCENE, graph.header()), "obstacles", "depth", "camera_info")
    assert (obstacles.height, obstacles.is_dense, obstacles.point_step) == (1, True, 12)
    found = np.frombuffer(obstacles.data, np.float32).reshape(-1, 3)
    heights = points_of(depth_of(depth), np.array(info.k))[:, 2]
    wanted = int(((heights >= 0.1) & (heights <= 1.0)).sum())
    assert np.isfinite(found).all()
    assert 0 < wanted - 5 <= len(found)
    assert graph.set("obstacle_clearing", 0.0)[0]


@pytest.mark.usefixtures("over_the_floor")
def test_rosbags_reads_scan_obstacles_and_preview(graph: Graph):
    scan = STORE.deserialize_cdr(serialized(graph, "scan"), "sensor_msgs/msg/LaserScan")
    assert len(scan.ranges) > 60
    cloud = STORE.deserialize_cdr(serialized(graph, "obstacles"), "sensor_msgs/msg/PointCloud2")
    assert cloud.row_step == 12 * cloud.width == len(cloud.data)
    preview = STORE.deserialize_cdr(serialized(graph, "preview"), "sensor_msgs/msg/CompressedImage")
    assert cv2.imdecode(preview.data, cv2.IMREAD_COLOR).shape == (336, 448, 3)


def test_a_scan_without_a_floor_is_told_and_depth_goes_on(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    graph.read("scan", "depth")

    def told() -> bool:
        graph.images.publish(image_of(SCENE, graph.header()))
        graph.spin(0.1)
        return graph.says("outputs", DiagnosticStatus.WARN, "depth/scan", "where the floor is", "floor_frame")

    graph.wait_for(told, "the scan's problem to be told")
    assert graph.heard["depth"]
    assert not graph.heard["scan"]
    graph.read("depth")
    graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_for(lambda: not graph.says("outputs", DiagnosticStatus.WARN, "depth/scan"), "nobody to miss the scan")


def test_a_preview_needs_no_calibration(graph: Graph):
    (preview,) = graph.ask(image_of(SCENE, graph.header()), "preview")
    assert preview.format == "bgr8; jpeg compressed bgr8"
    assert cv2.imdecode(np.frombuffer(preview.data, np.uint8), cv2.IMREAD_COLOR).shape == (336, 448, 3)
