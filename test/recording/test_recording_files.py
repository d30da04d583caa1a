"""Recordings of every kind are read, and what is written can be read again."""

import shutil
from contextlib import suppress

import cv2
import numpy as np
import pytest
from bags import START, STORE, TYPES, camera_info, compressed, header, image, write
from jpegs import jpeg
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from fastdepth_ros import cdr
from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording import Recording, RecordingWriter, UnpackedRecording, find_camera
from fastdepth_ros.recording.depth import decode_depth, encode_depth


def test_what_was_written_is_read_again_in_order(tmp_path):
    pictures = [image(stamp=START + i) for i in range(5)]
    path = write(tmp_path / "bag", *[("/image", p) for p in pictures], ("/camera_info", camera_info()))
    assert "version: 8" in (path / "metadata.yaml").read_text()
    with Recording.open(path) as recording:
        assert recording.topics["/image"].messages == 5
        assert recording.duration == pytest.approx(0.005)
        read = list(recording.messages(["/image"]))
        assert [m.time for m in read] == [START + i * 10**6 for i in range(5)]
        for message, picture in zip(read, pictures, strict=True):
            decoded = recording.decode(message)
            assert decoded.header == picture.header
            assert (decoded.data == picture.data).all()


def test_a_storage_file_can_be_named_without_its_folder(tmp_path):
    write(tmp_path / "bag", ("/image", image()))
    with Recording.open(tmp_path / "bag" / "bag.mcap") as recording:
        assert find_camera(recording).image.name == "/image"


@pytest.mark.parametrize("plugin", list(StoragePlugin), ids=lambda p: p.name)
@pytest.mark.parametrize("mode", [CompressionMode.NONE, CompressionMode.FILE, CompressionMode.MESSAGE])
def test_every_storage_and_compression_is_read(tmp_path, plugin, mode):
    writer = Writer(tmp_path / "bag", version=8, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=STORE)
        for index in range(3):
            raw = STORE.serialize_cdr(image(stamp=START + index), "sensor_msgs/msg/Image")
            writer.write(connection, START + index, bytes(raw))
    with Recording.open(tmp_path / "bag") as recording:
        assert [cdr.stamp_of(m.data) for m in recording.messages()] == [START, START + 1, START + 2]


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_stamp_is_read_and_replaced_in_the_bytes(order):
    raw = bytes(STORE.serialize_cdr(image(stamp=START + 42), "sensor_msgs/msg/Image", little_endian=order == "little"))
    assert cdr.stamp_of(raw) == START + 42
    assert cdr.frame_of(raw) == "camera"
    changed = STORE.deserialize_cdr(cdr.with_stamp(raw, 5_000_000_007), "sensor_msgs/msg/Image")
    assert (changed.header.stamp.sec, changed.header.stamp.nanosec) == (5, 7)
    assert (changed.data == 7).all()
    with pytest.raises(ValueError, match="no header"):
        cdr.stamp_of(raw[:9])


def test_the_camera_is_found_among_other_topics(tmp_path):
    path = write(
        tmp_path / "bag",
        ("/left/infra/image_raw", image("mono8")),
        ("/cam/depth/image_raw", image("16UC1")),
        ("/cam/color/image_raw", image()),
        ("/cam/color/camera_info", camera_info()),
        ("/left/infra/camera_info", camera_info()),
        ("/cam/aligned_depth_to_color/image_raw", image("16UC1")),
        ("/cam/color/image_raw/compressed", compressed("rgb8; jpeg compressed bgr8")),
    )
    with Recording.open(path) as recording:
        topics = find_camera(recording)
        assert topics.image.name == "/cam/color/image_raw"
        assert topics.camera_info.name == "/cam/color/camera_info"
        assert topics.ground_truth.name == "/cam/aligned_depth_to_color/image_raw"
        chosen = find_camera(recording, image="/left/infra/image_raw")
        assert chosen.camera_info.name == "/left/infra/camera_info"


def test_compressed_pictures_are_unpacked_where_raw_ones_are_wanted(tmp_path):
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[..., 0] = 200  # red
    png = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    path = write(
        tmp_path / "bag",
        ("/cam/image_raw/compressed", compressed("rgb8; png compressed bgr8", png, START + 7)),
        ("/cam/camera_info", camera_info()),
        ("/cam/depth/compressedDepth", compressed("16UC1; compressedDepth png", encode_depth(np.ones((6, 8))))),
        ("/both", image()),
        ("/both/compressed", compressed("rgb8; png compressed bgr8", png)),
    )
    with UnpackedRecording.open(path) as recording:
        topics = find_camera(recording, image="/cam/image_raw")
        assert not topics.compressed
        assert topics.ground_truth.name == "/cam/depth/compressedDepth"
        assert {"/both", "/both/compressed"} <= set(recording.topics)
        message = recording.first("/cam/image_raw")
        assert cdr.stamp_of(message.data) == START + 7
        raw = recording.decode(message)
        assert (raw.encoding, raw.width, raw.height, raw.step, raw.header.frame_id) == ("rgb8", 8, 6, 24, "camera")
        assert np.array_equal(raw.data.reshape(6, 8, 3), pixels)
        assert [m.topic.name for m in recording.messages()][:2] == ["/cam/image_raw", "/cam/camera_info"]
        with pytest.raises(RecordingError, match="no topic"):
            recording.first("/nowhere")


def test_a_picture_that_cannot_be_unpacked_is_named(tmp_path):
    path = write(tmp_path / "bag", ("/cam/compressed", compressed("jpeg", b"no picture")))
    with (
        UnpackedRecording.open(path) as recording,
        pytest.raises(RecordingError, match="/cam/compressed .*neither JPEG nor PNG"),
    ):
        recording.first("/cam")


@pytest.mark.parametrize("damaged", [b"", b"no picture", jpeg(np.zeros((6, 8, 3), np.uint8))[:200]])
def test_pictures_that_cannot_be_unpacked_are_left_out_and_counted(tmp_path, damaged):
    png = cv2.imencode(".png", np.zeros((6, 8, 3), np.uint8))[1].tobytes()
    pictures = [damaged, png, damaged, png]
    path = write(tmp_path / "bag", *(("/cam/compressed", compressed("bgr8; png compressed", p)) for p in pictures))
    with UnpackedRecording.open(path) as recording:
        assert find_camera(recording).image.name == "/cam"
        assert recording.first("/cam").time == START + 10**6
        assert [message.time for message in recording.messages()] == [START + 10**6, START + 3 * 10**6]
        assert "left out: 2 (" in recording.left_out


def test_an_orientation_in_a_recorded_picture_turns_nothing(tmp_path):
    turned = jpeg(np.zeros((6, 8, 3), np.uint8), orientation=6)
    path = write(tmp_path / "bag", ("/cam/compressed", compressed("jpeg", turned)))
    with UnpackedRecording.open(path) as recording:
        raw = recording.decode(recording.first("/cam"))
        assert (raw.width, raw.height) == (8, 6)


def test_a_recording_without_a_picture_says_what_it_holds(tmp_path):
    path = write(tmp_path / "bag", ("/cam/depth", image("16UC1")), ("/cam/camera_info", camera_info()))
    with Recording.open(path) as recording, pytest.raises(RecordingError, match=r"no camera picture.*/cam/depth"):
        find_camera(recording)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": "/nowhere"}, "no topic /nowhere"),
        ({"image": "/camera_info"}, "is a sensor_msgs/msg/CameraInfo"),
        ({"camera_info": "/image"}, "Name one of type sensor_msgs/msg/CameraInfo"),
    ],
)
def test_a_named_topic_has_to_be_there_and_of_the_right_type(tmp_path, options, words):
    path = write(tmp_path / "bag", ("/image", image()), ("/camera_info", camera_info()))
    with Recording.open(path) as recording, pytest.raises(RecordingError, match=words):
        find_camera(recording, **options)


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(RecordingError, match="there is no recording"):
        Recording.open(tmp_path / "nothing")
    with pytest.raises(RecordingError, match=r"holds no metadata\.yaml"):
        Recording.open(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "garbage", "metadata", "gone"])
def test_a_broken_recording_is_refused_with_a_remedy(tmp_path, damage):
    path = write(tmp_path / "bag", *[("/image", image(stamp=START + i)) for i in range(50)])
    file = path / "bag.mcap"
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        file.write_bytes(b"\0" * len(content))
    elif damage == "metadata":
        (path / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    else:
        file.unlink()
    with pytest.raises(RecordingError) as caught, Recording.open(path) as recording:
        list(recording.messages())
    assert str(path) in caught.value.cause
    assert caught.value.remedy


def test_a_recording_is_never_overwritten(tmp_path):
    write(tmp_path / "bag", ("/image", image()))
    with pytest.raises(RecordingError, match="does not exist yet"):
        RecordingWriter(tmp_path / "bag")


def test_a_recording_that_was_cut_short_by_an_error_can_be_read(tmp_path):
    with suppress(KeyboardInterrupt), RecordingWriter(tmp_path / "bag") as writer:
        writer.write("/image", "sensor_msgs/msg/Image", START, bytes(STORE.serialize_cdr(image(), image().__msgtype__)))
        raise KeyboardInterrupt
    with Recording.open(tmp_path / "bag") as recording:
        assert len(list(recording.messages())) == 1


def test_depth_survives_compression_to_the_millimetre():
    depth = np.array([[1.2345, 0.5], [np.nan, 70.0]])
    message = compressed("16UC1; compressedDepth png", encode_depth(depth))
    read = decode_depth(message)
    assert read[0] == pytest.approx([1.234, 0.5], abs=1e-6) or read[0] == pytest.approx([1.235, 0.5], abs=1e-6)
    assert np.isnan(read[1]).all()


def test_float_depth_is_read_with_padded_rows_and_without_what_is_no_depth():
    values = np.array([[1.5, np.inf, 9.0], [0.0, 2.25, 9.0]], np.float32)  # the last column is padding
    message = TYPES["sensor_msgs/msg/Image"](header(), 2, 2, "32FC1", 0, 12, values.view(np.uint8).ravel())
    assert np.array_equal(decode_depth(message), [[1.5, np.nan], [np.nan, 2.25]], equal_nan=True)


@pytest.mark.parametrize(
    "message",
    [
        compressed("rgb8; jpeg compressed bgr8"),
        compressed("16UC1; compressedDepth png", b"0" * 40),
        compressed("16UC1; compressedDepth png", b"0" * 4),
        image("rgb8"),
        TYPES["sensor_msgs/msg/Image"](header(), 600, 800, "16UC1", 0, 1600, np.zeros(9, np.uint8)),
    ],
    ids=["a picture", "no PNG", "too short", "colour", "truncated"],
)
def test_what_is_no_depth_is_refused(message):
    with pytest.raises(RecordingError):
        decode_depth(message)


@pytest.mark.parametrize(("name", "frames"), [("tum_fr3_cabinet", 58), ("tum_fr3_cabinet_raw12", 12)])
def test_real_recordings_are_read(reference, name, frames):
    with Recording.open(reference / "bags" / name) as recording:
        topics = find_camera(recording)
        assert topics.compressed == (frames == 58)
        assert topics.camera_info.name == "/camera/camera_info"
        for topic in (topics.image, topics.camera_info, topics.ground_truth):
            assert topic.messages == frames
        depth = decode_depth(recording.decode(recording.first(topics.ground_truth.name)))
        assert depth.shape == (480, 640)
        assert 0.5 < np.nanmedian(depth) < 5
    assert recording.duration == pytest.approx((frames - 1) / 30, abs=1e-3)


def test_a_real_recording_copied_without_its_metadata_is_refused(reference, tmp_path):
    shutil.copytree(reference / "bags" / "tum_fr3_cabinet_raw12", tmp_path / "bag")
    (tmp_path / "bag" / "metadata.yaml").unlink()
    with pytest.raises(RecordingError, match="metadata"):
        Recording.open(tmp_path / "bag")
