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
from fastdepth_ros.messages.serialized import compressed_image_in, image_in

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
    found = image_in(serialize_message(message))
    assert found.header == message.header
    assert [getattr(found, name) for name in FIELDS] == [getattr(message, name) for name in FIELDS]
    assert found.data == data


@given(NAMES, NAMES, st.binary(max_size=30))
def test_every_field_of_a_compressed_image_is_read(frame, name, data):
    message = filled(CompressedImage, frame, format=name)
    message.data.frombytes(data)
    found = compressed_image_in(serialize_message(message))
    assert (found.header, found.format, found.data) == (message.header, name, data)


def test_the_pixels_are_not_copied():
    image = filled(Image, height=4, width=5, step=16, encoding="rgb8")
    image.data.frombytes(bytes(range(64)))
    serialized = serialize_message(image)
    picture = PictureReader().read(image_in(serialized))
    assert np.array_equal(picture.pixels, PictureReader().read(image).pixels)
    assert np.shares_memory(picture.pixels, np.frombuffer(serialized, np.uint8))
    assert not picture.pixels.flags.writeable


def test_the_other_byte_order_is_read():
    words = [
        (7, 4),
        (9, 4),
        (2, 4),
        b"a\0",
        b"\0\0",
        (3, 4),
        (5, 4),
        (5, 4),
        b"mono",
        b"\0",
        (1, 1),
        b"\0\0",
        (5, 4),
        (2, 4),
    ]
    body = b"".join(word if isinstance(word, bytes) else word[0].to_bytes(word[1], "big") for word in words)
    found = image_in(b"\0\0\0\0" + body + b"xy")
    assert (found.header.stamp.sec, found.header.stamp.nanosec, found.header.frame_id) == (7, 9, "a")
    assert [getattr(found, name) for name in FIELDS] == [3, 5, "mono", 1, 5]
    assert found.data == b"xy"


@pytest.mark.parametrize("kind", ["image", "compressed"])
def test_a_message_that_ends_early_is_refused_wherever_it_ends(kind):
    message = filled(Image, encoding="mono8") if kind == "image" else filled(CompressedImage, format="jpeg")
    message.data.frombytes(b"12345")
    read = image_in if kind == "image" else compressed_image_in
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
        image_in(bytes(data))
