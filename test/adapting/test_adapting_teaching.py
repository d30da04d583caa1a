"""Few measured depths teach what the answer, anchored with them, says: dense, and weighted by how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from fastdepth_ros.adapting.teaching import Answers, Seen, between, camera_of, drawn, taught, told
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.training.augment import plain_view

SIZE = 224
SIDES = SIZE, SIZE
CAMERA = Intrinsics(341, 256, 280.0, 280.0, 170.0, 127.5)


def picture(camera: Intrinsics | None = CAMERA) -> Frame:
    return Frame(np.full((256, 341, 3), 90, np.uint8), None, camera)


def metres(depth: float) -> Answers:
    """Answers of a bundle that sees everything at one distance."""

    def answers(frames: Sequence[Frame]) -> Iterator[np.ndarray]:
        return (np.full((SIZE // 2, SIZE // 2), depth, np.float32) for _ in frames)

    return answers


def points(depth: float, count: int = 100, left: float = 0.0, right: float = 340.0, seed: int = 0) -> np.ndarray:
    """Points of pixels between two columns, (n, 3) in the camera's optical frame."""
    rng = np.random.default_rng(seed)
    columns, rows = rng.uniform(left, right, count), rng.uniform(0, 255, count)
    rays = np.stack(((columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy, np.ones(count)), 1)
    return np.asarray(rays * depth)


def seen(xyz: np.ndarray, time: float | None = 0.0) -> Seen:
    return Seen(picture(), time, ((PointMeasurement("anchors", xyz, np.full(len(xyz), np.nan)), 0.0),))


def test_points_teach_what_is_around_them_and_nothing_far_from_them() -> None:
    # A wall, and a hall behind it, of another colour.
    pixels = picture().pixels.copy()
    pixels[:, 170:] = (200, 40, 40)
    answer = np.where(np.arange(SIZE // 2) < SIZE // 4, 2.0, 6.0) * np.ones((SIZE // 2, 1))
    xyz = points(2.6, 100, left=0.0, right=100.0) * np.exp(np.random.default_rng(2).normal(0, 0.07, (100, 1)))
    wall = PointMeasurement("anchors", xyz, np.full(100, np.nan))
    look = Seen(Frame(pixels, None, CAMERA), 0.0, ((wall, 0.0),))
    (frame,) = taught([look], lambda _: iter([answer.astype(np.float32)]), Prior(), SIDES)
    view = plain_view(frame, SIZE)
    assert view.depth is not None
    assert view.sigma is not None
    near, far = view.depth[10:-10, 5:30], view.depth[:, -30:]
    assert (near > 0).mean() > 0.95, "few points tell all that is between them"
    assert np.median(near) == pytest.approx(2.6, rel=0.02)
    assert (far > 0).mean() < 0.2
    assert ((view.sigma > 0) == (view.depth > 0)).all()
    assert np.median(view.sigma[10:-10, 5:30]) < 0.15 * 2.6


def test_one_point_in_ten_that_is_wrong_teaches_nothing() -> None:
    xyz = points(2.6, count=150)
    xyz[::10] *= np.random.default_rng(1).uniform(0.3, 3.0, (15, 1))
    (frame,) = taught([seen(xyz)], metres(2.0), Prior(), SIDES)
    depth = frame.depth
    assert depth is not None
    assert np.abs(np.log(depth[depth > 0] / 2.6)).max() < 0.15


def test_frames_that_follow_remember_and_those_of_other_places_do_not() -> None:
    many, one = points(3.0, count=60), points(3.0, count=1, left=30.0, right=31.0)

    def second(time: float | None) -> float:
        looks = [seen(many, time), seen(one, None if time is None else time + 4.0)]
        depth = taught(looks, metres(2.0), Prior(), SIDES)[1].depth
        assert depth is not None
        return float(np.median(depth[depth > 0]))

    assert second(5.0) > second(None) + 0.05


def test_a_pixel_that_was_drawn_is_a_point_of_its_place() -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 5, (256, 341)).astype(np.float32)
    depth[:, :100] = 0
    for camera in (CAMERA, None):
        found = drawn(Frame(picture().pixels, depth, camera), 50, np.random.default_rng(3))
        assert found.frame.depth is None
        ((measurement, lag),) = found.measured
        assert isinstance(measurement, PointMeasurement)
        assert (len(measurement.xyz), lag) == (50, 0.0)
        columns, rows = np.rint(camera_of(found.frame).project(measurement.xyz)).astype(int).T
        assert measurement.xyz[:, 2] == pytest.approx(depth[rows, columns])
    few = np.zeros_like(depth)
    few[9, 9] = 2.0
    ((one, _),) = drawn(Frame(picture().pixels, few, None), 50, rng).measured
    assert isinstance(one, PointMeasurement)
    assert len(one.xyz) == 1


def test_a_frame_of_which_nothing_was_measured_teaches_nothing() -> None:
    frames = taught([seen(np.zeros((0, 3)))], metres(2.0), Prior(), SIDES)
    assert frames[0].depth is not None
    assert not frames[0].depth.any()
    assert np.isnan(told(frames, metres(2.0), SIDES).within)


def test_a_frame_of_which_nothing_was_measured_teaches_nothing_that_one_before_it_was_told() -> None:
    looks = [seen(points(3.0, seed=number), number / 30) for number in range(10)] + [seen(np.zeros((0, 3)), 0.4)]
    *told_of, last = taught(looks, metres(2.0), Prior(), SIDES)
    assert all(each.depth is not None and each.depth.any() for each in told_of)
    assert last.depth is not None
    assert not last.depth.any()


def test_where_anchors_say_nothing_the_judge_favours_neither() -> None:
    left, right = (slice(None), slice(0, 150)), (slice(None), slice(200, 341))
    one, other = (np.full((256, 341), depth, np.float32) for depth in (2.0, 4.5))
    one[left] = other[left] = 3.0
    other[250:] = 0
    frames = [Frame(picture().pixels, depth, CAMERA, depth * np.float32(0.1)) for depth in (one, other)]
    (judge,) = between(frames[:1], frames[1:])
    assert judge.depth is not None
    assert judge.sigma is None
    assert judge.depth[:250][left] == pytest.approx(3.0)
    assert judge.depth[:250][right] == pytest.approx(3.0), "a factor of 1.5 from either"
    assert not judge.depth[250:].any()


@pytest.mark.parametrize(("truth", "low", "high"), [(2.0, 0.8, 1.0), (2.6, 0.0, 0.2)])
def test_right_answers_lie_within_the_doubt_and_wrong_ones_do_not(truth: float, low: float, high: float) -> None:
    xyz = points(truth, count=150) * np.exp(np.random.default_rng(2).normal(0, 0.06, (150, 1)))
    found = told(taught([seen(xyz)], metres(2.0), Prior(), SIDES), metres(2.0), SIDES)
    assert found.share > 0.9
    assert low <= found.within <= high
