"""Messages of tf: each publisher repeats the same frames, and an image waits for no more than it can."""

from __future__ import annotations

import numpy as np
import pytest
from anchor_messages import tf_message_of, transform_of
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.anchoring.transforms import MOST_FRAMES, TransformBuffer
from fastdepth_ros.messages import tf
from fastdepth_ros.messages.tf import (
    ALIKE,
    MOST_AT_ONCE,
    MOST_LAYOUTS,
    STRANGE_AT_ONCE,
    TransformReader,
    put_transforms,
)

NAMES = st.text(st.sampled_from("ab/é"), max_size=3)
NUMBERS = st.floats(-3, 3) | st.sampled_from([float("nan"), float("inf"), 1e300])
PLACES = st.tuples(st.tuples(*[NUMBERS] * 3), st.tuples(*[NUMBERS] * 4), st.integers(-5, 5))


class Noted(TransformBuffer):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.given = []

    def put(self, parent, child, *numbers):
        self.given.append((parent.lstrip("/"), child.lstrip("/"), *numbers))
        super().put(parent, child, *numbers)

    def put_again(self, parent, child, sample):
        taken = super().put_again(parent, child, sample)
        if taken:
            self.given.append((parent, child, *sample, False))
        return taken


def same(one, other):
    return repr(one) == repr(other)  # a NaN is one


def robot_at(stamp, frames=20, base="base"):
    """A message of a robot with so many moving frames."""
    sec, nanosec = divmod(round(stamp * 1e9), 10**9)
    return tf_message_of(
        *(
            transform_of(base, f"joint{number}", (stamp, number, 0.5), (0.0, 0.0, 0.6, 0.8), sec=sec, nanosec=nanosec)
            for number in range(frames)
        )
    )


@given(
    st.lists(st.tuples(NAMES, NAMES), max_size=4),
    st.lists(
        st.tuples(st.tuples(*[NUMBERS] * 3), st.tuples(*[NUMBERS] * 4), st.integers(-5, 5)), min_size=1, max_size=4
    ),
    st.booleans(),
)
def test_a_layout_that_repeats_is_read_as_one_that_does_not(names, said, is_static):
    plain, quick = Noted(), Noted()
    reader = TransformReader(quick)
    for translation, quaternion, sec in said:
        message = tf_message_of(*(transform_of(*pair, translation, quaternion, sec, 7) for pair in names))
        put_transforms(plain, message, is_static)
        reader.put([message], is_static)
    assert same(plain.given, quick.given)
    assert plain.problem == quick.problem


def test_what_a_robot_repeats_is_not_walked_field_by_field(monkeypatch):
    buffer = Noted()
    reader = TransformReader(buffer)
    reader.put([robot_at(1.0), robot_at(1.0, base="odom")], is_static=False)
    monkeypatch.setattr(tf, "read_transforms", lambda _: pytest.fail("it was seen before"))
    reader.put([robot_at(1.1), robot_at(1.1, base="odom")], is_static=False)
    assert [each[:3] for each in buffer.given[-20:]] == [("odom", f"joint{number}", 1.1) for number in range(20)]
    assert buffer.given[-1][3:5] == ((1.1, 19.0, 0.5), (0.0, 0.0, 0.6, 0.8))


@given(st.data())
def test_damage_in_a_message_of_a_known_layout_is_read_as_in_any(data):
    good = robot_at(1.0, 2)
    at, damage = data.draw(st.integers(0, len(good) - 1)), data.draw(st.binary(min_size=1, max_size=8))
    spoilt = (good[:at] + damage + good[at + len(damage) :])[: data.draw(st.integers(0, len(good)))]
    plain, quick = Noted(), Noted()
    reader = TransformReader(quick)
    reader.put([good], is_static=False)
    put_transforms(plain, good, is_static=False)
    put_transforms(plain, spoilt, is_static=False)
    reader.put([spoilt], is_static=False)
    assert same(plain.given, quick.given)
    assert plain.problems == quick.problems


def flood(count, frames, base="base"):
    return [robot_at(number / 1000, frames, base) for number in range(count)]


def test_an_image_waits_for_the_latest_of_a_flood_and_the_rest_is_told():
    buffer = Noted()
    reader = TransformReader(buffer)
    messages = flood(100, 500)
    reader.put(messages, is_static=False)
    assert MOST_AT_ONCE - 500 < len(buffer.given) <= MOST_AT_ONCE
    assert buffer.given[-1][2] == 0.099, "the latest"
    assert "more comes on /tf than images can wait for" in buffer.problem


def test_of_a_flood_of_static_frames_those_that_came_first_are_kept():
    buffer = Noted()
    TransformReader(buffer).put([robot_at(0.0, 1, "lidar"), *flood(100, 500)], is_static=True)
    assert buffer.given[0][:2] == ("lidar", "joint0")
    assert len(buffer.given) <= MOST_AT_ONCE
    assert "/tf_static" in buffer.problem


def test_a_flood_of_messages_unlike_any_before_is_cut_shorter():
    buffer = Noted()
    TransformReader(buffer).put([robot_at(0.0, 200, f"base{number}") for number in range(20)], is_static=False)
    assert len(buffer.given) <= STRANGE_AT_ONCE + 200
    assert "left out" in buffer.problem


def test_a_message_that_only_says_that_it_is_large_takes_nobody_s_place():
    buffer = Noted()
    liar = bytes((0, 1, 0, 0)) + np.uint32(4_000_000_000).tobytes() + bytes(8)
    TransformReader(buffer).put([robot_at(1.0), liar, b"", liar], is_static=False)
    assert len(buffer.given) == 20
    assert buffer.problems == 3


def test_layouts_are_bounded():
    reader = TransformReader(TransformBuffer())
    for number in range(3 * MOST_LAYOUTS):
        reader.put([robot_at(0.0, 1, "b" * number)], is_static=False)
        assert sum(map(len, reader._layouts.values())) <= MOST_LAYOUTS
    for number in range(3 * ALIKE):
        reader.put([robot_at(0.0, 1, f"{number:03}")], is_static=False)
    assert max(map(len, reader._layouts.values())) == ALIKE


def test_frames_that_are_asked_for_find_room_among_a_stranger_s():
    """He was first, and named as many as there may be: the lidar would never be found."""
    buffer = TransformBuffer()
    for number in range(2 * MOST_FRAMES):
        buffer.put("nowhere", f"strange{number}", 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    assert "more than" in buffer.problem
    for _ in range(3):
        with pytest.raises(Exception, match="no tf between eye and laser"):
            buffer.lookup("eye", "laser", 0.0)
        for parent, child in (("base", "eye"), ("base", "mast"), ("mast", "laser")):
            buffer.put(parent, child, 0.0, (1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        if "laser" in buffer._frames and "mast" in buffer._frames:
            break
    np.testing.assert_allclose(buffer.lookup("eye", "laser", 0.0).translation, (1.0, 0.0, 0.0))
    assert len(buffer._frames) <= MOST_FRAMES
