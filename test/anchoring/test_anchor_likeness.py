"""What is made of an answer agrees with it; what is measured does not, however exact it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.cones import ConeMeasurement
from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.anchoring.likeness import ENOUGH, Answer, Likeness, Pool, Word, best, likeness
from fastdepth_ros.anchoring.poses import OPTICAL
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.anchoring.suspicion import CONVICTS, PATIENCE, RELEASES, REST, SELDOM, Suspicion
from fastdepth_ros.camera import Intrinsics

SEEN = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)
CELLS = SEEN.scale(112, 112)
CAMERA = Intrinsics(640, 480, 428.6, 428.6, 319.5, 239.5)
"""Its rows are all seen."""


def scene(seed=0, base=3.0):
    """True depth of a floor, a wall and two boxes, and an answer to it: off in scale, and by bumps of 8 %."""
    random = np.random.default_rng(seed)
    rows = np.arange(112, dtype=np.float32)[:, None]
    truth = np.minimum(np.full((112, 112), base, np.float32), 1.2 * 100 / np.fmax(rows - 50, 1))
    for _ in range(2):
        row, column = random.integers(30, 80, 2)
        truth[row : row + 25, column : column + 20] = random.uniform(0.4, 0.8) * base
    bumps = cv2.resize(random.normal(0, 0.08, (14, 14)).astype(np.float32), (112, 112), interpolation=cv2.INTER_CUBIC)
    noise = random.normal(0, 0.004, truth.shape)
    return truth, (truth * np.exp(random.normal(0, 0.1) + bumps + noise)).astype(np.float32)


def answer_of(metres, number=0, stamp=1.0):
    return Answer(number, stamp, metres, SEEN)


def points_of(metres, every=1):
    """The points of an answer's cells, as depth/points holds them where depth is as large as the camera's picture."""
    enlarged = cv2.resize(metres, (480, 480), interpolation=cv2.INTER_NEAREST_EXACT)
    rows, columns = np.mgrid[0:480:every, 0:480:every]
    z = enlarged[rows, columns].ravel().astype(np.float64)
    x = ((columns.ravel() + 0.5) * 224 / 480 - 0.5 - SEEN.cx) / SEEN.fx
    y = ((rows.ravel() + 0.5) * 224 / 480 - 0.5 - SEEN.cy) / SEEN.fy
    return np.stack((x * z, y * z, z), axis=1)


def measured(xyz, source="anchors"):
    return PointMeasurement(source, xyz, np.full(len(xyz), np.nan))


def scan_of(metres, height=1):
    """The scan that depthimage_to_laserscan makes: of each column the nearest of the middle rows, by its angle."""
    enlarged = cv2.resize(metres, (480, 480), interpolation=cv2.INTER_NEAREST_EXACT)
    columns = (np.arange(480) + 0.5) * 224 / 480 - 0.5
    angles = -np.arctan((columns - SEEN.cx) / SEEN.fx)
    low, high = angles.min(), angles.max()
    step = (high - low) / 479
    ranges = np.full(480, np.inf)
    for row in enlarged[240 - height // 2 : 240 - height // 2 + height]:
        np.minimum.at(ranges, ((angles - low) / step).astype(int), (row / np.cos(angles)).astype(np.float32))
    beams = low + step * np.arange(480)
    kept = np.isfinite(ranges)
    flat = np.stack((ranges * np.cos(beams), ranges * np.sin(beams), np.zeros(480)), axis=1)[kept]
    return measured(OPTICAL.inverse().apply(flat), "scan")


def voxels_of(xyz, leaf=0.05):
    """Means of the points in each box, as PCL's VoxelGrid leaves them."""
    _, boxes = np.unique(np.floor(xyz / leaf).astype(int), axis=0, return_inverse=True)
    boxes = boxes.ravel()
    counts = np.bincount(boxes)
    return np.stack([np.bincount(boxes, xyz[:, axis]) / counts for axis in range(3)], axis=1)


MADE = {
    "its points": lambda metres: measured(points_of(metres)),
    "every eighth of them": lambda metres: measured(points_of(metres, 8)),
    "its points in whole millimetres": lambda metres: measured(np.round(points_of(metres, 8), 3)),
    "a filtered cloud": lambda metres: measured(voxels_of(points_of(metres))),
    "a scan of one row": scan_of,
    "a scan of ten rows": lambda metres: scan_of(metres, 10),
    "a scan of a third": lambda metres: scan_of(metres, 160),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_is_made_of_an_answer_is_the_same(made):
    for seed in range(8):
        answer = answer_of(scene(seed)[1])
        assert likeness(made(answer.metres), answer).word() is Word.SAME


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_an_exact_sensor_is_another(made):
    for seed in range(8):
        truth, answered = scene(seed)
        assert likeness(made(truth), answer_of(answered)).word() is Word.OTHER


def test_what_is_made_of_an_earlier_answer_is_not_the_same_as_the_latest():
    earlier, latest = scene(0)[1], scene(1)[1]
    found = [likeness(measured(points_of(earlier)), answer_of(each)) for each in (latest, earlier)]
    assert [each.word() for each in found] == [Word.OTHER, Word.SAME]
    assert best(found) is found[1]


def test_points_where_there_is_no_depth_were_measured():
    truth, answered = scene()
    half = answered.copy()
    half[:, 28:] = np.nan
    assert likeness(measured(points_of(answered)), answer_of(half)).word() is Word.OTHER
    assert likeness(measured(points_of(truth)), answer_of(np.full_like(truth, np.inf))).word() is Word.OTHER


def test_a_bare_wall_says_nothing():
    wall = np.full((112, 112), 2.0, np.float32)
    assert likeness(measured(points_of(wall)), answer_of(wall)).word() is Word.NOTHING


def test_the_floor_is_nothing_that_is_made_of_depth():
    assert likeness(FloorMeasurement("floor", (0.0, 1.0, 0.0), 1.0), answer_of(scene()[1])) is None


def test_readings_of_a_ranger_are_put_together():
    """The nearest of a cone, of answers that change; and the true one."""
    for exact in (False, True):
        pool, words = Pool(), []
        for step in range(ENOUGH):
            truth, answered = scene(step, base=2.0 + 0.2 * step)
            source = truth if exact else answered
            xyz = points_of(source, 4)
            away = np.linalg.norm(xyz, axis=1)
            nearest = away[xyz[:, 2] >= np.cos(0.2) * away].min()
            cone = ConeMeasurement("range", OPTICAL.inverse(), 0.4, float(nearest), np.nan)
            words.append(pool.hear(likeness(cone, answer_of(answered))))
        assert set(words[:-1]) == {Word.NOTHING}
        assert words[-1] is (Word.OTHER if exact else Word.SAME)


def test_who_follows_the_answer_is_convicted_within_four_messages_and_never_used():
    suspicion = Suspicion()
    for number in range(1 + CONVICTS):
        assert suspicion.is_due()
        assert not suspicion.hear(Word.SAME, number), "it has taught nothing"
        assert suspicion.withheld
    assert suspicion.convicted


def test_a_sensor_that_agrees_is_left_out_once_and_believed_from_then_on():
    suspicion = Suspicion()
    suspicion.used()
    assert suspicion.hear(Word.SAME, 7), "what it has taught is forgotten"
    assert suspicion.withheld
    answers = [answer_of(scene()[1], number) for number in (5, 6, 7)]
    assert [each.number for each in suspicion.independent(answers)] == [7]
    assert not suspicion.hear(Word.OTHER, 8)
    assert not suspicion.withheld
    assert not any(suspicion.is_due() for _ in range(REST))
    assert sum(suspicion.is_due() for _ in range(10 * SELDOM)) == 10


def test_one_of_which_nothing_can_be_said_is_used_again():
    suspicion = Suspicion()
    suspicion.hear(Word.SAME, 0)
    for number in range(PATIENCE):
        assert suspicion.withheld
        suspicion.hear(Word.NOTHING, number)
    assert not suspicion.withheld


def test_a_sensor_in_place_of_what_was_made_of_depth_is_used():
    suspicion = Suspicion()
    for number in range(1 + CONVICTS):
        suspicion.hear(Word.SAME, number)
    for number in range(RELEASES):
        assert suspicion.convicted
        suspicion.hear(Word.OTHER, number)
    assert not suspicion.convicted
    assert not suspicion.withheld


@pytest.mark.parametrize("sigma", [np.nan, 0.001])
def test_exact_points_of_a_scene_that_stands_still_are_not_taken_for_the_answer_that_follows_them(sigma):
    """The most that a sensor can look like an answer: the same exact depths, frame after frame."""
    truth, answered = scene(3)
    random = np.random.default_rng(0)
    cells = random.integers(0, 112, (200, 2))
    depths = truth[cells[:, 1], cells[:, 0]]
    pixels = (2 * cells + 0.5).astype(np.float32)
    rays = np.stack(((pixels[:, 0] - SEEN.cx) / SEEN.fx, (pixels[:, 1] - SEEN.cy) / SEEN.fy, np.ones(200)), axis=1)
    points = PointMeasurement("anchors", rays * depths[:, None], np.full(200, sigma))
    anchoring, suspicion, words = Anchoring((112, 112)), Suspicion(), []
    kept: list[Answer] = []
    for step in range(60):
        if suspicion.is_due() and kept:
            found: list[Likeness] = [likeness(points, each) for each in suspicion.independent(kept[-1:])]
            words.append(suspicion.word(found))
            suspicion.hear(words[-1], step)
        anchors = [] if suspicion.withheld else [Anchors("anchors", pixels, depths, np.full(200, sigma, np.float32))]
        if anchors:
            suspicion.used()
        metres = answered * np.exp(random.normal(0, 0.002, answered.shape)).astype(np.float32)
        depth = anchoring.correct(metres, anchors, step / 30).depth.copy()
        kept.append(answer_of(depth, step))
    assert not suspicion.convicted
    assert Word.OTHER in words
