"""What is published becomes anchors of the image that it belongs to, and what cannot be used says why."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from anchor_messages import cloud_of, depth_image_of, serialized, tf_message_of, transform_of, xyz_of
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion
from node_graph import camera_info_of
from sensor_msgs.msg import Imu, LaserScan, Range
from slowly import mostly_slow

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.anchors import Report, SourceReport
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.anchoring import SourceNotes, anchoring_status, numbers
from fastdepth_ros.errors import AnchorError, Level, SettingError
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.tf import put_transforms
from fastdepth_ros.node import anchor_tf
from fastdepth_ros.node.anchor_ahead import REST
from fastdepth_ros.node.anchor_floor import check_upright
from fastdepth_ros.node.anchor_inputs import Input, Kind
from fastdepth_ros.node.anchor_placing import MOST
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.parameters import validate

SEEN = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)
WALL = np.full((112, 112), 2.0, np.float32)
NOW = 100.0
AHEAD = np.array([[x / 5, y / 5, 3.0] for x in range(-3, 4) for y in range(-3, 4)])
"""Points in an optical frame."""

ASIDE = np.stack((AHEAD[:, 2], -AHEAD[:, 0], -AHEAD[:, 1]), axis=1)
"""The same in a body frame."""


def stamped(message, frame="eye", stamp=NOW):
    message.header.frame_id = frame
    message.header.stamp = Time(sec=int(stamp), nanosec=round(stamp % 1 * 1e9))
    return message


class Sources:
    """The sources of a node on trial, and publishers of another node beside it."""

    def __init__(self, robot, **parameters):
        self.robot = robot
        logger = robot.node.get_logger()
        self.sources = AnchorSources(
            robot.subscriber,
            robot.node.count_publishers,
            validate(parameters),
            lambda: NOW,
            logger,
        )
        self.publishers = {}

    def say(self, topic, message):
        """Publish until the node has it."""
        subscribers = {each.topic.lstrip("/"): each.subscriber for each in self.sources._inputs.values()}
        subscribers["anchor_depth/camera_info"] = self.sources._placing._depth_infos
        if topic not in self.publishers:
            self.publishers[topic] = self.robot.publisher(subscribers[topic].subscription)
            self.sources.keep_up()
        self.publishers[topic].publish(message)
        self.robot.spin(0.1)
        self.robot.wait_for(lambda: self.robot.has(subscribers[topic]))

    def anchors(self, camera="eye", stamp=NOW, answer=WALL):
        """Measure until there is something."""
        found = self.sources.measure(camera, stamp)
        if not found:
            return {}
        anchors = found(answer, SEEN)
        reports = tuple(SourceReport(a.source, len(a.depths), len(a.depths), {}, 1.5, True) for a in anchors)
        self.sources.corrected(found, Report(1.5, 0.1, 0.0, 0.1, 0.4, 0.2, False, 0.0, reports))
        return {each.source: each for each in anchors}

    def status(self):
        return self.sources.report(NOW)[0]


@pytest.fixture
def make(robot):
    return lambda **parameters: Sources(robot, **parameters)


def test_points_in_the_cameras_frame_are_anchors(make):
    sources = make()
    assert sources.anchors() == {}
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD, sigma=np.full(len(AHEAD), 0.1)))))
    found = sources.anchors()["anchors"]
    np.testing.assert_allclose(found.depths, 3)
    np.testing.assert_allclose(found.sigmas, 0.1, rtol=1e-5)
    assert sources.status().level == Level.OK
    assert "anchors (49)" in sources.status().message


def test_measurements_are_read_and_in_view_before_their_image_comes(make, robot):
    sources = make(anchor_extrinsics="range=0 0 0 0 0 0")
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    sources.sources.prepare()
    assert robot.has(sources.sources.waited[0]), "no image came yet: nobody knows the view"
    assert len(sources.anchors()["anchors"].depths) == len(AHEAD)
    sources.say("anchors", stamped(cloud_of(xyz_of(2 * AHEAD)), stamp=NOW + 0.03))
    reading = Range(field_of_view=0.3, min_range=0.1, max_range=4.0, range=2.5)
    sources.say("range", stamped(reading, "sonar", NOW + 0.03))
    sources.sources.prepare()
    assert not any(robot.has(each) for each in sources.sources.waited)
    ready = dict(sources.sources._placing.latest)
    found = sources.anchors(stamp=NOW + 0.033)
    np.testing.assert_allclose(found["anchors"].depths, 6)
    assert found["range"].depths == pytest.approx(2.5, rel=0.02)
    assert sources.sources._placing.latest == ready, "nothing was made ready once more"


def test_a_source_rests_for_a_while_after_what_was_made_ready_was_of_no_use(make, robot):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    assert sources.anchors()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.01))
    sources.sources.prepare()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.02))
    assert sources.anchors(stamp=NOW + 0.02)
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.03))
    sources.sources.prepare()
    assert robot.has(sources.sources.waited[0]), "it is left to its image"
    for _ in range(REST):
        assert sources.anchors(stamp=NOW + 0.03)
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.04))
    sources.sources.prepare()
    assert not robot.has(sources.sources.waited[0])


def test_what_cannot_be_made_ready_is_left_to_its_image_which_says_why(make, robot):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    assert sources.anchors()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), "unheard_of", NOW + 0.03))
    sources.sources.prepare()
    assert sources.status().level == Level.OK
    sources.anchors(stamp=NOW + 0.033)
    assert not robot.has(sources.sources.waited[0])


def test_a_sensor_that_moves_is_placed_when_its_image_comes(make):
    sources = make(anchor_extrinsics="anchors=0 0 0 0 0 0")
    sources.sources._robot.pose = lambda source, frame, camera, stamp: Pose(  # noqa: ARG005
        np.eye(3), np.array([0, 0, 10 * (stamp - NOW)])
    )
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    np.testing.assert_allclose(sources.anchors()["anchors"].depths, 3)
    for count in (1, 2):
        sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.1 * count))
        sources.sources.prepare()
        found = sources.anchors(stamp=NOW + 0.1 * count)["anchors"]
        np.testing.assert_allclose(found.depths, 3 + count, rtol=1e-6)


def test_a_scan_at_the_place_that_its_owner_wrote_down_is_anchors(make):
    sources = make(anchor_extrinsics="scan=0.1 0 0 0 0 0")
    scan = LaserScan(angle_min=-0.3, angle_increment=0.1, range_max=9.0, ranges=[2.0] * 7)
    sources.say("scan", stamped(scan, "laser"))
    found = sources.anchors()["scan"]
    np.testing.assert_allclose(found.depths, 0.1 + 2 * np.cos(np.linspace(-0.3, 0.3, 7)), rtol=1e-5)
    np.testing.assert_allclose(found.pixels[:, 1], SEEN.cy, atol=1e-3)
    assert found.pixels[0, 0] > found.pixels[-1, 0], "angles count to the left"


def test_a_range_straight_ahead_is_an_anchor_and_nothing_within_reach_is_none(make):
    sources = make(anchor_extrinsics="range=0 0 0 0 0 0")
    reading = Range(field_of_view=0.3, min_range=0.1, max_range=4.0, range=2.5)
    sources.say("range", stamped(reading, "sonar"))
    assert sources.anchors()["range"].depths == pytest.approx(2.5, rel=0.02)
    reading.range = 4.0
    sources.say("range", stamped(reading, "sonar", NOW + 0.01))
    for _ in range(3):
        assert "range" not in sources.anchors(stamp=NOW + 0.01)
    assert "nothing within reach" in sources.status().message


def test_sensors_that_share_a_topic_are_all_used(make):
    sources = make(anchor_extrinsics="range=0 0 0 0 0 0")
    for frame, measured in (("left", 2.0), ("right", 3.0)):
        sources.say("range", stamped(Range(field_of_view=0.1, max_range=4.0, range=measured), frame))
        sources.anchors()
    assert sorted(np.round(sources.anchors()["range"].depths, 1)) == [2, 3]


def test_a_frame_of_its_own_for_each_message_costs_no_memory(make):
    sources = make(anchor_extrinsics="range=0 0 0 0 0 0")
    source = sources.sources._inputs["range"]
    sources.sources._live = ("range",)
    for i in range(100):
        message = Range(field_of_view=0.1, max_range=4.0, range=2.0)
        source.hear(serialized(stamped(message, f"sonar_{i}", NOW + i / 100)))
        assert sources.anchors(stamp=NOW + i / 100)
    assert len(sources.sources._placing.latest) == MOST


def test_a_depth_image_of_a_camera_that_no_lens_is_gives_no_anchors(make):
    sources = make()
    sources.say("anchor_depth", stamped(depth_image_of(np.full((8, 8), 1500, np.uint16))))
    k = [9.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 1.0]
    sources.say("anchor_depth/camera_info", stamped(camera_info_of(8, 8, 9.0, k=k)))
    for _ in range(3):
        assert sources.anchors() == {}
    assert "the principal point (0.0, 0.0) is far from the centre" in sources.status().message


def test_a_depth_image_waits_for_its_camera_info(make):
    sources = make()
    image = depth_image_of(np.full((8, 8), 1500, np.uint16))
    sources.say("anchor_depth", stamped(image))
    for _ in range(3):
        assert sources.anchors() == {}
    assert "camera_info" in sources.status().message
    sources.say("anchor_depth/camera_info", stamped(camera_info_of(8, 8, 9.0)))
    found = sources.anchors()["anchor_depth"]
    np.testing.assert_allclose(found.depths, 1.5)
    assert len(found.depths) == 64
    np.testing.assert_allclose(found.zone, 200 / 9 / 2, err_msg="each pixel is the depth of what is near in it")


def test_a_depth_image_with_the_camera_info_of_another_camera_is_named(make):
    sources = make()
    sources.sources._live = ("anchor_depth",)
    image = depth_image_of(np.full((8, 8), 1500, np.uint16))
    sources.sources._inputs["anchor_depth"].hear(serialized(stamped(image, "eye")))
    sources.sources._placing.depth_camera.hear(serialized(stamped(camera_info_of(8, 8, 9.0), "colour")))
    assert "anchor_depth" in sources.anchors()
    status = sources.status()
    assert status.level == Level.WARN
    assert "anchor_depth is of the frame 'eye', and its camera_info of 'colour'" in status.message


def test_sources_of_an_image_whose_camera_is_not_known_say_so(make):
    sources = make(camera_height=0.5)
    assert "no source publishes" in sources.status().message
    sources.sources._live = ("anchors",)
    sources.sources._inputs["anchors"].hear(serialized(stamped(cloud_of(xyz_of(AHEAD)))))
    assert "nothing was measured for an image of late" in sources.status().message
    sources.sources.wait("no camera_info came")
    message = sources.status().message
    assert "anchors is not used: where it is in the picture is not known: no camera_info came" in message
    assert "and 1 more" in message, "the floor"


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_points_are_less_sure_where_tf_is_late(make, late):
    """By 0.3 s the robot may have gone 15 cm, or have turned."""
    sources = make()
    sources.sources._live = ("anchors",)
    buffer = sources.sources._frames.buffer
    body = (0.5, -0.5, 0.5, -0.5)  # x y z w of an optical frame in a body frame
    put_transforms(buffer, tf_message_of(transform_of("base", "eye", (0.0, 0.0, 0.0), body)), is_static=True)
    put_transforms(buffer, tf_message_of(transform_of("map", "base", (0.0, 0.0, 0.0), sec=100)), is_static=False)
    cloud = cloud_of(xyz_of(ASIDE, sigma=np.full(len(ASIDE), 0.01)))
    sources.sources._inputs["anchors"].hear(serialized(stamped(cloud, "map", NOW + late)))
    found = sources.anchors(stamp=NOW + late)["anchors"]
    np.testing.assert_allclose(found.sigmas, math.hypot(0.01, 0.5 * late), rtol=1e-3)


def test_points_are_less_sure_where_the_answer_changed_since_they_were_measured(make):
    sources = make()
    sources.sources._live = ("anchors",)
    cloud = cloud_of(xyz_of(AHEAD, sigma=np.full(len(AHEAD), 0.01)))
    sources.sources._inputs["anchors"].hear(serialized(stamped(cloud)))
    np.testing.assert_allclose(sources.anchors()["anchors"].sigmas, 0.01, rtol=1e-5)
    somebody = WALL.copy()
    somebody[:, :40] = 1.0
    found = sources.anchors(stamp=NOW + 0.1, answer=somebody)["anchors"]
    before = found.pixels[:, 0] < 80
    assert 0 < np.count_nonzero(before) < len(before)
    np.testing.assert_allclose(found.sigmas[~before], math.hypot(0.01, 0.05), rtol=1e-3)
    assert (found.sigmas[before] > 1.5).all()


def test_a_doubt_about_a_source_is_told_while_it_lasts(make):
    sources = make()
    sources.sources._live = ("anchors",)
    sources.sources._inputs["anchors"].hear(serialized(stamped(cloud_of(xyz_of(AHEAD)))))
    for step in range(3):
        found = sources.sources.measure("eye", NOW + step / 100)
        found(WALL, SEEN)
        said = SourceReport("anchors", 49, 0, {"disagrees": 49}, 1.5, False, "does not follow the picture. Check it")
        sources.sources.corrected(found, Report(1.5, 0.1, 0.0, 0.1, 0.4, 0.2, False, 0.0, (said,)))
    assert sources.status().level == Level.WARN
    assert "anchors does not follow the picture. Check it" in sources.status().message


def test_an_unknown_frame_is_named_with_both_frames_and_the_remedy(make):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), "map"))
    for _ in range(3):
        assert sources.anchors() == {}
    status = sources.status()
    assert status.level == Level.WARN
    assert "no tf between eye and map" in status.message
    assert "anchor_extrinsics" in status.message


def test_points_of_the_map_come_through_tf(make):
    sources = make()
    buffer = sources.sources._frames.buffer
    body = (0.5, -0.5, 0.5, -0.5)  # x y z w of an optical frame in a body frame
    put_transforms(buffer, tf_message_of(transform_of("base", "eye", (0.0, 0.0, 0.0), body)), is_static=True)
    put_transforms(buffer, tf_message_of(transform_of("map", "base", (10.0, 0.0, 0.0), sec=100)), is_static=False)
    sources.say("anchors", stamped(cloud_of(xyz_of(ASIDE + np.array((10, 0, 0)))), "map"))
    np.testing.assert_allclose(sources.anchors()["anchors"].depths, 3, rtol=1e-5)
    put_transforms(
        buffer, tf_message_of(transform_of("map", "base", (11.0, 0.0, 0.0), sec=100, nanosec=400_000_000)), False
    )
    np.testing.assert_allclose(sources.anchors(stamp=NOW + 0.4)["anchors"].depths, 2, rtol=1e-5)
    for late in (2.0, 3.0, 4.0):
        sources.say("anchors", stamped(cloud_of(xyz_of(ASIDE)), "map", NOW + late))
        assert sources.anchors(stamp=NOW + late) == {}
    assert "older" in sources.status().message


@pytest.mark.parametrize("frames", [("eye",), ("eye", "laser")])
@pytest.mark.parametrize("late", [0.0, 0.12])
def test_of_one_sensor_in_order_is_found_what_looking_through_all_finds(frames, late):
    random, now = np.random.default_rng(0), [NOW]
    subscriber = SimpleNamespace(subscription=SimpleNamespace(topic_name="/scan"))
    source = Input(Kind(LaserScan, lambda message: message), subscriber, SourceNotes("scan"), lambda: now[0])
    for _ in range(200):
        now[0] += random.choice((0.0, 0.05))
        header = SimpleNamespace(seconds=now[0] - random.choice((0.0, late)), frame_id=random.choice(frames))
        source.hear(SimpleNamespace(header=header))
        stamp, oldest = now[0] + random.choice((-0.6, -0.1, -0.025, 0.0, 0.3)), now[0] - random.choice((0.0, 0.2, 9.0))
        if source._of_one_sensor:
            expected = source._nearest_of_each(stamp, 0.25, oldest)
            assert [id(each) for each in source._nearest_of_one(stamp, 0.25, oldest)] == [id(each) for each in expected]
    assert source._of_one_sensor == (late == 0 and len(frames) == 1)


def test_the_message_nearest_to_the_image_is_used(make):
    sources = make(anchor_max_age=1.0)
    for late, depth in ((0.0, 2.0), (0.1, 3.0), (0.2, 4.0)):
        sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD * (1, 1, depth / 3))), stamp=NOW + late))
        sources.anchors()
    for late, depth in ((-0.5, 2.0), (0.04, 2.0), (0.12, 3.0), (0.9, 4.0)):
        np.testing.assert_allclose(sources.anchors(stamp=NOW + late)["anchors"].depths, depth, rtol=1e-6)


@pytest.mark.parametrize(
    ("late", "words"),
    [(5.0, "5.00 s older"), (-50.0, "50.00 s newer"), (-1e6, "another clock"), (2e9, "another clock")],
)
def test_stamps_of_another_clock_are_named(make, late, words):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    for _ in range(3):
        assert sources.anchors(stamp=NOW + late) == {}
    assert "stamps do not match" in sources.status().message
    assert words in sources.status().message


def test_what_cannot_be_read_is_named_and_the_next_one_used(make):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    sources.anchors()
    for data in (b"", b"\x00\x01\x00\x01", bytes(200), b"\x00\x01\x00\x00" + b"\xff" * 99):
        sources.say("anchors", data)
        sources.anchors()
    assert sources.sources.states(NOW)[0].messages >= 2
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD)), stamp=NOW + 0.1))
    assert len(sources.anchors()["anchors"].depths) == 49


def test_points_that_are_all_elsewhere_are_named_by_their_cause(make):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(-AHEAD))))
    for _ in range(3):
        assert not len(sources.anchors()["anchors"].depths)
    assert "behind the camera" in sources.status().message
    assert "49" in sources.status().message


def test_the_floor_is_a_source_where_the_height_is_known(make):
    right, below = SEEN.scale(112, 112).slopes()
    with np.errstate(divide="ignore"):
        floor = np.minimum(0.5 / np.maximum(math.cos(0.4) * below + math.sin(0.4), 1e-6) + 0 * right, 4.0)
    answer = floor.astype(np.float32) / np.float32(1.6)
    sources = make(camera_height=0.5, camera_pitch=0.4)
    found = sources.anchors(answer=answer)["floor"]
    cells = ((found.pixels + 0.5) / 2).astype(int)
    assert np.median(found.depths / floor[cells[:, 1], cells[:, 0]]) == pytest.approx(1, abs=0.03)


def test_an_inertial_unit_says_how_the_camera_is_tilted(make):
    below = SEEN.scale(112, 112).slopes()[1]
    with np.errstate(divide="ignore"):
        floor = np.minimum(0.5 / np.maximum(math.cos(0.4) * below + math.sin(0.4), 1e-6), 4.0)
    answer = np.repeat(floor, 112, axis=1).astype(np.float32)
    sources = make(camera_height=0.5, anchor_extrinsics="imu=0 0 0 0 0 0")
    pitched = Imu(orientation=Quaternion(x=0.0, y=math.sin(0.2), z=0.0, w=math.cos(0.2)))
    sources.say("imu", stamped(pitched, "imu"))
    found = sources.anchors(answer=answer)["floor"]
    assert np.median(found.depths / floor[((found.pixels[:, 1] + 0.5) / 2).astype(int), 0]) == pytest.approx(
        1, abs=0.03
    )


def tilted(pitch, upside_down=False):
    """A unit in the camera's body frame that looks down by an angle, or says so upside down."""
    sign = -1.0 if upside_down else 1.0
    message = Imu(orientation_covariance=[-1.0] + [0.0] * 8)
    message.linear_acceleration.x, message.linear_acceleration.z = (
        -9.81 * math.sin(pitch),
        sign * 9.81 * math.cos(pitch),
    )
    return message


def test_an_inertial_unit_that_is_upside_down_gives_no_floor_on_the_ceiling(make):
    sources = make(camera_height=0.5, anchor_extrinsics="imu=0 0 0 0 0 0")
    sources.sources._live = ("imu",)
    sources.sources._inputs["imu"].hear(serialized(stamped(tilted(0.1, upside_down=True), "imu")))
    assert sources.anchors() == {}
    message = sources.status().message
    assert "by imu pictures are upright at a rotation of 180 degrees, and rotation is 0" in message
    assert "anchor_extrinsics" in message


def test_an_inertial_unit_that_falls_silent_leaves_no_floor_at_another_tilt(make):
    sources = make(camera_height=0.5, camera_pitch=0.0, anchor_extrinsics="imu=0 0 0 0 0 0")
    sources.sources._live = ("imu",)
    sources.sources._inputs["imu"].hear(serialized(stamped(tilted(0.4), "imu")))
    assert "floor" in sources.anchors()
    for _ in range(3):
        sources.sources._robot.look_anew()
        assert sources.anchors(stamp=NOW + 3.0) == {}
    assert "imu says nothing at the image's time" in sources.status().message


def test_a_picture_in_a_body_frame_has_no_floor(make):
    """Drivers that name camera_link: its z points up, so that the camera would look at the ceiling."""
    sources = make(floor_frame="base_footprint")
    put_transforms(
        sources.sources._frames.buffer, tf_message_of(transform_of("base_footprint", "eye", (0.0, 0.0, 0.5))), True
    )
    assert sources.anchors() == {}
    assert "by base_footprint the camera looks straight up" in sources.status().message
    assert "optical" in sources.status().message


@pytest.mark.parametrize("rotation", turning.DOWN)
@pytest.mark.parametrize("pitch", [-0.5, 0.0, 0.8, 1.57])
@pytest.mark.parametrize("roll", [-0.7, 0.0, 0.7])
def test_whoever_is_mounted_as_rotation_says_has_a_floor(rotation, pitch, roll):
    across, along = turning.DOWN[rotation]
    level = np.array(
        (math.cos(roll) * across - math.sin(roll) * along, math.sin(roll) * across + math.cos(roll) * along)
    )
    check_upright((*(math.cos(pitch) * level), math.sin(pitch)), rotation, "imu")


def test_a_floor_frame_without_tf_is_named(make):
    sources = make(floor_frame="base_footprint")
    for _ in range(3):
        assert sources.anchors() == {}
    assert "no tf between eye and base_footprint" in sources.status().message


def test_poses_change_while_the_node_runs(make):
    sources = make(anchor_extrinsics="scan=0 0 0 0 0 0")
    sources.say("scan", stamped(LaserScan(angle_increment=0.1, range_max=9.0, ranges=[2.0] * 3), "laser"))
    assert sources.anchors()["scan"].depths[0] == pytest.approx(2)
    sources.sources.apply(validate({"anchor_extrinsics": "scan=0.5 0 0 0 0 0"}))
    assert sources.anchors()["scan"].depths[0] == pytest.approx(2.5)


def test_a_source_that_fell_silent_is_named(make):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    sources.anchors()
    states = sources.sources.states(NOW + 5)
    status = anchoring_status(states, sources.sources.correction)
    assert "fell silent 5 s ago" in status.message
    assert "remembered" in status.message


def test_numbers_are_plotted_under_the_sources_name(make):
    sources = make()
    sources.say("anchors", stamped(cloud_of(xyz_of(AHEAD))))
    sources.anchors()
    plotted = numbers(sources.sources.states(NOW), sources.sources.correction)
    assert plotted["anchoring_anchors_used"] == 49
    assert plotted["anchoring_anchors_ratio"] == 1.5
    assert plotted["anchoring_scale"] == 1.5


def test_what_is_wrong_with_a_message_that_is_used_all_the_same_is_said(make):
    sources = make()
    sources.sources._live = ("anchors",)
    covariance = np.tile((0.04, 0.04, 0.09, 0.0, 0.01, 0.0), (len(AHEAD), 1))  # xx yy zz xy xz yz
    message = stamped(cloud_of(xyz_of(AHEAD, covariance=covariance)))
    sources.sources._inputs["anchors"].hear(serialized(message))
    assert len(sources.anchors()["anchors"].depths) == len(AHEAD)
    status = sources.status()
    assert status.level == Level.WARN
    assert "anchors sends covariances that are none" in status.message


def test_two_places_of_a_static_frame_are_said_until_it_is_mended(make):
    sources = make()
    buffer = sources.sources._frames.buffer
    for y in (0.0, 0.3):
        put_transforms(buffer, tf_message_of(transform_of("base", "laser", (0.1, y, 0.0))), True)
    for now in (NOW, NOW + 600):
        assert "/tf_static has laser at two places" in sources.sources.report(now)[0].message
    put_transforms(buffer, tf_message_of(transform_of("base", "laser", (0.1, 0.3, 0.0))), True)
    assert sources.sources.report(NOW)[0].level == Level.OK


def test_a_source_that_nobody_publishes_is_not_asked(make):
    sources = make()
    assert sources.sources._live == ()


def test_what_was_wrong_with_tf_is_told_for_some_seconds(make):
    sources = make()
    buffer = sources.sources._frames.buffer
    for x in (0.0, 50.0):
        put_transforms(buffer, tf_message_of(transform_of("map", "base", (x, 0.0, 0.0), sec=100)), False)
    assert "base jumped 50.00 m in map" in sources.sources.report(NOW)[0].message
    assert "jumped" not in sources.sources.report(NOW + 60)[0].message


def good_messages():
    """One message of each source that is used as it is."""
    return {
        "anchors": stamped(cloud_of(xyz_of(AHEAD, sigma=np.full(len(AHEAD), 0.1)))),
        "scan": stamped(LaserScan(angle_min=-0.3, angle_increment=0.1, range_max=9.0, ranges=[2.0] * 7)),
        "range": stamped(Range(field_of_view=0.3, min_range=0.1, max_range=4.0, range=2.5)),
        "anchor_depth": stamped(depth_image_of(np.full((8, 8), 1500, np.uint16))),
        "imu": stamped(Imu(orientation=Quaternion(x=0.0, y=0.0, z=0.0, w=1.0))),
    }


@pytest.mark.parametrize("steps", mostly_slow([50, 300]))
def test_whatever_bytes_come_depth_goes_on(make, steps):
    sources = make(camera_height=0.5, anchor_extrinsics="scan=0 0 0 0 0 0; range=0 0 0 0 0 0; imu=0 0 0 0 0 0").sources
    sources._live = tuple(sources._inputs)
    sources._placing.depth_camera.hear(serialized(camera_info_of(8, 8, 9.0)))
    good = {name: serialized(message) for name, message in good_messages().items()}
    anchoring, random, used = Anchoring((112, 112)), np.random.default_rng(0), 0
    for step in range(steps):
        for name, data in good.items():
            spoilt = np.frombuffer(data, np.uint8).copy()
            places = random.integers(4, len(spoilt), random.integers(0, 4))
            spoilt[places] = random.choice((0, 1, 127, 128, 255), len(places))
            length = len(spoilt) if random.random() < 0.9 else random.integers(0, len(spoilt))
            sources._inputs[name].hear(spoilt[:length].tobytes())
        found = sources.measure("eye", NOW)
        anchors = found(WALL, SEEN) if found else ()
        corrected = anchoring.correct(WALL, anchors, NOW + step / 30, sigma=True)
        sources.corrected(found, corrected.report)
        used += sum(each.used for each in corrected.report.sources)
        assert np.isfinite(corrected.depth).all()
        assert (corrected.depth > 0).all()
        assert sources.report(NOW)[0].message
    assert used > 3 * steps, "most of them are used as ever"


def test_an_inertial_unit_says_which_way_up_the_camera_is(make):
    """The camera lies on its right side: down is to the right in its picture, which is -y of its body."""
    sources = make(rotation="auto", anchor_extrinsics="imu=0 0 0 0 0 0")
    assert sources.sources.turn("eye", NOW) == "0"
    assert "neither `imu` nor floor_frame" in sources.sources.upright_problem
    lying = Imu(orientation_covariance=[-1.0] + [0.0] * 8)
    lying.linear_acceleration.y = 9.81
    sources.say("imu", stamped(lying, "imu"))
    assert sources.sources.turn("eye", NOW) == "90"
    assert sources.sources.upright_problem == ""
    assert sources.sources.turn("eye", NOW + 9) == "90", "it was so before"
    lying.linear_acceleration.y = 3.0
    sources.say("imu", stamped(lying, "imu", NOW + 1))
    assert sources.sources.turn("eye", NOW + 1) == "90"
    assert "not that of a unit at rest" in sources.sources.upright_problem


def test_floor_frame_says_which_way_up_the_camera_is(make):
    sources = make(rotation="auto", floor_frame="base")
    assert sources.sources.turn("eye", NOW) == "0"
    assert "base" in sources.sources.upright_problem
    turned = transform_of("eye", "base", (0.0, 0.0, 0.0), (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5)))
    put_transforms(sources.sources._frames.buffer, tf_message_of(turned), is_static=True)
    assert sources.sources.turn("eye", NOW) == "270", "z of base is x of the picture: up is to the right"


def test_tf_that_an_override_forbids_is_not_subscribed_to_again_and_again(monkeypatch):
    def subscribe(_kind, topic, _qos):
        if topic == "/tf_static":
            raise SettingError(f"a qos_override of {topic} is not allowed", "")
        return topic

    monkeypatch.setattr(anchor_tf, "tf_message", lambda: object)
    robot = RobotFrames(subscribe)
    for _ in range(3):
        with pytest.raises(AnchorError):
            robot.pose("scan", "laser", "camera", 1.0)
        robot.keep_up()
    with pytest.raises(AnchorError, match="qos_override of /tf_static"):
        robot.pose("scan", "laser", "camera", 1.0)
    assert robot.release() == ["/tf"]
