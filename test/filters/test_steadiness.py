"""Depth flickers less, follows the picture, leaves no trails, and begins anew where it has to."""

import cv2
import numpy as np
import pytest
from flicker import errors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.steadiness import PAUSE, Steadiness

SIZE = 224
PERIOD = 1 / 30
WORLD = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (400, 900, 3), np.uint8), (0, 0), 3)
WORLD = cv2.normalize(WORLD, None, 20, 235, cv2.NORM_MINMAX)


def seen(left=0, rng=None):
    """The picture of a camera that looks at a poster, from a column on; with the noise of a sensor."""
    picture = WORLD[:SIZE, left : left + SIZE].astype(np.float32)
    if rng is not None:
        picture += rng.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def steady_all(answers, pictures, steadiness, period=PERIOD):
    """Answers, one after the other, steadied."""
    filter_ = Steadiness(answers[0].shape)
    out = []
    for number, (answer, picture) in enumerate(zip(answers, pictures, strict=True)):
        metres = answer.copy()
        filter_.steady(metres, Halves(picture), number * period, steadiness)
        out.append(metres)
    return out


def flickering(count, rng, sigma=0.05):
    """Answers of a slanted wall, each with errors of its own."""
    wall = np.linspace(1.5, 4, 112 * 112, dtype=np.float32).reshape(112, 112)
    return [wall * np.exp(errors(rng, sigma)) for _ in range(count)]


@pytest.mark.parametrize(("steadiness", "left"), [(0.5, 0.5), (1.0, 0.3)])
def test_a_standing_camera_s_depth_flickers_less_than_half_as_much(steadiness, left):
    rng = np.random.default_rng(0)
    answers = flickering(40, rng)
    steadied = steady_all(answers, [seen(rng=rng) for _ in answers], steadiness)
    before, after = (np.log(np.stack(each[15:])).std(0).mean() for each in (answers, steadied))
    assert after < left * before


def test_a_scale_that_flickers_is_steadied():
    scales = np.exp(np.random.default_rng(0).normal(0, 0.1, 200))
    answers = [np.full((16, 16), 2 * scale, np.float32) for scale in scales]
    steadied = steady_all(answers, [seen()[:32, :32]] * len(answers), 0.5)
    before, after = (np.log(np.stack(each[15:])).std(0).mean() for each in (answers, steadied))
    assert after < 0.5 * before


def test_a_large_flicker_of_a_standing_camera_is_steadied_as_well():
    rng = np.random.default_rng(0)
    answers = flickering(40, rng, sigma=0.12)
    steadied = steady_all(answers, [seen(rng=rng) for _ in answers], 0.5)
    before, after = (np.log(np.stack(each[15:])).std(0).mean() for each in (answers, steadied))
    assert after < 0.5 * before


def test_without_steadiness_an_answer_is_as_it_was():
    rng = np.random.default_rng(0)
    answers = flickering(5, rng)
    steadied = steady_all(answers, [seen(rng=rng) for _ in answers], 0.0)
    np.testing.assert_allclose(steadied, answers, rtol=1e-5)


@pytest.mark.parametrize("pixels", [1, 3, 8])
def test_an_edge_that_moves_is_where_the_newest_answer_has_it(pixels):
    """A thing at 1.5 m in front of a wall at 3 m passes, with the poster behind it: no trail, no delay."""
    pictures, answers = [], []
    for number in range(12):
        picture, answer = seen(), np.full((112, 112), 3.0, np.float32)
        left = 40 + number * pixels
        picture[60:160, left : left + 80] = WORLD[250:350, 500:580]
        answer[30:80, round(left / 2) : round(left / 2) + 40] = 1.5
        pictures.append(picture)
        answers.append(answer)
    steadied = steady_all(answers, pictures, 1.0)
    for answer, metres in zip(answers[1:], steadied[1:], strict=True):
        late = np.abs(np.log(metres / answer)) > 0.2
        assert late.mean() < 0.002, "cells that show what was there before"


def test_a_pan_carries_the_mean_along():
    rng = np.random.default_rng(0)
    world = np.exp(cv2.GaussianBlur(rng.normal(0, 1, (112, 300)).astype(np.float32), (0, 0), 12) * 3) * 2
    pictures = [seen(4 * number, rng) for number in range(24)]
    truths = [np.ascontiguousarray(world[:, 2 * number : 2 * number + 112]) for number in range(24)]
    answers = [truth * np.exp(errors(rng, 0.04)) for truth in truths]
    steadied = steady_all(answers, pictures, 0.5)
    before, after = (np.abs(np.log(np.stack(each[8:]) / np.stack(truths[8:]))).mean() for each in (answers, steadied))
    assert after < 0.65 * before


def test_a_thing_that_appears_is_there_at_once():
    rng = np.random.default_rng(0)
    pictures, answers = [seen(rng=rng) for _ in range(10)], [np.full((112, 112), 3.0, np.float32) for _ in range(10)]
    pictures[9][50:150, 50:150] = 255 - pictures[9][50:150, 50:150]
    answers[9][25:75, 25:75] = 1.2
    metres = steady_all(answers, pictures, 1.0)[9]
    np.testing.assert_allclose(metres[28:72, 28:72], 1.2, rtol=0.05)


def test_a_cut_begins_anew():
    answers = [np.full((112, 112), metres, np.float32) for metres in (2.0, 2.0, 2.0, 2.1)]
    pictures = [seen(), seen(), seen(), WORLD[150:374, 600:824]]
    np.testing.assert_allclose(steady_all(answers, pictures, 1.0)[3], 2.1, rtol=1e-5)


def test_a_jump_of_the_scale_begins_anew():
    answers = [np.full((112, 112), metres, np.float32) for metres in (2.0, 2.0, 2.0, 4.0)]
    np.testing.assert_allclose(steady_all(answers, [seen()] * 4, 1.0)[3], 4.0, rtol=1e-5)


@pytest.mark.parametrize("later", [PAUSE + 0.01, -1.0])
def test_a_pause_and_a_clock_that_jumps_back_begin_anew(later):
    filter_ = Steadiness((112, 112))
    for now, metres in ((10.0, 2.0), (10.1, 2.0), (10.1 + later, 2.2)):
        answer = np.full((112, 112), metres, np.float32)
        filter_.steady(answer, Halves(seen()), now, 1.0)
    np.testing.assert_allclose(answer, 2.2, rtol=1e-5)
    assert filter_.goes_on == 0


def test_what_is_forgotten_has_no_say():
    filter_ = Steadiness((112, 112))
    for now, metres in ((0.0, 2.0), (0.1, 2.2)):
        answer = np.full((112, 112), metres, np.float32)
        filter_.steady(answer, Halves(seen()), now, 1.0)
        filter_.forget()
    np.testing.assert_allclose(answer, 2.2, rtol=1e-5)


def test_a_light_that_flickers_changes_no_thing():
    rng = np.random.default_rng(0)
    answers = flickering(40, rng)
    lights = 1 + 0.15 * np.sin(np.arange(40) * 2.3)
    pictures = [np.clip(seen() * light, 0, 255).astype(np.uint8) for light in lights]
    steadied = steady_all(answers, pictures, 0.5)
    before, after = (np.log(np.stack(each[15:])).std(0).mean() for each in (answers, steadied))
    assert after < 0.5 * before


@pytest.mark.parametrize("shape", [(16, 16), (16, 24), (80, 112), (224, 224)])
def test_answers_of_any_size_are_steadied(shape):
    rng = np.random.default_rng(0)
    picture = cv2.resize(seen(), (2 * shape[1], 2 * shape[0]))
    answers = [np.float32(2) * np.exp(errors(rng, 0.04, shape)) for _ in range(30)]
    steadied = steady_all(answers, [picture] * 30, 0.5)
    assert np.stack(steadied[10:]).std(0).mean() < 0.5 * np.stack(answers[10:]).std(0).mean()


NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(st.lists(arrays(np.float32, (16, 16), elements=NUMBERS), min_size=2, max_size=4), st.floats(0, 1))
def test_any_numbers_are_steadied_without_harm(answers, steadiness):
    """What is no depth stays as it is, what is one stays near the depths that were answered."""
    depths = np.stack(answers)
    depths = depths[(depths > 1e-3) & (depths < 1e4)]
    steadied = steady_all(answers, [seen()[:32, :32]] * len(answers), steadiness)
    for answer, metres in zip(answers, steadied, strict=True):
        there = (answer > 1e-3) & (answer < 1e4)
        np.testing.assert_array_equal(metres[~there], answer[~there])
        assert np.isfinite(metres[there]).all()
        if there.any():
            assert metres[there].min() >= 0.6 * depths.min()
            assert metres[there].max() <= 1.7 * depths.max()


def test_the_few_cells_that_have_depth_are_steadied():
    rng = np.random.default_rng(0)
    answers = flickering(40, rng)
    for answer in answers:
        answer[:, 30:] = 0
    steadied = steady_all(answers, [seen(rng=rng) for _ in answers], 0.5)
    before, after = (np.log(np.stack(each[15:])[..., :30]).std(0).mean() for each in (answers, steadied))
    assert after < 0.5 * before
    assert not np.stack(steadied)[..., 30:].any()


def test_a_picture_without_anything_harms_nothing():
    answers = [np.full((112, 112), 2.0, np.float32)] * 3
    for value in (0, 255):
        pictures = [np.full((SIZE, SIZE, 3), value, np.uint8)] * 3
        np.testing.assert_allclose(steady_all(answers, pictures, 1.0), 2.0, rtol=1e-5)
