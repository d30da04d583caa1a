"""Clouds are read as their publishers meant them, whatever their layout; what is none is refused."""

from __future__ import annotations

import numpy as np
import pytest
from anchor_messages import FLOAT32, cloud_of, field, serialized, xyz_of
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import PointCloud2

from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import MOST_POINTS, read_cloud

POINTS = np.random.default_rng(0).normal(0, 5, (60, 3))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("kind", ["f4", "f8"])
@given(
    names=st.permutations(["x", "y", "z", "intensity"]),
    gap=st.integers(0, 5),
    padding=st.integers(0, 7),
    height=st.sampled_from([1, 4, 60]),
)
def test_points_are_read_in_any_order_width_padding_and_byte_order(kind, big, names, gap, padding, height):
    columns = {**xyz_of(POINTS), "intensity": np.arange(60.0)}
    message = cloud_of(
        {name: columns[name] for name in names},
        kinds=dict.fromkeys("xyz", kind),
        gap=gap,
        padding=padding,
        height=height,
        big=big,
    )
    found = read_cloud(serialized(message))
    assert found.header == (7, 250_000_000, "map")
    np.testing.assert_allclose(found.xyz, POINTS, rtol=1e-6 if kind == "f4" else 0)
    assert found.variances is None
    assert found.sent == 60


def test_sigma_is_read_as_the_variance_of_each_coordinate():
    sigma = np.linspace(0.01, 0.5, 60)
    found = read_cloud(serialized(cloud_of(xyz_of(POINTS, sigma=sigma))))
    np.testing.assert_allclose(found.variances, sigma**2, rtol=1e-6)


def test_a_covariance_of_one_six_or_nine_numbers_is_read():
    full = np.random.default_rng(1).normal(size=(60, 3, 3))
    full = full @ full.transpose(0, 2, 1)
    upper = full[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]
    nine = read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=full.reshape(-1, 9))))).variances
    six = read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=upper)))).variances
    one = read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=full[:, 0, 0])))).variances
    np.testing.assert_allclose(nine, full, rtol=1e-6)
    np.testing.assert_allclose(six, full, rtol=1e-6)
    np.testing.assert_allclose(one, full[:, 0, 0], rtol=1e-6)


def test_of_a_million_points_some_thousand_are_taken_from_everywhere():
    many = np.zeros((1_000_000, 3))
    many[:, 0] = np.arange(1_000_000)
    found = read_cloud(serialized(cloud_of(xyz_of(many), height=1000)))
    assert len(found.xyz) == MOST_POINTS
    assert found.sent == 1_000_000
    places = np.sort(found.xyz[:, 0])
    assert places[0] < 600
    assert places[-1] > 1_000_000 - 600
    assert np.diff(places).max() < 3 * 1_000_000 / MOST_POINTS
    assert len(np.unique(places % 1000)) > 900, "all columns are looked at, not the same ones in every row"


def test_a_cloud_without_points_has_none():
    assert len(read_cloud(serialized(cloud_of(xyz_of(np.zeros((0, 3)))))).xyz) == 0
    message = PointCloud2(fields=[field(name, 4 * i) for i, name in enumerate("xyz")], point_step=12, height=9)
    assert read_cloud(serialized(message)).sent == 0


FAULTS = {
    "no z": (lambda m: m.fields.pop(), "no field z"),
    "whole numbers": (lambda m: setattr(m.fields[0], "datatype", 3), "datatype 3"),
    "a datatype that is none": (lambda m: setattr(m.fields[0], "datatype", 77), "datatype 77"),
    "a field beyond the point": (lambda m: setattr(m.fields[2], "offset", 10), "beyond a point"),
    "a field far beyond": (lambda m: setattr(m.fields[2], "offset", 2**32 - 1), "beyond a point"),
    "a point_step of zero": (lambda m: setattr(m, "point_step", 0), "beyond a point"),
    "too few bytes": (lambda m: m.data.pop(), "holds"),
    "a width that overflows": (lambda m: setattr(m, "width", 2**32 - 1), "holds"),
    "a height that overflows": (lambda m: (setattr(m, "height", 2**32 - 1), setattr(m, "width", 1)), "holds"),
    "rows that overlap": (
        lambda m: (setattr(m, "height", 2), setattr(m, "width", 30), setattr(m, "row_step", 8)),
        "overlap",
    ),
    "a thousand fields": (lambda m: setattr(m, "fields", m.fields * 999), "fields"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cloud_that_cannot_be_is_named(fault):
    spoil, word = FAULTS[fault]
    message = cloud_of(xyz_of(POINTS))
    spoil(message)
    with pytest.raises(AnchorError, match=word):
        read_cloud(serialized(message))


def test_a_sigma_of_another_kind_is_ignored():
    message = cloud_of(xyz_of(POINTS, sigma=np.ones(60)))
    message.fields[3].datatype = 6
    assert read_cloud(serialized(message)).variances is None
    message.fields[3] = field("sigma", 2**31, FLOAT32)
    assert read_cloud(serialized(message)).variances is None


def test_a_negative_sigma_is_not_known():
    found = read_cloud(serialized(cloud_of(xyz_of(POINTS, sigma=np.resize([0.1, -1.0, np.nan], 60)))))
    np.testing.assert_allclose(found.variances[:3], [0.01, np.nan, np.nan], rtol=1e-5)
    assert not found.doubt, "-1 and NaN are how people say so"


DIAGONAL_FIRST = np.array((0.04, 0.04, 0.09, 0.0, 0.01, 0.0))
"""xx, yy, zz, xy, xz, yz: an order that others use."""


def test_covariances_in_another_order_are_not_known_and_named():
    found = read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=np.tile(DIAGONAL_FIRST, (60, 1))))))
    assert np.isnan(found.variances).all()
    assert "xx xy xz yy yz zz" in found.doubt
    lopsided = np.tile((0.04, 0.03, 0, 0, 0.04, 0, 0, 0, 0.04), (60, 1))
    assert read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=lopsided)))).doubt
    unknown = np.full((60, 9), -1.0)
    assert not read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=unknown)))).doubt


@given(st.integers(0, 2**32 - 1))
def test_a_covariance_that_is_one_is_taken_as_it_is(seed):
    half = np.random.default_rng(seed).normal(size=(60, 3, 2)) * (0.3, 0.01)  # flat, as those of points from a pair
    covariance = half @ half.transpose(0, 2, 1)
    found = read_cloud(serialized(cloud_of(xyz_of(POINTS, covariance=covariance.reshape(60, 9)))))
    np.testing.assert_allclose(found.variances, covariance, rtol=1e-5, atol=1e-7)
    assert not found.doubt


@given(st.binary(max_size=300))
def test_bytes_that_are_no_cloud_are_refused(data):
    with pytest.raises(AnchorError):
        read_cloud(data)


GOOD = serialized(cloud_of(xyz_of(POINTS, sigma=np.ones(60)), height=4, padding=3))


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(GOOD)))
def test_a_damaged_cloud_is_read_or_refused_and_nothing_else(at, damage, length):
    data = (GOOD[:at] + damage + GOOD[at + len(damage) :])[:length]
    try:
        found = read_cloud(data)
    except AnchorError:
        return
    assert found.xyz.shape[1] == 3
    assert len(found.xyz) <= MOST_POINTS
