"""The floor is found where it is, whatever the network's scale, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View

SEEN = View.of(PAPER_VIEW, 640, 480, 224, 224).intrinsics(Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5))
CELLS = SEEN.scale(112, 112)


def down(pitch=0.0, roll=0.0):
    """Down in the optical frame of a camera whose nose is so far below the horizon [rad]."""
    return (math.cos(pitch) * math.sin(roll), math.cos(pitch) * math.cos(roll), math.sin(pitch))


def depth_of_plane(normal, distance):
    right, below = CELLS.slopes()
    with np.errstate(divide="ignore"):
        depth = distance / (normal[0] * right + normal[1] * below + normal[2])
    return np.where(depth > 0, depth, np.inf)


def room(height=0.6, pitch=0.3, roll=0.0, wall=4.0, table=None):
    """Depth of a floor before a wall, and perhaps a table so high that fills the left half."""
    normal = down(pitch, roll)
    depth = depth_of_plane(normal, height)
    upright = depth_of_plane((0, -math.sin(pitch), math.cos(pitch)), wall)
    depth = np.minimum(depth, upright)
    if table:
        top = depth_of_plane(normal, height - table)
        depth[:, :56] = np.minimum(depth, np.where(top < 2.0, top, np.inf))[:, :56]
    return depth.astype(np.float32)


def truth_at(depth, pixels):
    cells = ((pixels + 0.5) / 2).astype(int)
    return depth[cells[:, 1], cells[:, 0]]


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (0.3, 0.0), (0.5, 0.1), (-0.1, 0.0)])
def test_the_floors_depth_is_found_whatever_the_networks_scale(scale, pitch, roll):
    truth = room(pitch=pitch, roll=roll)
    anchors = FloorMeasurement(down(pitch, roll), 0.6).sight(truth / np.float32(scale), SEEN, 0.0).anchors
    assert 10 < len(anchors.depths) <= 64
    np.testing.assert_allclose(anchors.depths, truth_at(truth, anchors.pixels), rtol=0.15)
    assert np.median(anchors.depths / truth_at(truth, anchors.pixels)) == pytest.approx(1, abs=0.03)
    assert (anchors.sigmas > 0.02 * anchors.depths).all()


def test_a_noisy_answer_has_a_floor_as_well():
    truth = room()
    noise = np.exp(np.random.default_rng(0).normal(0, 0.05, truth.shape)).astype(np.float32)
    anchors = FloorMeasurement(down(0.3), 0.6).sight(truth * noise * np.float32(0.7), SEEN, 0.0).anchors
    assert len(anchors.depths) > 10
    assert np.median(anchors.depths / truth_at(truth, anchors.pixels)) == pytest.approx(1, abs=0.03)


def test_a_table_is_not_taken_for_the_floor():
    truth = room(height=1.2, pitch=0.5, table=0.7)
    anchors = FloorMeasurement(down(0.5), 1.2).sight(truth, SEEN, 0.0).anchors
    assert (anchors.pixels[:, 0] > 100).mean() > 0.9
    np.testing.assert_allclose(anchors.depths, truth_at(truth, anchors.pixels), rtol=0.15)


@pytest.mark.parametrize("picture", ["wall", "ceiling", "nothing", "noise"])
def test_where_no_floor_is_seen_there_are_no_anchors(picture):
    answer = {
        "wall": np.full((112, 112), 1.5, np.float32),
        "ceiling": depth_of_plane((0, -1, 0.05), 1.5).astype(np.float32).clip(0, 9),
        "nothing": np.zeros((112, 112), np.float32),
        "noise": np.random.default_rng(0).uniform(0.5, 9, (112, 112)).astype(np.float32),
    }[picture]
    found = FloorMeasurement(down(0.2), 0.6).sight(answer, SEEN, 0.0)
    assert len(found.anchors.depths) == 0
    assert found.left_out


def test_a_camera_that_looks_up_sees_no_floor():
    assert not len(FloorMeasurement(down(-1.2), 0.6).sight(room(), SEEN, 0.0).anchors.depths)


@given(
    arrays.arrays(np.float32, (24, 24), elements=st.floats(width=32, min_value=0) | st.just(np.nan)),
    st.floats(-math.pi, math.pi),
    st.floats(-math.pi, math.pi),
    st.floats(0.01, 50),
)
def test_whatever_the_network_answers_the_floor_is_anchors_or_none(answer, pitch, roll, height):
    seen = Intrinsics(48, 48, 40.0, 40.0, 23.5, 23.5)
    anchors = FloorMeasurement(down(pitch, roll), height).sight(answer, seen, 0.0).anchors
    assert np.isfinite(anchors.depths).all()
    assert (anchors.depths > 0).all()
    assert (anchors.sigmas > 0).all()
