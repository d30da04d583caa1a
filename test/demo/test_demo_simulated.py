"""Simulated sensors of the demo: their messages, read as the node reads them, say what `fastdepth eval` simulates."""

import numpy as np
import pytest

from fastdepth_ros import cdr
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.in_view import in_view
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.demo.simulated import Simulated, floor_points
from fastdepth_ros.demo.truth import camera_of
from fastdepth_ros.evaluation.sensors import Scene, parse
from fastdepth_ros.messages.camera_info import intrinsics_of
from fastdepth_ros.messages.measurements import READERS, measurement_of
from fastdepth_ros.messages.motion import read_down
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.network import PRUNED
from fastdepth_ros.parameters import extrinsics_of
from fastdepth_ros.recording import Recording, find_camera
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import FRAME_ID, FRAMES, IMAGE_TOPIC, write_room

ALL = "vo:150,uniform:20,tof:8x8,lidar,range,floor:1.5"
MANIFEST = Manifest("any", PRUNED)


class Watched(Simulated):
    """Keeps the scenes that the sensors looked at."""

    def _look(self, scene: Scene, *args):
        self.scenes = [*getattr(self, "scenes", []), scene]
        super()._look(scene, *args)


@pytest.fixture(scope="module")
def room(tmp_path_factory, atlas):
    """Recording of the first two images of the room."""
    folder = tmp_path_factory.mktemp("room") / "recording"
    write_room(folder, frames=2, atlas=atlas)
    return folder


@pytest.fixture(scope="module")
def played(room):
    """The two images with all sensors: the simulation, and the messages in their order."""
    with Recording.open(room) as recording:
        topics = find_camera(recording)
        made = Watched(recording, topics, camera_of(recording, topics), MANIFEST, parse(ALL), seed=3)
        return made, list(made.beside(recording, topics.names))


def seen_by(measurement, seen):
    """Anchors of a measurement, also of points that something nearer might hide."""
    anchors = measurement.sight(np.full((112, 112), 5.0, np.float32), seen, 0.0).anchors
    if isinstance(measurement, PointMeasurement):
        view = in_view(measurement.xyz, measurement.sigmas, seen)
        return anchors._replace(pixels=view.pixels, depths=view.depths)
    return anchors


def sights(made, messages):
    """Anchors of each message of one image, placed as the node places them: topic -> lists of pixels and depths."""
    frames, info, found = Frames(extrinsics_of(made.parameters["anchor_extrinsics"])), None, {}
    for message in messages:
        name = message.topic.name[1:]
        if name == "anchor_depth/camera_info":
            info = intrinsics_of(unpack_camera_info(message.data))
        elif name in READERS:
            read = READERS[name](message.data)
            pose = frames.pose(name, read.header.frame_id, FRAME_ID, 0.0)
            measurement, lost = measurement_of(name, read, pose, info)
            assert not lost
            found.setdefault(name, []).append(seen_by(measurement, made._seen))
    return found


def test_messages_go_out_before_their_image_with_its_stamp(played):
    made, messages = played
    images = [index for index, message in enumerate(messages) if message.topic.name == IMAGE_TOPIC]
    assert len(images) == 2
    before = [message for message in messages[: images[0]] if message.topic in made.topics]
    assert {message.topic.name for message in before} == {topic.name for topic in made.topics}
    assert {cdr.stamp_of(message.data) for message in before} == {cdr.stamp_of(messages[images[0]].data)}
    assert [message.time for message in messages] == sorted(message.time for message in messages)


@pytest.mark.parametrize("image", [0, 1])
def test_the_node_reads_out_of_them_what_the_sensors_measured(played, image):
    made, messages = played
    bounds = [-1, *(i for i, message in enumerate(messages) if message.topic.name == IMAGE_TOPIC)]
    found = sights(made, messages[bounds[image] + 1 : bounds[image + 1]])
    scene, sensors = made.scenes[image], {sensor.name: sensor for sensor in parse(ALL)}
    for name, source, at in (("vo:150", "anchors", 0), ("uniform:20", "anchors", 1), ("tof:8x8", "anchor_depth", 0)):
        wanted, got = sensors[name].anchors(scene, 3, image), found[source][at]
        order, other = (np.lexsort(each.pixels.T.round(0)) for each in (wanted, got))
        if name == "tof:8x8":
            assert np.abs(got.pixels[other] - wanted.pixels[order]).max() < 1
            assert got.zone == pytest.approx(wanted.zone, rel=0.01)
        else:
            assert np.abs(got.pixels[other] - wanted.pixels[order]).max() < 1e-3
        np.testing.assert_allclose(got.depths[other], wanted.depths[order], atol=1e-3)
    scan, wanted = found["scan"][0], sensors["lidar"].anchors(scene, 3, image)
    nearest = np.abs(scan.pixels[:, None, 0] - wanted.pixels[None, :, 0]).argmin(1)
    assert len(scan.depths) >= 50
    np.testing.assert_allclose(scan.depths, wanted.depths[nearest], rtol=1e-4)
    assert np.abs(scan.pixels[:, 1] - 112).max() < 0.1
    ranged = found["range"][0]
    assert len(ranged.depths) == 1
    assert ranged.depths[0] == pytest.approx(sensors["range"].anchors(scene, 3, image).depths[0], rel=0.01)
    assert np.abs(ranged.pixels[0] - 112).max() < 6


def test_the_inertial_unit_says_where_down_is(played):
    made, messages = played
    frames = Frames(extrinsics_of(made.parameters["anchor_extrinsics"]))
    assert made.parameters["camera_height"] == 1.5
    downs = [read_down(message.data) for message in messages if message.topic.name == "/imu"]
    assert len(downs) == 2
    for index, down in enumerate(downs):
        pose = frames.pose("imu", down.header.frame_id, FRAME_ID, 0.0)
        world = pose_at(index / FRAMES).axes @ np.array((0.0, 0.0, -1.0))
        assert float(world @ (pose.rotation @ down.direction)) > np.cos(np.radians(1.5))


def test_there_is_no_floor_in_a_wall():
    random = np.random.default_rng(0)
    wall = np.column_stack((random.uniform(-2, 2, (4000, 2)), np.full(4000, 3.0)))
    assert not floor_points(wall, 1.5).any()
    assert not floor_points(wall[:5], 1.5).any()


def test_the_same_seed_measures_the_same_and_another_one_something_else(room, played):
    made, _ = played
    with Recording.open(room) as recording:
        topics = find_camera(recording)
        camera, stamp = camera_of(recording, topics), cdr.stamp_of(recording.first(IMAGE_TOPIC).data)
        again, other = (Simulated(recording, topics, camera, MANIFEST, parse(ALL), seed=seed) for seed in (3, 4))
        np.testing.assert_array_equal(again.points(stamp), made.points(stamp))
        assert (
            other.points(stamp).shape != made.points(stamp).shape or (other.points(stamp) != made.points(stamp)).any()
        )
