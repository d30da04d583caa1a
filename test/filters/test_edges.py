"""Points that fly between a thing and what is behind it are found, and surfaces are not taken for them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastdepth_ros.filters.edges import EdgeFinder
from fastdepth_ros.filters.guide import Guide


def step(width=4, near=1.5, far=3.0):
    """A thing in front of a wall, whose edge at column 56 is blurred over some cells."""
    share = np.clip((np.arange(112, dtype=np.float32) - 56) / width + 0.5, 0, 1)
    return np.repeat((near + (far - near) * share)[None], 112, 0).astype(np.float32)


def test_what_is_between_a_thing_and_the_wall_flies_and_neither_of_them_does():
    flying = EdgeFinder((112, 112)).flying(step())
    assert flying[:, 55:58].all()
    assert not flying[:, :52].any()
    assert not flying[:, 61:].any()


def test_a_floor_and_a_slanted_wall_do_not_fly():
    rows = np.arange(112, dtype=np.float32)[:, None] + np.zeros((112, 112), np.float32)
    floor = 1.2 * 130 / np.maximum(rows - 30, 22)
    wall = 1 / (0.2 + 0.006 * rows.T)
    for surface in (floor, wall):
        assert not EdgeFinder((112, 112)).flying(surface.astype(np.float32)).any()


def test_what_has_no_depth_makes_no_edge():
    metres = np.full((112, 112), 2.0, np.float32)
    metres[20:40], metres[50:60], metres[70:72], metres[80] = 0.0, np.nan, np.inf, -np.inf
    assert not EdgeFinder((112, 112)).flying(metres).any()


NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(arrays(np.float32, (16, 24), elements=NUMBERS))
def test_any_numbers_are_looked_through(metres):
    before = metres.copy()
    flying = EdgeFinder((16, 24)).flying(metres)
    assert not flying[~((metres > 1e-3) & (metres < 1e4))].any()
    np.testing.assert_array_equal(metres, before)


# Guided


def enlarged(cells, height, width):
    return np.repeat(np.repeat(cells, height // cells.shape[0], 0), width // cells.shape[1], 1)


def test_depth_takes_the_edge_of_the_picture():
    """The picture's edge lies within a cell: the pixels of that cell get the depth of their own side."""
    true = np.where(np.arange(560) < 283, np.float32(1.5), np.float32(3.0))
    grey = np.where(np.arange(560) < 283, 60, 190).astype(np.uint8)
    true, grey = (np.repeat(each[None], 560, 0) for each in (true, grey))
    cells = (1 / (1 / true).reshape(112, 5, 112, 5).mean((1, 3))).astype(np.float32)
    out = enlarged(cells, 560, 560)
    before = np.abs(np.log(out / true))
    Guide((112, 112)).enlarge(cells, np.ascontiguousarray(grey), out)
    after = np.abs(np.log(out / true))
    assert after[:, 280:285].mean() < 0.3 * before[:, 280:285].mean()
    assert after.mean() < before.mean()


def test_a_picture_without_contrast_leaves_surfaces_as_they_are():
    cells = np.linspace(1, 4, 112, dtype=np.float32)[None] + np.zeros((112, 1), np.float32)
    out = enlarged(cells, 448, 448)
    Guide((112, 112)).enlarge(cells, np.full((448, 448), 128, np.uint8), out)
    np.testing.assert_allclose(out, enlarged(cells, 448, 448), rtol=0.03)


def test_what_has_no_depth_stays_so_and_has_no_say():
    cells = np.full((112, 112), 2.0, np.float32)
    cells[20:40], cells[50:60], cells[70:72] = np.nan, np.inf, -np.inf
    out = enlarged(cells, 224, 224)
    expected = out.copy()
    grey = np.random.default_rng(0).integers(0, 256, (224, 224), np.uint8)
    Guide((112, 112)).enlarge(cells, grey, out)
    np.testing.assert_allclose(out, expected, rtol=1e-3)
    nothing = np.full((112, 112), np.nan, np.float32)
    out = enlarged(nothing, 224, 224)
    Guide((112, 112)).enlarge(nothing, grey, out)
    assert np.isnan(out).all()


@given(arrays(np.float32, (12, 16), elements=NUMBERS), st.integers(0, 2**32 - 1))
def test_any_numbers_are_guided_to_depths_among_them(cells, seed):
    out = enlarged(cells, 24, 32)
    before = out.copy()
    Guide((12, 16)).enlarge(cells, np.random.default_rng(seed).integers(0, 256, (24, 32), np.uint8), out)
    known = (before > 1e-3) & (before < 1e4)
    np.testing.assert_array_equal(out[~known], before[~known])
    if known.any():
        assert out[known].min() >= 0.99 * before[known].min()
        assert out[known].max() <= 1.01 * before[known].max()
