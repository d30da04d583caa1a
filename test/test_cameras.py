"""Names of several cameras: those that topics can have, each once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.cameras import MOST, NONE, meant, parse_cameras
from fastdepth_ros.errors import SettingError


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("none", ()),
        ("front", ("front",)),
        ("front,rear", ("front", "rear")),
        (" front , rear_2 ", ("front", "rear_2")),
        (["front", "rear"], ("front", "rear")),
        ([], ()),
        ("", ()),
    ],
)
def test_names_come_by_comma_or_as_a_list(given, names):
    assert parse_cameras(meant(given)) == names


@pytest.mark.parametrize(
    ("cameras", "why"),
    [
        ("front,,rear", "a name is empty"),
        ("front,", "a name is empty"),
        ("front,front", "front stands there twice"),
        ("../x", "no name of a topic"),
        ("/front", "no name of a topic"),
        ("a/b", "no name of a topic"),
        ("a__b", "no name of a topic"),
        ("_a", "no name of a topic"),
        ("2nd", "no name of a topic"),
        ("fr ont", "no name of a topic"),
        ("vorn\u00e4", "no name of a topic"),
        ("x" * 33, "no name of a topic"),
        ("front,none", "no camera can be called none"),
        ("qos_overrides", "no camera can be called qos_overrides"),
        (",".join(f"c{number}" for number in range(MOST + 1)), "cameras cannot be 17"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_what_can(cameras, why):
    with pytest.raises(SettingError) as refused:
        parse_cameras(cameras)
    assert why in refused.value.cause
    assert "front,rear" in refused.value.remedy


@given(st.text(max_size=40))
def test_what_is_accepted_is_names_of_topics_each_once(cameras):
    try:
        names = parse_cameras(cameras)
    except SettingError:
        return
    assert len(set(names)) == len(names) <= MOST
    assert all(re.fullmatch("[a-zA-Z][a-zA-Z0-9_]*", name) for name in names)
    assert NONE not in names
