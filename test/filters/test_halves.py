"""A picture at a half and an eighth of its size, and pieces of 4 x 4 cells and back."""

import numpy as np
import pytest

from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.pieces import Pieces


def noise(rows, columns, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)


def means(pixels, side):
    rows, columns = (each // side for each in pixels.shape[:2])
    return pixels[: rows * side, : columns * side].reshape(rows, side, columns, side, 3).mean((1, 3))


@pytest.mark.parametrize("shape", [(224, 224), (64, 96), (8, 8)])
def test_halves_are_means_of_the_latest_picture(shape):
    halves = Halves(noise(*shape, seed=1))
    for seed in (2, 3):
        picture = noise(*shape, seed=seed)
        halves.show(picture)
        np.testing.assert_allclose(halves.half, means(picture, 2), atol=0.51)
        np.testing.assert_allclose(halves.eighth, means(picture, 8), atol=1.6)


def test_a_picture_of_another_size_is_halved_as_well():
    halves = Halves(noise(224, 224))
    assert halves.eighth.shape == (28, 28, 3)
    halves.show(noise(64, 320))
    assert halves.half.shape == (32, 160, 3)
    assert halves.eighth.shape == (8, 40, 3)


@pytest.mark.parametrize("shape", [(112, 112), (80, 112), (16, 16), (10, 15)])
def test_a_slope_goes_to_pieces_and_back(shape):
    rows, columns = (np.arange(side, dtype=np.float32) for side in shape)
    slope = np.ascontiguousarray(2 * rows[:, None] + columns[None, :])
    pieces = Pieces(shape)
    pieces.mean(slope, pieces.numbers)
    back = pieces.smooth()
    assert back.shape == shape
    inner = slice(6, shape[0] - 6), slice(6, shape[1] - 6)
    np.testing.assert_allclose(back[inner], slope[inner], atol=2)
    assert np.abs(back - slope).max() < 8, "at the border, where there is nothing on the other side"
