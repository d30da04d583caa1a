"""A place may be learned from what a robot's other sensors measured there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.adapting.measured import NEAR, Sensors, drawn, measured
from fastdepth_ros.adapting.place import place_of
from fastdepth_ros.anchoring.poses import IDENTITY
from fastdepth_ros.anchoring.sightings import placed
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError, RecordingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.parameters import extrinsics_of
from fastdepth_ros.recording import RecordingWriter

STORE = get_typestore(Stores.ROS2_HUMBLE)
TYPES = STORE.types
START = 1_600_000_000_000_000_000
WIDTH, HEIGHT, FOCAL = 160, 120, 100.0
EYE = "eye_optical_frame"


def header(stamp: int, frame: str) -> object:
    time = TYPES["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9)
    return TYPES["std_msgs/msg/Header"](time, frame)


def write(path: Path, *messages: tuple[str, object]) -> Path:
    """A recording of (topic, message) pairs, one a millisecond."""
    with RecordingWriter(path) as writer:
        for index, (topic, message) in enumerate(messages):
            put(writer, topic, START + index * 10**6, message)
    return path


def put(writer: RecordingWriter, topic: str, time: int, message: object) -> None:
    kind = message.__msgtype__
    writer.write(topic, kind, time, bytes(STORE.serialize_cdr(message, kind)))


def picture(stamp: int, grey: int = 7) -> object:
    data = np.full(WIDTH * HEIGHT * 3, grey, np.uint8)
    return TYPES["sensor_msgs/msg/Image"](header(stamp, EYE), HEIGHT, WIDTH, "rgb8", 0, WIDTH * 3, data)


def calibrated(stamp: int = START) -> object:
    k = np.array([FOCAL, 0, 80, 0, FOCAL, 60, 0, 0, 1], np.float64)
    p = np.array([FOCAL, 0, 80, 0, 0, FOCAL, 60, 0, 0, 0, 1, 0], np.float64)
    none = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    rest = (HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).ravel(), p, 0, 0, none)
    return TYPES["sensor_msgs/msg/CameraInfo"](header(stamp, EYE), *rest)


def cloud(stamp: int, xyz: list[tuple[float, float, float]], frame: str = EYE) -> object:
    field = TYPES["sensor_msgs/msg/PointField"]
    fields = [field(name, 4 * i, 7, 1) for i, name in enumerate("xyz")]
    data = np.frombuffer(np.array(xyz, np.float32).tobytes(), np.uint8)
    sizes = (1, len(xyz), fields, False, 12, 12 * len(xyz))
    return TYPES["sensor_msgs/msg/PointCloud2"](header(stamp, frame), *sizes, data, True)


def scan(stamp: int, frame: str = "laser") -> object:
    ranges = np.full(21, 2.0, np.float32)
    line = (-0.5, 0.5, 0.05, 0.0, 0.1, 0.1, 10.0, ranges, np.zeros(0, np.float32))
    return TYPES["sensor_msgs/msg/LaserScan"](header(stamp, frame), *line)


def test_points_are_depths_of_the_pixels_where_they_lie(tmp_path: Path) -> None:
    points = [(0.0, 0.0, 2.0), (0.4, -0.2, 2.0), (0.0, 0.0, -1.0), (9.0, 0.0, 2.0)]
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw", picture(START)),
        ("/cam/camera_info", calibrated()),
        ("/slam/map", cloud(START + NEAR // 2, points)),
        ("/cam/image_raw", picture(START + 3 * NEAR)),
    )
    (frame,) = measured(path, Sensors())
    assert frame.camera is not None
    assert frame.depth is not None
    assert np.argwhere(frame.depth).tolist() == [[50, 100], [60, 80]]
    assert frame.depth[60, 80] == frame.depth[50, 100] == 2.0


def test_each_picture_takes_what_was_measured_nearest_in_time(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("/cam/camera_info", calibrated())]
    for i in range(4):
        stamp = START + i * NEAR
        rows += [
            ("/cam/image_raw", picture(stamp, 10 * i)),
            ("/slam/map", cloud(stamp + NEAR // 5, [(0.0, 0.0, 1.0 + i)])),
        ]
    frames = measured(write(tmp_path / "bag", *rows), Sensors())
    assert [frame.pixels[0, 0, 0] for frame in frames] == [0, 10, 20, 30]
    assert [float(frame.depth.max()) for frame in frames if frame.depth is not None] == [1.0, 2.0, 3.0, 4.0]


def test_a_lidar_s_place_is_told_by_its_user(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw", picture(START)),
        ("/cam/camera_info", calibrated()),
        ("/lidar", scan(START)),
    )
    with pytest.raises(AnchorError):
        measured(path, Sensors())
    (frame,) = measured(path, Sensors(poses=extrinsics_of("scan=0 0 -0.2 0 0 0")))
    assert frame.depth is not None
    rows, columns = np.nonzero(frame.depth)
    assert len(rows) >= 15
    # Two metres ahead and 0.2 m below, a beam lies ten pixels below the middle; those beside it are nearer in z.
    assert frame.depth[70, 80] == pytest.approx(2.0, abs=1e-3)
    assert columns.min() < 40 < 120 < columns.max()
    assert (frame.depth[rows, columns] <= 2.0 + 1e-3).all()


def test_a_recording_without_sensors_or_camera_info_is_refused(tmp_path: Path) -> None:
    alone = write(tmp_path / "alone", ("/cam/image_raw", picture(START)), ("/cam/camera_info", calibrated()))
    with pytest.raises(RecordingError, match="no measured depths"):
        measured(alone, Sensors())
    blind = write(tmp_path / "blind", ("/cam/image_raw", picture(START)), ("/slam/map", cloud(START, [(0, 0, 2)])))
    with pytest.raises(RecordingError, match="no camera_info"):
        measured(blind, Sensors())
    with pytest.raises(RecordingError, match="no topic /other"):
        measured(alone, Sensors({"anchors": "/other"}))


def test_of_points_on_one_pixel_the_nearest_counts_and_those_beside_it_stay() -> None:
    camera = Intrinsics(WIDTH, HEIGHT, FOCAL, FOCAL, 80, 60)
    xyz = np.array([(0.0, 0.0, 3.0), (0.0, 0.0, 1.0), (0.06, 0.0, 3.0)])
    points, _ = placed("anchors", xyz, None, IDENTITY)
    depth = drawn([points], Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), None, camera))
    assert sorted(depth[depth > 0].tolist()) == [1.0, 3.0]
    assert (depth[60, 80], depth[60, 82]) == (1.0, 3.0)


def test_a_place_of_points_is_learned_and_judged_by_them(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("/cam/camera_info", calibrated())]
    random = np.random.default_rng(0)
    for i in range(20):
        stamp = START + i * NEAR
        xyz = random.uniform((-1, -0.8, 2), (1, 0.8, 2.5), (40, 3)).tolist()
        rows += [("/cam/image_raw", picture(stamp)), ("/slam/map", cloud(stamp, xyz))]
    path = write(tmp_path / "bag", *rows)
    place = place_of([path], 0.2, read=lambda path: measured(path, Sensors()))
    assert (len(place.learned), len(place.held)) == (16, 4)
    for frame in (*place.learned, *place.held):
        assert frame.depth is not None
        assert 35 <= (frame.depth > 0).sum() < 200


def test_a_sensor_that_moves_is_placed_by_the_tf_of_its_time(tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    from anchor_messages import tf_message_of, transform_of

    with RecordingWriter(tmp_path / "bag") as writer:
        put(writer, "/cam/camera_info", START, calibrated())
        put(writer, "/cam/image_raw", START, picture(START))
        put(writer, "/slam/map", START, cloud(START, [(0.0, 0.0, 2.0)], "map_optical_frame"))
        # Told after the points, as tf is.
        told = tf_message_of(transform_of(EYE, "map_optical_frame", (0.0, 0.0, 1.0), sec=START // 10**9))
        writer.write("/tf", "tf2_msgs/msg/TFMessage", START + 10**7, told)
        put(writer, "/cam/image_raw", START + 10**9, picture(START + 10**9))
    (frame,) = measured(tmp_path / "bag", Sensors())
    assert frame.depth is not None
    assert float(frame.depth.max()) == pytest.approx(3.0)
