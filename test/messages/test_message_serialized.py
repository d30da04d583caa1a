"""Images read out of serialized messages are those that rclpy would unpack."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fastdepth_ros.errors import CalibrationError, ImageError
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker, unpack_camera_info

NAMES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=9)
NUMBERS = st.integers(0, 2**32 - 1)
FIELDS = ("height", "width", "encoding", "is_bigendian", "step")


def filled(kind, frame="camera", **fields):
    message = kind(**fields)
    message.header.stamp.sec, message.header.stamp.nanosec, message.header.frame_id = -5, 999_999_999, frame
    return message


@given(NAMES, NAMES, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 255), st.binary(max_size=30))
def test_every_field_of_an_image_is_read(frame, encoding, height, width, step, big, data):
    message = filled(Image, frame, height=height, width=width, encoding=encoding, step=step, is_bigendian=big)
    message.data.frombytes(data)
    found = Unpacker().unpack(serialize_message(message))
    assert found.header == (-5, 999_999_999, frame)
    assert found.header.seconds == pytest.approx(-4.000000001)
    assert [getattr(found, name) for name in FIELDS] == [getattr(message, name) for name in FIELDS]
    assert found.data == data


@given(NAMES, NAMES, st.binary(max_size=30))
def test_every_field_of_a_compressed_image_is_read(frame, name, data):
    message = filled(CompressedImage, frame, format=name)
    message.data.frombytes(data)
    found = Unpacker(compressed=True).unpack(serialize_message(message))
    assert (found.header, found.format, found.data) == ((-5, 999_999_999, frame), name, data)


def test_what_changes_from_message_to_message_is_noticed():
    images, unpacker = [], Unpacker()
    eye, both = ("eye", "rgb8", 12), ("eyes and ears", "rgb8", 12)
    for number, (frame, encoding, step) in enumerate([("eye", "rgb8", 9), eye, eye, both, ("eye", "mono8", 12)]):
        message = filled(Image, frame, encoding=encoding, step=step, height=1, width=3)
        message.header.stamp.nanosec = number
        message.data.frombytes(bytes([number] * (5 + number)))
        images.append((message, unpacker.unpack(serialize_message(message))))
    for number, (message, found) in enumerate(images):
        assert found.header == (-5, number, message.header.frame_id)
        assert (found.encoding, found.step, found.data) == (message.encoding, message.step, message.data.tobytes())


def test_after_one_that_cannot_be_unpacked_the_next_is():
    message = filled(Image, encoding="mono8")
    message.data.frombytes(b"12345")
    unpacker, whole = Unpacker(), serialize_message(message)
    for damaged in (whole[:-20], b"", b"\0\2" + whole[2:]):
        with pytest.raises(ImageError):
            unpacker.unpack(damaged)
        assert unpacker.unpack(whole).data == b"12345"


def test_the_pixels_are_not_copied():
    image = filled(Image, height=4, width=5, step=16, encoding="rgb8")
    image.data.frombytes(bytes(range(64)))
    serialized = serialize_message(image)
    picture = PictureReader().read(Unpacker().unpack(serialized))
    assert np.array_equal(picture.pixels, PictureReader().read(image).pixels)
    assert np.shares_memory(picture.pixels, np.frombuffer(serialized, np.uint8))
    assert not picture.pixels.flags.writeable


def test_the_other_byte_order_is_read():
    def words(*numbers):
        return b"".join(number.to_bytes(4, "big") for number in numbers)

    before = words(7, 9, 2) + b"a\0--" + words(3, 5, 5) + b"mono\0"
    found = Unpacker().unpack(b"\0\0\0\0" + before + b"\1--" + words(5, 2) + b"xy")
    assert found.header == (7, 9, "a")
    assert [getattr(found, name) for name in FIELDS] == [3, 5, "mono", 1, 5]
    assert found.data == b"xy"


@pytest.mark.parametrize("kind", ["image", "compressed"])
def test_a_message_that_ends_early_is_refused_wherever_it_ends(kind):
    message = filled(Image, encoding="mono8") if kind == "image" else filled(CompressedImage, format="jpeg")
    message.data.frombytes(b"12345")
    read = Unpacker(kind != "image").unpack
    whole = serialize_message(message)
    whole = whole[: whole.index(b"12345") + 5]  # without padding
    assert read(whole).data == b"12345"
    for end in range(len(whole)):
        with pytest.raises(ImageError, match="cannot be unpacked"):
            read(whole[:end])


def test_an_encapsulation_that_is_not_known_is_refused():
    data = bytearray(serialize_message(filled(Image)))
    data[1] = 2  # a parameter list
    with pytest.raises(ImageError, match=r"00 02 .* is no CDR encapsulation that is known"):
        Unpacker().unpack(bytes(data))


DOUBLES = st.floats(allow_nan=False)
CAMERA = ("height", "width", "distortion_model", "binning_x", "binning_y")


def said_by(frame, model, numbers, d, matrices):
    info = filled(CameraInfo, frame, distortion_model=model, d=d)
    info.k, info.r, info.p = matrices[:9], matrices[9:18], matrices[18:]
    info.height, info.width, info.binning_x, info.binning_y = numbers[:4]
    roi = info.roi
    roi.x_offset, roi.y_offset, roi.height, roi.width = numbers[4:]
    return info


@given(
    NAMES,
    NAMES,
    st.lists(NUMBERS, min_size=8, max_size=8),
    st.lists(DOUBLES, max_size=15),
    st.lists(DOUBLES, min_size=30, max_size=30),
)
def test_every_field_of_a_camera_info_is_read(frame, model, numbers, d, matrices):
    info = said_by(frame, model, numbers, d, matrices)
    found = unpack_camera_info(serialize_message(info))
    assert [getattr(found, name) for name in CAMERA] == [getattr(info, name) for name in CAMERA]
    for name in "dkrp":
        assert list(getattr(found, name)) == list(getattr(info, name))
    for name in ("x_offset", "y_offset", "height", "width"):
        assert getattr(found.roi, name) == getattr(info.roi, name)


@given(st.data())
def test_bytes_of_anybody_are_a_camera_info_or_refused(data):
    whole = serialize_message(said_by("eye", "plumb_bob", range(8), [0.0] * 5, [1.0] * 30))
    spoiled = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for at in data.draw(st.lists(st.integers(0, max(0, len(spoiled) - 1)), max_size=6)):
        if spoiled:
            spoiled[at] = data.draw(st.integers(0, 255))
    with suppress(CalibrationError):
        assert len(unpack_camera_info(bytes(spoiled)).k) == 9


@pytest.mark.parametrize("options", [b"\0\0", b"\0\1", b"\0\2", b"\0\3", b"\xff\xff"])
@pytest.mark.parametrize("kind", [b"\0\0", b"\0\1", b"\0\6", b"\0\7"])
def test_an_empty_body_is_no_camera_info_whatever_its_options(kind, options):
    with pytest.raises(CalibrationError, match="cannot hold"):
        unpack_camera_info(kind + options)


def test_a_camera_info_of_version_two_has_its_numbers_at_multiples_of_four():
    words, doubles = (b"\1\0\0\0" + b"\0\0\0\0"), np.arange(1.0, 33.0).astype("<f8").tobytes()
    header = b"\0\7\0\0" + words + b"\1\0\0\0\0---"
    body = b"\4\0\0\0" + b"\5\0\0\0" + b"\1\0\0\0\0---" + b"\2\0\0\0" + doubles + 6 * b"\7\0\0\0"
    found = unpack_camera_info(header + body)
    assert (found.height, found.width, found.d, found.k[0], found.p[11]) == (4, 5, (1, 2), 3, 32)


@pytest.mark.parametrize("kind", [Image, CompressedImage])
def test_a_frame_of_a_megabyte_is_refused(kind):
    with pytest.raises(ImageError, match="255") as refused:
        Unpacker(kind is CompressedImage).unpack(serialize_message(filled(kind, "x" * 1_000_000)))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("kind", [Image, CompressedImage])
def test_an_encoding_or_format_of_a_megabyte_is_refused_and_not_kept(kind):
    fields = {"encoding" if kind is Image else "format": "rgb8; " + "x" * 1_000_000}
    unpacker = Unpacker(kind is CompressedImage)
    with pytest.raises(ImageError, match="255") as refused:
        unpacker.unpack(serialize_message(filled(kind, **fields)))
    assert len(str(refused.value)) < 300
    assert unpacker.unpack(serialize_message(filled(kind))).header.frame_id == "camera"


def test_a_sequence_longer_than_its_message_is_refused_before_it_is_read():
    whole = bytearray(serialize_message(said_by("", "", [0] * 8, [], [0.0] * 30)))
    whole[36:40] = b"\xff\xff\xff\xff"
    with pytest.raises(CalibrationError, match="4294967295"):
        unpack_camera_info(bytes(whole))


def test_a_lens_of_millions_of_numbers_is_refused_before_they_are_read():
    with pytest.raises(CalibrationError, match="D of 1000000 numbers"):
        unpack_camera_info(serialize_message(said_by("", "", [0] * 8, np.zeros(1_000_000), [0.0] * 30)))
