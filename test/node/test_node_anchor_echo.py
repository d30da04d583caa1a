"""A node does not measure its own depth, whoever publishes it again, and believes who measures and reads it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from anchor_messages import cloud_of, depth_image_of, serialized, xyz_of
from builtin_interfaces.msg import Time
from node_graph import camera_info_of
from sensor_msgs.msg import CameraInfo, Image, LaserScan, Range

from fastdepth_ros.anchoring.likeness import ENOUGH, likeness
from fastdepth_ros.anchoring.suspicion import CONVICTS
from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.errors import Level
from fastdepth_ros.node import anchor_echo
from fastdepth_ros.node.anchor_echo import KEPT, MOST, Echo, Echoes, Loops
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.parameters import validate
from fastdepth_ros.pipeline.frame import Cells

NOW = 100.0


@pytest.fixture
def outputs(robot):
    kinds = {"depth/image_rect": Image, "depth/camera_info": CameraInfo}
    return [robot.node.create_publisher(kind, topic, 1) for topic, kind in kinds.items()]


def test_who_reads_depth_and_publishes_a_scan_is_found(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    robot.other.create_publisher(LaserScan, "scan", 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan"))
    assert loops.find("/scan") is None
    robot.other.create_subscription(Image, "depth/image_rect", lambda _: None, 1)
    robot.wait_for(lambda: loops.find("/scan"))
    assert loops.find("/scan") == Echo("/other", "/depth/image_rect")
    assert loops.find("/range") is None


def test_who_reads_only_camera_info_makes_no_depth(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    robot.other.create_publisher(LaserScan, "scan", 1)
    robot.other.create_subscription(CameraInfo, "depth/camera_info", lambda _: None, 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan") and outputs[1].get_subscription_count())
    assert loops.find("/scan") is None


def test_another_node_that_reads_depth_is_no_echo_of_a_lidar(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    lidar = rclpy.create_node("lidar", context=robot.context)
    lidar.create_publisher(LaserScan, "scan", 1)
    robot.other.create_subscription(Image, "depth/image_rect", lambda _: None, 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan") and outputs[0].get_subscription_count())
    assert loops.find("/scan") is None
    lidar.destroy_node()


def test_a_nodes_own_topic_is_found(robot, outputs):
    outputs.append(robot.node.create_publisher(LaserScan, "scan", 1))
    loops = Loops(robot.node, lambda: outputs)
    robot.wait_for(lambda: loops.find("/scan"))
    assert loops.find("/scan") == Echo("/tried", "")


def test_a_stranger_of_the_nodes_name_publishes_nothing_in_its_name(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    stranger = rclpy.create_node(robot.node.get_name(), context=robot.context)
    stranger.create_publisher(LaserScan, "scan", 1)
    robot.wait_for(lambda: len(robot.node.get_publishers_info_by_topic("/scan")))
    assert loops.find("/scan") is None
    stranger.destroy_node()


SEEN = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)
VIEW = View.of(PAPER_VIEW, 224, 224, 224, 224)
BEAMS = np.linspace(-0.45, 0.45, 91)
HINT = Echo("/robot", "/depth/image_rect")


def room(step, scale=1.0):
    """True depth before a camera that moves, and an answer to it."""
    random = np.random.default_rng(7)
    across = np.linspace(-1, 1, 112, dtype=np.float32) + np.float32(0.02 * step)
    truth = np.tile(2.5 + 0.8 * np.sin(3 * across), (112, 1)).astype(np.float32)
    noise = np.random.default_rng(step).normal(0, 0.005, truth.shape)
    bumps = np.kron(random.normal(0, 0.08, (14, 14)), np.ones((8, 8)))
    return truth, (scale * truth * np.exp(bumps + noise)).astype(np.float32)


def stamped(message, stamp, frame="laser"):
    message.header.frame_id = frame
    message.header.stamp = Time(sec=int(stamp), nanosec=round(stamp % 1 * 1e9))
    return serialized(message)


def scan_of(depth, stamp):
    """A scan of the row in the middle, its beams straight to the cells that they meet."""
    columns = ((111.5 - 200.0 * np.tan(BEAMS) + 0.5) / 2).astype(int)
    ranges = (depth[56, columns] / np.cos(BEAMS)).astype(float).tolist()
    scan = LaserScan(angle_min=BEAMS[0], angle_increment=BEAMS[1] - BEAMS[0], range_max=9.0, ranges=ranges)
    return stamped(scan, stamp)


def cloud_message(depth, stamp):
    rows, columns = np.mgrid[1:112:3, 1:112:3].reshape(2, -1)
    z = depth[rows, columns]
    xyz = np.stack(((2 * columns + 0.5 - 111.5) / 200 * z, (2 * rows + 0.5 - 111.5) / 200 * z, z), axis=1)
    return stamped(cloud_of(xyz_of(xyz)), stamp, "eye")


def small_image(depth, stamp):
    return stamped(depth_image_of(depth[4::8, 4::8]), stamp, "eye")


def range_of(depth, stamp):
    rows, columns = np.mgrid[0:112, 0:112]
    rays = np.stack(((2 * columns - 111) / 200, (2 * rows - 111) / 200, np.ones((112, 112))), axis=-1)
    lengths = np.linalg.norm(rays, axis=-1)
    inside = 1 / lengths >= np.cos(0.15)
    nearest = float((depth * lengths)[inside].min())
    return stamped(Range(field_of_view=0.3, min_range=0.1, max_range=9.0, range=nearest), stamp)


SAID = {"scan": scan_of, "anchors": cloud_message, "anchor_depth": small_image, "range": range_of}


class Answering:
    """Sources of a node that answers image after image, and hears after each what somebody says of it."""

    def __init__(self, robot, source, echo=None, extrinsics="scan=0 0 0 0 0 0; range=0 0 0 0 0 0"):
        self.source, self.used = source, []
        self.stamps = [NOW + step / 32 for step in range(200)]
        parameters = validate({"anchor_extrinsics": extrinsics})
        self.sources = AnchorSources(
            robot.subscriber,
            lambda topic: topic == f"/{source}",
            parameters,
            lambda: NOW,
            robot.node.get_logger(),
            echo=lambda topic: echo if topic == f"/{source}" else None,
        )
        self.sources.keep_up()
        info = camera_info_of(14, 14, 200 / 16)  # each of its pixels looks at the middle one of 8x8 cells
        info.k[2] = info.k[5] = (111.5 - 8.5) / 16
        self.sources._placing.depth_camera.hear(serialized(info))
        assert self.sources.watches

    def look(self, step, depth):
        """Measure for an image, and answer it. Returns the sources that say something."""
        found = self.sources.measure("eye", self.stamps[step])
        anchors = found(depth, SEEN) if found else []
        self.used.append(any(len(each.depths) for each in anchors))
        self.sources.answered(self.stamps[step], Cells(depth, VIEW, SEEN))
        return anchors

    def hear(self, message):
        self.sources._inputs[self.source].hear(message)

    def make_ready(self, message):
        """Hear a message between two images."""
        self.sources._seen = SEEN
        self.sources._inputs[self.source].subscriber = SimpleNamespace(take=lambda: [(message, {})])
        self.sources.prepare()
        self.sources._inputs[self.source].subscriber = SimpleNamespace(take=list)

    def status(self):
        return self.sources.report(NOW)[0]


@pytest.mark.parametrize("source", ["scan", "anchors", "anchor_depth"])
@pytest.mark.parametrize("hint", [HINT, None], ids=["who reads", "a relay"])
@pytest.mark.parametrize("late", [0.0, 0.004], ids=["its stamp", "another stamp"])
def test_depth_that_comes_back_is_found_and_never_used(robot, source, hint, late):
    """Also from another node than the one that reads depth, and whatever became of its stamp."""
    node = Answering(robot, source, hint)
    for step in range(CONVICTS + 3):
        depth = room(step)[1]
        node.look(step, depth)
        node.hear(SAID[source](depth, node.stamps[step] + late))
    assert not any(node.used)
    status = node.status()
    assert status.level == Level.WARN
    who = "/robot reads /depth/image_rect and publishes it" if hint else "it says the same as depth does, cell by cell"
    assert f"{source} is not used: it is this node's own depth: {who}. Remap `{source}`" in status.message


def test_a_range_that_is_made_of_depth_is_found(robot):
    node = Answering(robot, "range")
    for step in range((CONVICTS + 2) * ENOUGH):
        depth = room(step)[1]
        node.look(step, depth)
        node.hear(range_of(depth, node.stamps[step]))
    assert not any(node.used[-ENOUGH:])
    assert "range is not used: it is this node's own depth" in node.status().message


@pytest.mark.parametrize("source", SAID)
@pytest.mark.parametrize("before", [False, True], ids=["after the answer", "before it"])
def test_a_process_that_reads_depth_and_drives_camera_and_sensor_is_believed(robot, source, before):
    """All with the images' stamps, and exact, as a simulator's."""
    node = Answering(robot, source, HINT)
    for step in range(40):
        truth, depth = room(step, 0.8)
        if before:
            node.hear(SAID[source](truth, node.stamps[step]))
        node.look(step, depth)
        if not before:
            node.hear(SAID[source](truth, node.stamps[step]))
    assert all(node.used[0 if before else 1 :])
    assert node.status().level == Level.OK


def test_a_lidar_in_place_of_an_echo_is_believed_again(robot):
    node = Answering(robot, "scan")
    for step in range(20):
        truth, depth = room(step)
        node.look(step, depth)
        node.hear(scan_of(depth if step < 8 else truth, node.stamps[step]))
    assert not any(node.used[:10])
    assert all(node.used[14:])


@pytest.mark.parametrize("hear", [Answering.hear, Answering.make_ready])
def test_an_echo_in_place_of_a_lidar_is_found_and_what_it_taught_is_taken_back_once(robot, hear):
    node, taken_back = Answering(robot, "scan"), []
    for step in range(120):
        truth, depth = room(step)
        taken_back += [step for each in node.look(step, depth) if each.taken_back]
        hear(node, scan_of(truth if step < 40 else depth, node.stamps[step]))
    assert len(taken_back) == 1
    assert not any(node.used[-20:])
    assert "scan is not used: it is this node's own depth" in node.status().message


def test_what_came_before_its_image_is_compared_before_it_too(robot, monkeypatch):
    """A comparison takes as long as the correction."""
    node, compared = Answering(robot, "scan"), []
    monkeypatch.setattr(anchor_echo, "likeness", lambda *each: compared.append(each) or likeness(*each))
    for step in range(4):
        truth, depth = room(step)
        node.look(step, depth)
        compared.clear()
        node.make_ready(scan_of(truth, node.stamps[step]))
        assert compared or step, "one that was found to measure is not looked at each time"
        compared.clear()
        node.look(step, depth)
        assert not compared


@pytest.mark.parametrize(("output", "source"), [("scan", "scan"), ("obstacles", "anchors")])
def test_a_scan_or_obstacles_of_this_node_are_found_behind_a_relay(robot, output, source):
    """Their points are no cells: they are held against what was sent."""
    node = Answering(robot, source)
    for step in range(CONVICTS + 3):
        truth, depth = room(step)
        node.look(step, depth)
        sent = SAID[source](truth, node.stamps[step])
        node.sources.derived(output, bytearray(sent))
        node.hear(sent)
    assert not any(node.used)
    assert "it is this node's own depth" in node.status().message


def test_what_a_node_publishes_itself_is_never_measured(robot):
    node = Answering(robot, "scan", Echo("/tried", ""))
    node.hear(scan_of(room(0)[0], NOW))
    assert not node.sources.measure("eye", NOW + 0.01)
    assert "scan is not used: this node publishes it" in node.status().message


def test_without_a_source_no_answer_is_kept():
    echoes = Echoes(lambda _: None)
    cells = Cells(room(0)[1], VIEW, SEEN)
    assert not echoes.watches
    echoes.answered(1.0, cells)
    echoes.derived("scan", b"any")
    assert not echoes._answers
    assert not echoes._derived
    echoes.look([("anchors", "/anchors")])
    assert echoes.watches
    for stamp in range(2 * KEPT):
        echoes.answered(float(stamp), cells)
    assert len(echoes._answers) == KEPT
    assert echoes._answers[-1].metres is not cells.metres, "it is written into again"


def test_frames_that_are_named_anew_cost_no_memory(robot):
    node = Answering(robot, "anchors", extrinsics="anchors=0 0 0 0 0 0")
    depth = room(0)[1]
    for number in range(2 * MOST):
        node.hear(stamped(cloud_of(xyz_of(np.ones((20, 3)))), NOW, f"eye{number}"))
        node.look(0, depth)
    assert node.sources._echoes._watched
    assert len(node.sources._echoes._watched) <= MOST
