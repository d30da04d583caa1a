"""Compiled functions of the filters against numpy's: the same answers, whatever comes."""

import math

import cv2
import numpy as np
import pytest
from flicker import errors

from fastdepth_ros.arguments import allocate
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import Band, Stand
from fastdepth_ros.filters.depth import DepthPass
from fastdepth_ros.filters.gate import FROZEN, Fault, Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.scan import ScanMaker
from fastdepth_ros.filters.steadiness import PAUSE, Steadiness
from fastdepth_ros.models import find_bundle
from fastdepth_ros.network import PRUNED
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.precision import choose
from tools.gate_faults import FAULTS

BAND = Band(0.1, 1.0, 0.3, 6.0)


@pytest.fixture(params=["engine", "small_engine"])
def either(request):
    return request.getfixturevalue(request.param)


def picture(shape, seed=0):
    """A picture with coarse and fine detail, and a sensor's noise."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(
        rng.integers(20, 230, (7, 9, 3)).astype(np.float32), shape[1::-1], interpolation=cv2.INTER_CUBIC
    )
    return np.clip(coarse + rng.normal(0, 12, (*shape[:2], 3)), 0, 255).astype(np.uint8)


# --- the picture ---


@pytest.mark.parametrize("seed", range(4))
def test_eighths_and_what_is_seen_are_those_of_numpy(either, seed):
    either.input[:] = picture(either.input.shape, seed) if seed else np.full(either.input.shape, 255, np.uint8)
    plain, compiled = Halves(either.input), Halves(either.input, either.bind)
    assert compiled._function is not None
    np.testing.assert_array_equal(compiled.eighth, plain.eighth)
    expected, found = plain.seen(), compiled.seen()
    np.testing.assert_allclose(found.means(), expected.means(), rtol=1e-4, atol=0.01)
    assert (found.most(), found.bright(), found.broken()) == (expected.most(), expected.bright(), expected.broken())
    np.testing.assert_allclose(found.details(), expected.details(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_those_of_numpy(engine, name):
    make, _ = FAULTS[name]
    halves = Halves(engine.input, engine.bind)
    for seed in range(4):
        engine.input[:] = make(picture(engine.input.shape, seed), np.random.default_rng(seed))
        halves.show(engine.input)
        assert Gate().look(halves, 0.0) is Gate().look(Halves(engine.input.copy()), 0.0)


def test_a_pixel_that_changes_is_no_frozen_picture(either):
    halves, gate = Halves(either.input, either.bind), Gate()
    either.input[:] = picture(either.input.shape, 3)
    found = []
    for now in (0.0, FROZEN, FROZEN + 1):
        if now > FROZEN:
            either.input[-2:, -2:, 1] ^= 128
        halves.show(either.input)
        found.append(gate.look(halves, now) is Fault.FROZEN)
    assert found == [False, True, False]


def test_other_pixels_are_looked_at_all_the_same(engine):
    halves, other = Halves(engine.input, engine.bind), picture((64, 96), 5)
    halves.show(other)
    np.testing.assert_array_equal(halves.eighth, Halves(other).eighth)


# --- steadiness ---


def steadied(filter_, frames, steadiness):
    """Answers steadied one after the other, and the share of each that went on."""
    answers, shares = [], []
    for now, pixels, metres in frames:
        own = metres.copy()
        filter_.steady(own, Halves(pixels), now, steadiness)
        answers.append(own)
        shares.append(filter_.goes_on)
    return answers, shares


def walk(shape, step, holes=0.0, jump=0.0):
    """A camera that goes to the right by so many pixels a picture: times, pictures, answers with errors and holes."""
    rows, columns = shape
    rng = np.random.default_rng(7)
    world = cv2.GaussianBlur(rng.integers(0, 256, (2 * rows, 2 * columns + 10 * step, 3), np.uint8), (0, 0), 3)
    world = cv2.normalize(world, None, 20, 235, cv2.NORM_MINMAX)
    depth = 2 * np.exp(cv2.GaussianBlur(rng.normal(0, 8, (rows, columns + 5 * step)).astype(np.float32), (0, 0), 9))
    frames = []
    for number in range(10):
        left = number * step
        metres = depth[:, left // 2 : left // 2 + columns] * np.exp(rng.normal(0, 0.03))
        if (rows, columns) == (112, 112):
            metres = metres * np.exp(errors(rng, 0.03))
        if number == 6:
            metres = metres * math.exp(jump)
        metres = metres.astype(np.float32)
        metres[rng.random(metres.shape) < holes] = np.nan
        if holes:
            metres[: rows // 3, : columns // 2] = 0
        frames.append((number / 30, world[: 2 * rows, left : left + 2 * columns].copy(), metres))
    return frames


@pytest.mark.parametrize("steadiness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("step", "holes", "jump"), [(0, 0.0, 0.0), (4, 0.0, 0.0), (0, 0.3, 0.3), (2, 0.1, 0.9)])
def test_steadied_answers_are_those_of_numpy(either, steadiness, step, holes, jump):
    shape = either.input.shape[0] // 2, either.input.shape[1] // 2
    frames = walk(shape, step, holes, jump)
    expected, shares = steadied(Steadiness(shape), frames, steadiness)
    compiled = Steadiness(shape, either.bind)
    assert compiled._function is not None
    found, own_shares = steadied(compiled, frames, steadiness)
    # OpenCV fetches what moved from the nearest of 32 places between two pieces.
    moves = step > 0 and min(shape) > 48
    usual, most = (0.01, 0.1) if moves else (1e-4, 1e-4)
    np.testing.assert_allclose(own_shares, shares, atol=usual)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        known = np.isfinite(other) & (other > 0)
        off = np.abs(np.log(one[known] / other[known]))
        assert off.max(initial=0.0) <= most
        assert np.mean(off <= usual) > 0.98
        np.testing.assert_array_equal(one[other == 0], 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 1e9])
def test_an_answer_without_depth_breaks_nothing(either, value):
    shape = either.input.shape[0] // 2, either.input.shape[1] // 2
    frames = walk(shape, 0)
    frames[3] = (frames[3][0], frames[3][1], np.full(shape, value, np.float32))
    found, shares = steadied(Steadiness(shape, either.bind), frames, 0.5)
    expected, own_shares = steadied(Steadiness(shape), frames, 0.5)
    np.testing.assert_array_equal(found[3], expected[3])
    np.testing.assert_allclose(found[-1], expected[-1], rtol=1e-3)
    np.testing.assert_allclose(shares, own_shares, atol=1e-3)


def test_a_pause_begins_anew(engine):
    frames = walk((112, 112), 0)
    late = [(now + (PAUSE + 1 if number > 4 else 0), *rest) for number, (now, *rest) in enumerate(frames)]
    found, shares = steadied(Steadiness((112, 112), engine.bind), late, 1.0)
    assert shares[5] == 0
    np.testing.assert_array_equal(found[5], frames[5][2])


# --- the scan ---


def stand(pitch=0.1, origin=(0.0, 0.0), turned=0.0, roll=0.05):
    down = math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch), math.sin(pitch)
    level = Stand.level(down, 0.5)
    forward, left = np.array(level.forward), np.array(level.left)
    cosine, sine = math.cos(turned), math.sin(turned)
    return level._replace(
        forward=tuple(cosine * forward - sine * left), left=tuple(sine * forward + cosine * left), origin=origin
    )


def depths(shape, seed):
    """Depth with steps and slopes, and all that is no depth."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    metres = cv2.resize(rng.uniform(0.2, 7, (6, 5)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    metres[rows // 2 :, : columns // 3] = rng.uniform(0.5, 4)
    if seed % 2:
        metres[rng.random(shape) < 0.2] = np.nan
        metres[rng.random(shape) < 0.02] = np.inf
        metres[: rows // 4, columns // 2 : columns // 2 + 3] = -np.inf
        metres[:, -columns // 4 :] = np.nan
    return metres


@pytest.mark.parametrize("origin", [(0.0, 0.0), (0.3, 0.0), (0.2, -0.15), (-0.1, 0.1)])
@pytest.mark.parametrize(("pitch", "turned"), [(0.1, 0.0), (-0.3, 1.2), (0.6, math.pi)])
def test_scans_are_those_of_numpy(either, origin, pitch, turned):
    rows, columns = either.input.shape[0] // 2, either.input.shape[1] // 2
    camera = Intrinsics(columns, rows, 0.9 * columns, 1.2 * rows, columns / 2 - 0.5, rows / 2 - 0.5)
    place = stand(pitch, origin, turned)
    plain, compiled = ScanMaker(camera, place, BAND), ScanMaker(camera, place, BAND, either.bind)
    assert compiled._function is not None
    for seed in range(6):
        metres = depths((rows, columns), seed)
        expected, found = plain.ranges(metres), compiled.ranges(metres)
        # Beside the scan's origin OpenCV's angles are of a hundredth of a degree: a cell may fall into the next ray.
        alike = np.isclose(found, expected, rtol=1e-5, equal_nan=True)
        assert alike.mean() >= (1.0 if origin == (0.0, 0.0) else 0.9), (found[~alike], expected[~alike])


def test_nothing_but_what_is_no_depth_is_doubted(either):
    rows, columns = either.input.shape[0] // 2, either.input.shape[1] // 2
    camera = Intrinsics(columns, rows, columns, rows, columns / 2 - 0.5, rows / 2 - 0.5)
    maker = ScanMaker(camera, stand(0.0, roll=0.0), BAND, either.bind)
    assert np.isnan(maker.ranges(np.full((rows, columns), np.nan, np.float32))).all()
    assert np.isposinf(maker.ranges(np.full((rows, columns), np.inf, np.float32))).all()
    assert np.isneginf(maker.ranges(np.full((rows, columns), -np.inf, np.float32))).all()


# --- the depth map ---

HEAD = 20
"""Bytes before the numbers of a message: no vector begins there."""


def depth_maps(engine, factor, nearest, farthest):
    """The answer in cells and in pixels, and whether all of it is between the limits, by the compiled function."""
    rows, columns = engine.input.shape[0] // 2, engine.input.shape[1] // 2
    message, cells = bytearray(HEAD + 16 * rows * columns), allocate((rows, columns), np.float32)
    pixels = np.frombuffer(message, np.float32, offset=HEAD).reshape(2 * rows, 2 * columns)
    numbers = {"factor": factor, "nearest": nearest, "farthest": farthest}
    function = DepthPass.find(cells, pixels, numbers, engine.bind)
    assert function is not None
    inside = function.write()
    return cells, pixels, inside


def test_a_depth_map_is_each_cell_in_metres_as_four_pixels(either):
    for seed in range(3):
        either.input[:] = picture(either.input.shape, seed)
        metres = either.run() * np.float32(1.3)
        least, most = float(metres.min()), float(metres.max())
        cells, pixels, inside = depth_maps(either, 1.3, 0.99 * least - 0.01, 1.01 * most + 0.01)
        np.testing.assert_array_equal(cells, metres)
        np.testing.assert_array_equal(pixels, metres.repeat(2, axis=0).repeat(2, axis=1))
        assert inside


def test_metres_that_do_not_lie_between_the_limits_are_found(either):
    either.input[:] = picture(either.input.shape, 1)
    metres = either.run().copy()
    least, most = float(metres.min()), float(metres.max())
    for limits in ((least, most + 1), (least - 1, most), (most + 1, most + 2), (least - 2, least - 1)):
        assert not depth_maps(either, 1.0, *limits)[-1], limits
    assert not depth_maps(either, math.nan, least - 1, most + 1)[-1]
    assert depth_maps(either, 1.0, least - 1, most + 1)[-1]


class Bare:
    """An engine without its functions."""

    def __init__(self, engine):
        self.input, self.run = engine.input, engine.run


WANTED = {
    "depth": Settings(),
    "colours": Settings(cloud="xyzrgb"),
    "millimetres": Settings(depth_encoding="16UC1"),
    "the camera's size": Settings(output_size="camera"),
    "some too far": Settings(max_depth=0.2),
    "some too near": Settings(min_depth=0.2),
    "no edges": Settings(edges="remove"),
    "upside down": Settings(rotation="180"),
    "scaled": Settings(depth_scale=1.7),
}


def agree(one, other, camera):
    """Hold the frames of two pipelines against each other."""
    for seed in range(2):
        seen = Picture(picture((240, 320, 3), seed), "rgb")
        for outputs in ({}, {"depth": False}, {"cloud": False}, {"cells": True}):
            found, expected = one.run(seen, camera, **outputs), other.run(seen, camera, **outputs)
            for name in ("depth", "cloud"):
                assert (getattr(found, name) is None) == (getattr(expected, name) is None), name
                if getattr(found, name) is not None:
                    np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            if expected.cells is not None:
                np.testing.assert_array_equal(found.cells.metres, expected.cells.metres)


CAMERA = Intrinsics(320, 240, 262.0, 262.0, 159.5, 119.5)


@pytest.mark.parametrize("wanted", WANTED)
def test_frames_are_those_without_functions(engine, wanted):
    settings, manifest = WANTED[wanted], Manifest("test", PRUNED)
    agree(Pipeline(engine, manifest, settings), Pipeline(Bare(engine), manifest, settings), CAMERA)


@pytest.mark.parametrize("wanted", ["colours", "millimetres"])
def test_frames_in_which_all_is_within_the_limits_are_those_without_functions(indoor, wanted):
    bundle = find_bundle(indoor)
    engine = open_engine(module_for(bundle, precision=choose(bundle).precision), 1)
    one, other = (Pipeline(each, bundle.manifest, WANTED[wanted]) for each in (engine, Bare(engine)))
    agree(one, other, CAMERA)
    assert one._grid.at_once(wanted=True) is True
    assert other._grid.at_once(wanted=True) is None
