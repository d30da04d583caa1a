"""Properties that hold for every value, and not only for those that somebody thought of."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View, check_lens
from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.messages.serialized import Unpacker
from fastdepth_ros.parameters import TABLE, Spec, validate

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(max_size=9), st.lists(st.integers())
)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(set(TABLE) - {"power_file"})), st.text(max_size=9)), VALUES))
def test_parameters_are_valid_or_refused(values: dict[str, Any]) -> None:
    try:
        found = validate(values)
    except FastDepthError:
        return
    assert validate(vars(found)) == found


@given(st.sampled_from(list(TABLE.values())), VALUES)
def test_a_value_that_was_checked_is_right_when_it_is_checked_again(spec: Spec, value: Any) -> None:
    try:
        found = spec.check(value)
    except FastDepthError:
        return
    assert type(found) is type(spec.default)
    assert spec.check(found) == found


@given(st.booleans(), st.lists(st.binary(max_size=60).map(lambda tail: b"\0\1\0\0" + tail), min_size=1, max_size=4))
def test_bytes_are_an_image_or_refused_and_never_longer_than_they_are(compressed: bool, messages: list[bytes]) -> None:
    unpacker = Unpacker(compressed)
    for message in messages:
        try:
            found = unpacker.unpack(message)
        except FastDepthError:
            continue
        assert len(found.data) < len(message)
        assert bytes(found.data) in message


NUMBERS = st.floats(1e-4, 1e7)
SIDES = st.integers(2, 65535)


@given(SIDES, SIDES, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_camera_that_was_accepted_can_be_cut_and_scaled_for_every_frame(
    width: int, height: int, fx: float, fy: float, cx: float, cy: float
) -> None:
    camera = Intrinsics(width, height, fx, fy, cx, cy)
    try:
        check_lens(camera)
    except FastDepthError:
        return
    seen = View.of(PAPER_VIEW, width, height, 224, 224).intrinsics(camera)
    assert seen.width == seen.height == 224
