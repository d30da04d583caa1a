"""Measured depths in recordings: which topics they are, and how they are played beside the images."""

import numpy as np
import pytest
from anchor_messages import cloud_of, depth_image_of, header, serialized, tf_message_of, transform_of, xyz_of
from bags import START
from sensor_msgs.msg import CameraInfo, Image, LaserScan, Range
from test_recording_player import PATIENCE, graph, heard_by, of  # noqa: F401  a fixture, and what goes with it

from fastdepth_ros.errors import AnchorError, RecordingError, SettingError
from fastdepth_ros.messages.motion import read_transforms, restamped_transforms
from fastdepth_ros.recording import Recording, RecordingWriter, find_camera
from fastdepth_ros.recording.anchors import chosen_topics, find_anchors
from fastdepth_ros.recording.placed import Placer

PERIOD = 40_000_000
EYE = "eye_optical_frame"


def picture(encoding="rgb8", width=8, height=6, frame=EYE):
    size = {"rgb8": 3, "16UC1": 2}[encoding]
    message = Image(header=header(frame), width=width, height=height, encoding=encoding, step=size * width)
    message.data.frombytes(bytes([7]) * (size * width * height))
    return message


def points(count=20, frame="map", **more):
    random = np.random.default_rng(0)
    return cloud_of(xyz_of(random.normal((0, 0, 3), 1, (count, 3))), header=header(frame), **more)


def record(path, *messages):
    """A recording of (topic, message) pairs at one moment."""
    with RecordingWriter(path) as writer:
        for topic, message in messages:
            kind = (
                "tf2_msgs/msg/TFMessage" if isinstance(message, bytes) else f"sensor_msgs/msg/{type(message).__name__}"
            )
            writer.write(topic, kind, START, message if isinstance(message, bytes) else serialized(message))
    return path


def found_in(path, chosen=None):
    with Recording.open(path) as recording:
        return find_anchors(recording, find_camera(recording), chosen)


def names_of(found):
    return {source: topic.name for source, topic in found.sources.items()}


def test_points_scans_ranges_and_matrices_are_found_by_their_type(tmp_path):
    path = record(
        tmp_path / "bag",
        ("/cam/image_raw", picture()),
        ("/vio/landmarks", points()),
        ("/lidar", LaserScan(header=header("laser"))),
        ("/sonar", Range(header=header("sonar"))),
        ("/tof/image", depth_image_of(np.ones((8, 8), np.uint16))),
        ("/tof/camera_info", CameraInfo(header=header("tof"))),
        ("/tf_static", tf_message_of(transform_of("base", EYE))),
    )
    found = found_in(path)
    assert names_of(found) == {
        "anchors": "/vio/landmarks",
        "scan": "/lidar",
        "range": "/sonar",
        "anchor_depth": "/tof/image",
    }
    assert found.depth_info.name == "/tof/camera_info"
    assert [topic.name for topic in found.transforms] == ["/tf_static"]
    assert found.left_out == ()


def test_what_was_computed_from_pictures_or_is_the_truth_is_no_anchor(tmp_path):
    path = record(
        tmp_path / "bag",
        ("/cam/image_raw", picture()),
        ("/cam/depth/image", picture("16UC1", 320, 240)),
        ("/robot/depth/points", points()),
        ("/rgbd/points", points(640 * 100, height=100)),
    )
    assert found_in(path).sources == {}
    with Recording.open(path) as recording:
        assert find_camera(recording).ground_truth.name == "/cam/depth/image"


def test_a_matrix_of_zones_is_not_taken_for_the_true_depth(tmp_path):
    path = record(
        tmp_path / "bag", ("/cam/image_raw", picture()), ("/tof/image", depth_image_of(np.ones((8, 8), np.uint16)))
    )
    with Recording.open(path) as recording:
        assert find_camera(recording).ground_truth is None
        assert find_camera(recording, ground_truth="/tof/image").ground_truth.name == "/tof/image"
    assert "/tof/image was left out: the recording holds no camera_info" in found_in(path).left_out[0]


def test_of_two_clouds_the_one_that_is_called_a_map_is_taken_and_the_other_named(tmp_path):
    path = record(
        tmp_path / "bag", ("/cam/image_raw", picture()), ("/a", points()), ("/b", points()), ("/slam/map", points())
    )
    found = found_in(path)
    assert names_of(found) == {"anchors": "/slam/map"}
    assert "not /a, /b" in found.left_out[0]


def test_topics_are_named_and_left_out_by_their_user(tmp_path):
    path = record(tmp_path / "bag", ("/cam/image_raw", picture()), ("/a", points()), ("/b", points()))
    assert names_of(found_in(path, chosen_topics(["anchors=/b"]))) == {"anchors": "/b"}
    assert names_of(found_in(path, chosen_topics(["anchors="]))) == {}
    with pytest.raises(RecordingError, match="has no topic /c"):
        found_in(path, chosen_topics(["anchors=/c"]))
    with pytest.raises(RecordingError, match="scan takes sensor_msgs/msg/LaserScan"):
        found_in(path, chosen_topics(["scan=/a"]))
    with pytest.raises(SettingError, match="names no source"):
        chosen_topics(["radar=/a"])
    with pytest.raises(SettingError, match="names no source"):
        chosen_topics(["scan"])


def test_points_of_the_map_are_brought_into_the_cameras_frame_by_the_recorded_tf(tmp_path):
    path = record(
        tmp_path / "bag",
        ("/cam/image_raw", picture()),
        ("/tf", tf_message_of(transform_of("map", "base", (1.0, 0.0, 0.0), nanosec=250_000_000))),
        ("/tf_static", tf_message_of(transform_of("base", EYE, (0.0, 2.0, 0.0)))),
        ("/slam/map", points()),
    )
    with Recording.open(path) as recording:
        found = find_anchors(recording, find_camera(recording))
        placer = Placer(recording, found, EYE, {})
        assert placer.fixed("anchors", "map") is None
        np.testing.assert_allclose(placer.fixed("anchors", "base").translation, (0, -2, 0))
        (placed,) = placer.place_at(0.0)
        inside = np.random.default_rng(0).normal((0, 0, 3), 1, (20, 3)) - np.array((1, 2, 0))
        np.testing.assert_allclose(placed.measurement.xyz, inside, atol=1e-5)


def test_a_frame_that_nothing_tells_of_is_named(tmp_path):
    path = record(tmp_path / "bag", ("/cam/image_raw", picture()), ("/slam/map", points()))
    with Recording.open(path) as recording:
        placer = Placer(recording, find_anchors(recording, find_camera(recording)), EYE, {})
        with pytest.raises(AnchorError, match="the recording holds no tf"):
            placer.place_at(0.0)


@pytest.mark.parametrize("frames", [("a", "b"), ("abcdefg", "hij"), ("x", "yz")])
def test_transforms_get_new_stamps_and_nothing_else_changes(frames):
    data = tf_message_of(*(transform_of(frame, f"{frame}_child", (1.0, 2.0, 3.0), sec=9) for frame in frames))
    moved = restamped_transforms(data, lambda stamp: stamp + 5_000_000_001)
    assert len(moved) == len(data)
    for before, after in zip(read_transforms(data), read_transforms(moved), strict=True):
        assert (after.header.sec, after.header.nanosec) == (14, 1)
        assert after._replace(header=None) == before._replace(header=None)
        assert after.header.frame_id == before.header.frame_id
    with pytest.raises(AnchorError, match="cannot be read"):
        restamped_transforms(data[:-9], lambda stamp: stamp)


@pytest.fixture(scope="module")
def sensed(tmp_path_factory):
    """12 pictures at 25 Hz, each with points that were measured 30 ms before it and came 10 ms after it."""
    folder = tmp_path_factory.mktemp("sensed") / "bag"
    with RecordingWriter(folder) as writer:
        for index in range(12):
            stamp = START + index * PERIOD
            for topic, message, measured, came in (
                ("/cam/image_raw", picture(), stamp, stamp),
                ("/slam/map", points(), stamp - 30_000_000, stamp + 10_000_000),
            ):
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(measured, 10**9)
                writer.write(topic, f"sensor_msgs/msg/{type(message).__name__}", came, serialized(message))
    return folder


@pytest.mark.parametrize("rate", ["1", "0.5"])
def test_stamps_of_points_stay_as_far_from_the_images_as_they_were(graph, sensed, rate):  # noqa: F811
    listener = graph.listen(24, "/cam/image_raw=Image", "/slam/map=PointCloud2")
    assert graph.play(sensed, "--rate", rate).wait(PATIENCE) == 0
    heard = heard_by(listener)
    images, clouds = of(heard, "/cam/image_raw"), of(heard, "/slam/map")
    lags = [image["stamp"] - cloud["stamp"] for image, cloud in zip(images, clouds, strict=True)]
    assert lags == [round(30_000_000 / float(rate))] * 12
    assert {entry["frame"] for entry in clouds} == {"map"}


def test_points_are_published_where_they_are_asked_for_or_not_at_all(graph, sensed):  # noqa: F811
    listener = graph.listen(24, "/cam/image_raw=Image", "/robot/anchors=PointCloud2")
    assert graph.play(sensed, "--publish", "anchors=/robot/anchors").wait(PATIENCE) == 0
    assert len(of(heard_by(listener), "/robot/anchors")) == 12
    alone = graph.play(sensed, "--camera-only", "--wait", "0.1")
    _, words = alone.communicate(timeout=PATIENCE)
    assert "/slam/map" not in words
