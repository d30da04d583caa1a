"""A place may be learned from what a robot's other sensors measured there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from recorded import EYE, START, TYPES, calibrated, cloud, header, picture, put, scan, write

from fastdepth_ros.adapting import place
from fastdepth_ros.adapting.measured import NEAR, Sensors, _settled, measured
from fastdepth_ros.adapting.teaching import Seen
from fastdepth_ros.anchoring.cones import ConeMeasurement
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.errors import AnchorError, RecordingError
from fastdepth_ros.parameters import extrinsics_of
from fastdepth_ros.recording import Message, RecordingWriter
from fastdepth_ros.recording.anchors import AnchorTopics
from fastdepth_ros.recording.reader import Topic

if TYPE_CHECKING:
    from fastdepth_ros.recording import Recording
    from fastdepth_ros.recording.placed import Placer


def points_of(seen: Seen) -> np.ndarray:
    """The points of the only measurement of a picture, (n, 3) in the camera's optical frame."""
    ((measurement, _),) = seen.measured
    assert isinstance(measurement, PointMeasurement)
    return measurement.xyz


def test_pictures_come_with_the_points_of_their_time(tmp_path: Path) -> None:
    points = [(0.0, 0.0, 2.0), (0.4, -0.2, 2.0), (0.0, 0.0, -1.0), (9.0, 0.0, 2.0)]
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw", picture(START)),
        ("/cam/camera_info", calibrated()),
        ("/slam/map", cloud(START + NEAR // 2, points)),
        ("/cam/image_raw", picture(START + 3 * NEAR)),
    )
    (seen,) = measured(path, Sensors())
    assert seen.frame.camera is not None
    assert seen.frame.depth is None
    assert seen.time == pytest.approx(START / 1e9)
    assert seen.measured[0][1] == pytest.approx(-NEAR / 2e9)
    assert np.allclose(points_of(seen), points)


def test_messages_that_were_cut_short_are_left_out(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "bag") as writer:
        put(writer, "/cam/image_raw", START, picture(START))
        put(writer, "/cam/camera_info", START, calibrated())
        put(writer, "/slam/map", START, cloud(START, [(0.0, 0.0, 2.0)]))
        writer.write("/cam/image_raw", "sensor_msgs/msg/Image", START + 1, b"\0\1\0\0\5")
        writer.write("/slam/map", "sensor_msgs/msg/PointCloud2", START + 1, b"\0\1\0\0\5")
    assert len(measured(tmp_path / "bag", Sensors())) == 1


def test_each_picture_takes_what_was_measured_nearest_in_time(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("/cam/camera_info", calibrated())]
    for i in range(4):
        stamp = START + i * NEAR
        rows += [
            ("/cam/image_raw", picture(stamp, 10 * i)),
            ("/slam/map", cloud(stamp + NEAR // 5, [(0.0, 0.0, 1.0 + i)])),
        ]
    seen = measured(write(tmp_path / "bag", *rows), Sensors())
    assert [each.frame.pixels[0, 0, 0] for each in seen] == [0, 10, 20, 30]
    assert [points_of(each)[0, 2] for each in seen] == [1.0, 2.0, 3.0, 4.0]


def test_of_a_long_recording_some_pictures_are_taken_with_what_was_measured_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "MOST_FRAMES", 4)
    rows: list[tuple[str, object]] = [("/cam/camera_info", calibrated())]
    for i in range(11):
        stamp = START + i * NEAR
        rows += [
            ("/cam/image_raw", picture(stamp, 10 * i)),
            ("/slam/map", cloud(stamp, [(0.0, 0.0, 1.0 + i)])),
        ]
    seen = measured(write(tmp_path / "bag", *rows), Sensors())
    assert [each.frame.pixels[0, 0, 0] for each in seen] == [0, 40, 80]
    assert [points_of(each)[0, 2] for each in seen] == [1.0, 5.0, 9.0]


def test_a_lidar_s_place_is_told_by_its_user(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw", picture(START)),
        ("/cam/camera_info", calibrated()),
        ("/lidar", scan(START)),
    )
    with pytest.raises(AnchorError):
        measured(path, Sensors())
    (seen,) = measured(path, Sensors(poses=extrinsics_of("scan=0 0 -0.2 0 0 0")))
    xyz = points_of(seen)
    assert len(xyz) >= 20
    assert xyz[:, 1] == pytest.approx(0.2)
    assert np.hypot(xyz[:, 0], xyz[:, 2]) == pytest.approx(2.0)


def test_a_range_is_measured_of_a_cone(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw", picture(START)),
        ("/cam/camera_info", calibrated()),
        ("/sonar", TYPES["sensor_msgs/msg/Range"](header(START, "sonar"), 0, 0.3, 0.1, 4.0, 1.5)),
    )
    (seen,) = measured(path, Sensors(poses=extrinsics_of("range=0 0 0 0 0 0")))
    ((cone, _),) = seen.measured
    assert isinstance(cone, ConeMeasurement)
    assert cone.distance == pytest.approx(1.5)


def test_a_recording_without_sensors_or_camera_info_is_refused(tmp_path: Path) -> None:
    alone = write(tmp_path / "alone", ("/cam/image_raw", picture(START)), ("/cam/camera_info", calibrated()))
    with pytest.raises(RecordingError, match="no measured depths"):
        measured(alone, Sensors())
    blind = write(tmp_path / "blind", ("/cam/image_raw", picture(START)), ("/slam/map", cloud(START, [(0, 0, 2)])))
    with pytest.raises(RecordingError, match="no camera_info"):
        measured(blind, Sensors())
    with pytest.raises(RecordingError, match="no topic /other"):
        measured(alone, Sensors({"anchors": "/other"}))


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
    (seen,) = measured(tmp_path / "bag", Sensors())
    assert points_of(seen)[0, 2] == pytest.approx(3.0)


def test_messages_of_a_clock_that_stood_do_not_all_wait_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait until tf of their time was heard, which is never later."""
    taken: list[int] = []

    def messages(_: object) -> Iterator[Message]:
        for number in range(100):
            taken.append(number)
            yield Message(Topic("/slam/map", "sensor_msgs/msg/PointCloud2", 100), START, bytes(1000))

    monkeypatch.setattr("fastdepth_ros.adapting.measured.MOST_WAITING", 5000)
    found = _settled(cast("Recording", SimpleNamespace(messages=messages)), cast("Placer", None), AnchorTopics({}), ())
    for number, _ in enumerate(found):
        assert len(taken) - number <= 7
    assert number == 99
