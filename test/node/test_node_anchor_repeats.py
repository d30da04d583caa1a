"""A sensor that says the same while the picture changes is frozen; one in a scene that stands still is not."""

from __future__ import annotations

import numpy as np
import pytest
from anchor_messages import cloud_of, serialized, xyz_of
from builtin_interfaces.msg import Time
from sensor_msgs.msg import LaserScan, Range

from fastdepth_ros.anchoring.poses import IDENTITY, OPTICAL, Pose
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import Level
from fastdepth_ros.messages.clouds import read_cloud
from fastdepth_ros.messages.measurements import measurement_of
from fastdepth_ros.messages.ranges import read_range, read_scan
from fastdepth_ros.node.anchor_repeats import Repeats
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.parameters import validate

SEEN = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)
NEAR, FAR = (np.full((112, 112), metres, np.float32) for metres in (2.0, 4.0))
AHEAD = OPTICAL.inverse()


def stamped(message, stamp):
    message.header.frame_id = "laser"
    message.header.stamp = Time(sec=int(stamp), nanosec=round(stamp % 1 * 1e9))
    return serialized(message)


def scan_at(stamp, noise=0.0):
    ranges = 2.0 + noise * np.random.default_rng(int(100 * stamp)).normal(size=31)
    scan = LaserScan(angle_min=-0.3, angle_increment=0.02, range_max=9.0, ranges=ranges.tolist())
    return read_scan(stamped(scan, stamp))


def range_at(stamp):
    return read_range(stamped(Range(field_of_view=0.3, min_range=0.1, max_range=4.0, range=2.0), stamp))


def told(messages, answers, moved=lambda step: step == 0):
    """Whether each message of a source is contradicted by the answer of its frame."""
    repeats, found = Repeats(), []
    for step, (message, answer) in enumerate(zip(messages, answers, strict=True)):
        repeats.hear(message, moved=moved(step))
        source = "range" if hasattr(message, "range") else "scan"
        anchors = measurement_of(source, message, AHEAD)[0].sight(answer, SEEN, 0.0).anchors
        found.append(repeats.contradicted(anchors, answer))
    return found


STEPS = range(100)
PICTURES = [NEAR] * 50 + [FAR] * 50


def test_a_scan_that_stays_while_the_picture_changes_is_frozen():
    found = told([scan_at(1 + step / 10) for step in STEPS], PICTURES)
    assert not any(found[:50])
    assert all(found[53:]), "at the latest after OFTEN, of messages at 10 Hz"


def test_a_scan_with_noise_is_not():
    assert not any(told([scan_at(1 + step / 10, 0.001) for step in STEPS], PICTURES))


def test_a_scan_that_goes_on_is_used_again():
    messages = [scan_at(1 + step / 10, 0.0 if step < 80 else 0.01) for step in STEPS]
    found = told(messages, PICTURES)
    assert found[79]
    assert not any(found[80:])


def test_a_simulated_scan_of_a_scene_that_stands_still_is_not_frozen():
    assert not any(told([scan_at(1 + step / 10) for step in STEPS], [NEAR, 1.1 * NEAR] * 50))


@pytest.mark.parametrize("changes", ["depth_scale", "camera"])
def test_answers_that_change_with_depth_scale_or_the_camera_contradict_nobody(changes):
    """As in a simulation: whoever set depth_scale to half had its lidar left out, and what it had taught forgotten."""
    repeats = Repeats()
    for step in STEPS:
        message = scan_at(1 + step / 10)
        repeats.hear(message, moved=step == 0)
        scale = 2.0 if step >= 50 and changes == "depth_scale" else 1.0
        seen = SEEN if step < 50 or changes == "depth_scale" else SEEN.scale(112, 112)
        answer = PICTURES[step]
        anchors = measurement_of("scan", message, AHEAD)[0].sight(answer, SEEN, 0.0).anchors
        assert not repeats.contradicted(anchors, answer, seen, scale)


def test_points_of_a_map_that_the_camera_moves_in_are_no_repetition():
    assert not any(told([scan_at(1 + step / 10) for step in STEPS], PICTURES, moved=lambda _: True))


def test_one_reading_may_be_the_same_by_chance_unless_the_picture_changes_much():
    little = [NEAR] * 50 + [1.4 * NEAR] * 50
    assert not any(told([range_at(1 + step / 10) for step in STEPS], little))
    assert any(told([range_at(1 + step / 10) for step in STEPS], [NEAR] * 50 + [1.2 * FAR] * 50))


def test_numbers_that_are_none_are_the_same_as_well():
    points = np.array([[x / 5, y / 5, 3.0] for x in range(-3, 4) for y in range(-3, 4)])
    points[3] = np.nan
    repeats = Repeats()
    for step in STEPS:
        message = read_cloud(stamped(cloud_of(xyz_of(points)), 1 + step / 10))
        repeats.hear(message, moved=step == 0)
        anchors = measurement_of("anchors", message, IDENTITY)[0].sight(PICTURES[step], SEEN, 0.0).anchors
        frozen = repeats.contradicted(anchors, PICTURES[step])
    assert frozen
    assert "the same for 10 s" in str(repeats)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_source_is_left_out_and_named(robot, frozen):
    now = [100.0]
    parameters = validate({"anchor_extrinsics": "scan=0 0 0 0 0 0"})
    sources = AnchorSources(robot.subscriber, lambda topic: topic == "/scan", parameters, lambda: now[0], None)
    sources.keep_up()
    taken_back = 0
    for step in range(200):
        now[0] = 100.0 + step / 10
        scan = LaserScan(angle_min=-0.3, angle_increment=0.02, range_max=9.0, ranges=[2.0] * 31)
        scan.ranges[3] += 0.0 if frozen else 1e-3 * step
        sources._inputs["scan"].hear(stamped(scan, now[0]))
        found = sources.measure("eye", now[0])
        anchors = found(NEAR if step < 50 else FAR, SEEN)
        taken_back += any(each.taken_back for each in anchors)
    assert taken_back == frozen, "once: what it said before is forgotten"
    assert len(anchors) == (0 if frozen else 1)
    status = sources.report(now[0])[0]
    assert ("it has said the same for 20 s, while the picture changed" in status.message) == frozen
    assert (status.level == Level.WARN) == frozen


def test_where_stamps_stand_a_source_that_died_is_not_used_for_ever(robot):
    """A camera and a scan without a clock are all of second 0."""
    now = [100.0]
    parameters = validate({"anchor_extrinsics": "scan=0 0 0 0 0 0"})
    sources = AnchorSources(robot.subscriber, lambda topic: topic == "/scan", parameters, lambda: now[0], None)
    sources.keep_up()
    scan = LaserScan(angle_min=-0.3, angle_increment=0.02, range_max=9.0, ranges=[2.0] * 31)
    sources._inputs["scan"].hear(stamped(scan, 0.0))
    assert sources.measure("eye", 0.0)
    now[0] += 11.0
    assert not sources.measure("eye", 0.0)
    assert "fell silent 11 s ago" in sources.report(now[0])[0].message
    sources._inputs["scan"].hear(stamped(scan, 0.0))
    assert sources.measure("eye", 0.0)


def test_a_pose_equals_itself_and_no_other():
    assert IDENTITY.equals(Pose(np.eye(3), np.zeros(3)))
    assert not IDENTITY.equals(Pose(np.eye(3), np.array((0.0, 0.0, 1e-9))))
