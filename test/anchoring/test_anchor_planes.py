"""Planes of the answer stay planes: noise of anchors bends no wall, and what is measured well is believed."""

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.planes import LOUD, SEVERAL, Planes, noise_of

SHAPE = (112, 112)
GRID = (28, 28)


def corner(rows, columns):
    """Inverse depth of a corner of a room: floor, back wall and a wall at the left."""
    v, u = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    return np.maximum.reduce((0.2 + 0.02 * u, 0.35 * v, -0.45 * u)).astype(np.float32)


def measured(truth, pixels, errors):
    depths = truth[pixels[:, 1] // 2, pixels[:, 0] // 2] * np.exp(errors)
    return Anchors("anchors", pixels.astype(np.float32), depths.astype(np.float32), np.full(len(depths), np.nan))


def bend(depth, wall):
    """Distance of a wall's depth from its best plane: root mean square, as a share of depth."""
    v, u = (axis.astype(float) for axis in np.nonzero(wall))
    rays = np.stack((u - u.mean(), v - v.mean(), np.ones(len(u))), 1) * depth[wall][:, None]
    plane = np.linalg.lstsq(rays, np.ones(len(u)), rcond=None)[0]
    return float(np.sqrt(np.mean((rays @ plane - 1) ** 2)))


def test_points_as_noisy_as_odometrys_do_not_bend_a_wall():
    """Points in the lower half, as where the texture is: the wall above them bent by 3.3 % when nothing held it."""
    answer = 1 / corner(*SHAPE)
    v, u = np.mgrid[-1:1:112j, -1:1:112j]
    wall = (0.2 + 0.02 * u > 0.4 * v) & (0.2 + 0.02 * u > -0.5 * u) & (u > -0.3)
    bends, errors = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        pixels = np.stack((rng.integers(0, 224, 150), rng.integers(70, 224, 150)), 1)
        given = measured(1.2 * answer, pixels, 0.1 * rng.standard_t(3, 150))
        depth = Anchoring(SHAPE).correct(answer, [given], 0.0).depth
        bends.append(bend(depth, wall))
        errors.append(np.abs(np.log(depth / (1.2 * answer))).mean())
    assert np.mean(bends) < 0.018
    assert np.mean(errors) < 0.035


def test_what_exact_points_measure_on_a_wall_is_kept():
    """A box on the wall that the network does not see."""
    answer = np.full(SHAPE, 4.0, np.float32)
    truth = answer.copy()
    truth[40:70, 40:70] = 3.0
    pixels = np.stack(np.meshgrid(np.arange(4, 224, 12), np.arange(4, 224, 12)), -1).reshape(-1, 2)
    depth = Anchoring(SHAPE).correct(answer, [measured(truth, pixels, np.zeros(len(pixels)))], 0.0).depth
    assert np.median(depth[48:62, 48:62]) == pytest.approx(3.0, rel=0.05)
    assert np.median(depth[:20]) == pytest.approx(4.0, rel=0.02)


def planar(u, v):
    """Logarithm of depth of one plane on the grid."""
    return -np.log(0.3 + 0.05 * u + 0.08 * v).astype(np.float32)


@pytest.fixture
def axes():
    v, u = np.mgrid[-1:1:28j, -1:1:28j].astype(np.float32)
    return u, v


def changed(log_depth, correction):
    """Change of a correction by keeping planes, for anchors as noisy as odometry's."""
    return Planes(log_depth.shape).keep(log_depth, correction, 0.06).change


def test_a_wave_that_noise_explains_goes_and_a_plane_that_is_moved_stays(axes):
    log_depth = planar(*axes)
    moved = -np.log((0.25 + 0.06 * axes[0] + 0.07 * axes[1]) * np.exp(log_depth)).astype(np.float32)
    wave = 0.03 * np.sin(5 * axes[0]) * np.cos(4 * axes[1])
    assert np.abs(changed(log_depth, moved)).max() < 0.01
    change = changed(log_depth, moved + wave)
    assert np.sqrt(np.mean((change + wave) ** 2)) < 0.4 * np.sqrt(np.mean(wave**2))


def test_what_noise_does_not_explain_is_kept(axes):
    step = np.where(axes[0] > 0.1, 0.35, 0).astype(np.float32)
    assert np.abs(changed(planar(*axes), step)).max() < 0.03


def test_two_surfaces_keep_a_correction_each(axes):
    u, v = axes
    left = u < 0.1
    log_depth = np.where(left, planar(u, v), planar(u, v) + 0.5)
    correction = np.where(left, 0.1, -0.1).astype(np.float32)
    assert np.abs(changed(log_depth, correction)).max() < 0.02


def test_quiet_anchors_and_few_ones_change_nothing(axes):
    assert Planes(GRID).keep(planar(*axes), 0.1 * axes[0], 0.9 * LOUD) is None
    few = SEVERAL - 1
    assert noise_of(np.ones(few, np.float32), np.full(few, 0.04, np.float32)) == (0.0, pytest.approx(0.04))
    errors = np.append(np.ones(few, np.float32), np.full(5, np.inf, np.float32))
    assert noise_of(errors, np.full(few + 5, 0.1, np.float32)).seen == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_number_in_the_correction_leaves_it_as_it_is(axes, bad):
    correction = 0.1 * axes[0]
    correction[3, 4] = bad
    assert Planes(GRID).keep(planar(*axes), correction, 0.06) is None


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 80.0, -80.0])
def test_an_answer_that_is_none_spoils_no_other(axes, bad):
    log_depth = planar(*axes)
    log_depth[3, 4] = bad
    assert np.isfinite(changed(log_depth, 0.1 * axes[0])).all()


@pytest.mark.parametrize("grid", [(1, 1), (4, 4), (11, 28)])
def test_a_grid_too_small_for_planes_is_left(grid):
    assert Planes(grid).keep(np.zeros(grid, np.float32), np.zeros(grid, np.float32), 0.06) is None


@pytest.mark.parametrize("grid", [(12, 13), (32, 40), (15, 28)])
def test_any_larger_grid_will_do(grid):
    rng = np.random.default_rng(0)
    change = changed(np.ones(grid, np.float32), rng.normal(0, 0.02, grid).astype(np.float32))
    assert change.shape == grid
    assert np.isfinite(change).all()


def test_what_is_on_no_plane_is_less_sure():
    """A plant before a wall."""
    answer = np.full(SHAPE, 4.0, np.float32)
    rng = np.random.default_rng(0)
    answer[40:80, 40:80] = np.repeat(np.repeat(rng.uniform(2.2, 3.6, (10, 10)), 4, 0), 4, 1)
    pixels = rng.integers(0, 224, (200, 2))
    given = measured(answer, pixels, 0.08 * rng.standard_normal(200))
    done = Anchoring(SHAPE).correct(answer, [given], 0.0, sigma=True)
    sure = done.sigma / done.depth
    assert np.median(sure[48:72, 48:72]) > 1.4 * np.median(sure[:30])
