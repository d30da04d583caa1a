"""Images read out of serialized messages are those that rclpy would unpack."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker

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
    assert found.origin == (-5, 999_999_999, frame)
    assert found.origin.seconds == pytest.approx(-4.000000001)
    assert [getattr(found, name) for name in FIELDS] == [getattr(message, name) for name in FIELDS]
    assert found.data == data


@given(NAMES, NAMES, st.binary(max_size=30))
def test_every_field_of_a_compressed_image_is_read(frame, name, data):
    message = filled(CompressedImage, frame, format=name)
    message.data.frombytes(data)
    found = Unpacker(compressed=True).unpack(serialize_message(message))
    assert (found.origin, found.format, found.data) == ((-5, 999_999_999, frame), name, data)


def test_what_changes_from_message_to_message_is_noticed():
    images, unpacker = [], Unpacker()
    eye, both = ("eye", "rgb8", 12), ("eyes and ears", "rgb8", 12)
    for number, (frame, encoding, step) in enumerate([("eye", "rgb8", 9), eye, eye, both, ("eye", "mono8", 12)]):
        message = filled(Image, frame, encoding=encoding, step=step, height=1, width=3)
        message.header.stamp.nanosec = number
        message.data.frombytes(bytes([number] * (5 + number)))
        images.append((message, unpacker.unpack(serialize_message(message))))
    for number, (message, found) in enumerate(images):
        assert found.origin == (-5, number, message.header.frame_id)
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
    assert found.origin == (7, 9, "a")
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
