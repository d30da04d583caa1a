"""Memory of corrections from frame to frame, and of what anchors contradicted: what is averaged, and what ends it."""

import math

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.anchors import nothing_of
from fastdepth_ros.anchoring.memory import CHANGED, LASTS, PAUSES, Memory

SHAPE, HALVES = (112, 112), (56, 56)
FRAME = 1 / 30
NOISE = 0.08


def hall():
    rows = np.linspace(5.0, 1.5, 112, dtype=np.float32)[:, None]
    return np.repeat(rows, 112, axis=1)


def points(truth, seed, count=150, noise=NOISE, source="anchors"):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 224, (count, 2))
    depths = truth[pixels[:, 1] // 2, pixels[:, 0] // 2] * np.exp(noise * rng.standard_normal(count))
    return Anchors(source, pixels.astype(np.float32), depths.astype(np.float32), np.full(count, np.nan, np.float32))


def error(depth, truth):
    return float(np.abs(np.log(depth / truth)).mean())


@pytest.fixture
def memory():
    return Memory(HALVES)


def blended(memory, value, now, answer=1.0, noise=NOISE):
    """Mean of a correction of this value everywhere, after the memory."""
    correction = np.full(HALVES, value, np.float32)
    memory.blend(correction, np.full(HALVES, answer, np.float32), now, noise)
    return float(correction.mean())


def test_noise_of_points_is_averaged_while_the_view_stays():
    """Noise of another seed in each frame, as tracks that come and go have it."""
    remembers, single, truth = Anchoring(SHAPE), Anchoring(SHAPE), hall()
    answer = truth * np.exp(0.2 * np.sin(np.linspace(0, 9, 112, dtype=np.float32)))
    errors = []
    for frame in range(20):
        single.forget()
        given = [points(truth, frame)]
        errors.append([error(each.correct(answer, given, frame * FRAME).depth, truth) for each in (remembers, single)])
    remembered, alone = np.mean(errors[8:], axis=0)
    assert remembered < 0.85 * alone


def reading(metres, share=math.nan):
    """One ranger straight ahead, and its sigma as a share of what it says."""
    pixel, depth = np.full((1, 2), 112, np.float32), np.array([metres], np.float32)
    return [Anchors("range", pixel, depth, np.float32(share) * depth)]


def test_noise_of_single_readings_is_averaged_while_the_view_stays():
    """Each is off by 5 % anew."""
    remembers, single, ahead = Anchoring(SHAPE), Anchoring(SHAPE), hall()[56, 56]
    rng, errors = np.random.default_rng(0), []
    for frame in range(40):
        single.forget()
        given = reading(1.3 * ahead * np.exp(0.05 * rng.standard_normal()))
        depths = [each.correct(hall(), given, frame * FRAME).depth[56, 56] for each in (remembers, single)]
        errors.append(np.log(np.array(depths) / (1.3 * ahead)))
    remembered, alone = np.array(errors[10:]).std(axis=0)
    assert remembered < 0.8 * alone


def test_a_reading_that_is_sure_is_followed_at_once():
    """After some that said something else; its sigma is half a per cent."""
    remembers, single, ahead = Anchoring(SHAPE), Anchoring(SHAPE), hall()[56, 56]
    for frame in range(4):
        single.forget()
        given = reading((1.2 if frame == 3 else 1.0) * ahead, 0.005)
        followed, alone = (each.correct(hall(), given, frame * FRAME).depth[56, 56] for each in (remembers, single))
    assert followed == pytest.approx(alone, rel=0.05)


def test_where_the_answer_changes_nothing_is_left_of_the_view_before():
    """A box comes into view, of which points say something else than of the wall behind it."""
    wall = np.full(SHAPE, 4.0, np.float32)
    box = wall.copy()
    box[30:80, 30:80] = 1.5
    remembers, single = Anchoring(SHAPE), Anchoring(SHAPE)
    for frame in range(10):
        remembers.correct(wall, [points(1.2 * wall, frame)], frame * FRAME)
    truth = np.where(box < 2, np.float32(1.5), np.float32(4.8))
    given = [points(truth, 99)]
    followed = np.median(remembers.correct(box, given, 10 * FRAME).depth[40:70, 40:70])
    assert followed == pytest.approx(1.5, rel=0.06)
    assert followed == pytest.approx(np.median(single.correct(box, given, 0.0).depth[40:70, 40:70]), rel=0.05)


def test_exact_anchors_are_followed_at_once(memory):
    assert blended(memory, 0.0, 0.0, noise=0.0) == 0
    assert blended(memory, 0.2, FRAME, noise=0.004) == pytest.approx(0.2, abs=1e-6)


def test_a_correction_is_averaged_with_those_before_it(memory):
    assert blended(memory, 0.0, 0.0) == 0
    second = blended(memory, 0.2, FRAME)
    assert 0.02 < second < 0.1
    assert second < blended(memory, 0.2, 2 * FRAME) < 0.2


def test_memory_is_of_time_and_not_of_frames(memory):
    blended(memory, 0.0, 0.0)
    soon = blended(memory, 0.2, FRAME)
    memory.forget()
    blended(memory, 0.0, 0.0)
    late = blended(memory, 0.2, LASTS)
    memory.forget()
    blended(memory, 0.0, 0.0)
    assert soon < late < blended(memory, 0.2, 20 * LASTS) == pytest.approx(0.2, abs=1e-6)


def test_a_place_that_looks_otherwise_keeps_little(memory):
    blended(memory, 0.0, 0.0)
    assert blended(memory, 0.2, FRAME, answer=1 + 5 * float(CHANGED)) == pytest.approx(0.2, abs=0.002)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_does_not_stay(memory, bad):
    blended(memory, 0.1, 0.0)
    correction, answer = np.full(HALVES, 0.1, np.float32), np.full(HALVES, 1.0, np.float32)
    correction[3, 4] = bad
    assert memory.blend(correction, answer, FRAME, NOISE) is None
    assert blended(memory, 0.3, 2 * FRAME) == pytest.approx(0.3, abs=1e-6)
    answer[5, 6] = bad
    assert memory.blend(np.full(HALVES, 0.1, np.float32), answer, 3 * FRAME, NOISE) is None
    assert blended(memory, 0.3, 4 * FRAME) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("now", [math.nan, math.inf, -1.0, 1e18])
def test_a_clock_that_jumps_ends_it(memory, now):
    blended(memory, 0.0, 0.0)
    assert blended(memory, 0.2, now) == pytest.approx(0.2, abs=1e-6)
    assert np.isfinite(blended(memory, 0.2, 0.0))


def wavy():
    """An answer that is wrong by turns, and its truth: no line takes that out."""
    truth = hall()
    return truth * np.exp(0.2 * np.sin(np.linspace(0, 9, 112, dtype=np.float32))), truth


def taught(frames=20):
    """Anchoring after points of the wavy answer, how far it was off and how sure then, and its last time."""
    anchoring, (answer, truth) = Anchoring(SHAPE), wavy()
    for frame in range(frames):
        done = anchoring.correct(answer, [points(truth, frame, noise=0.02)], frame * FRAME, sigma=True)
    return anchoring, error(done.depth, truth), done.sigma.copy(), (frames - 1) * FRAME


@pytest.mark.parametrize(("silent", "surest", "least_sure"), [(FRAME, 0.99, 1.2), (0.5, 1.5, 4.0), (5.0, 3.0, 8.0)])
def test_a_view_that_stays_keeps_its_correction_while_anchors_are_silent(silent, surest, least_sure):
    """It fades within seconds, and is less sure within fewer."""
    anchoring, before, sure, last = taught()
    answer, truth = wavy()
    done = anchoring.correct(answer, [], last + silent, sigma=True)
    share = math.exp(-silent / PAUSES)
    assert error(done.depth, truth) < share * before + (1 - share) * error(answer, truth) + 0.002
    assert surest < np.median(done.sigma / sure) < least_sure


def test_a_view_that_comes_back_has_its_correction_again():
    anchoring, before, _, last = taught()
    answer, truth = wavy()
    anchoring.correct(answer[:, ::-1] * np.float32(1.5), [], last + 1)
    away = error(answer, truth) * (1 - math.exp(-2 / PAUSES))
    assert error(anchoring.correct(answer, [], last + 2).depth, truth) < before + away


def test_sensors_slower_than_the_camera_leave_no_frame_to_the_line():
    """Points with every third image, and no other source."""
    anchoring, (answer, truth) = Anchoring(SHAPE), wavy()
    errors = []
    for frame in range(30):
        given = [] if frame % 3 else [points(truth, frame, noise=0.02)]
        errors.append(error(anchoring.correct(answer, given, frame * FRAME).depth, truth))
    assert max(errors[10:]) < 1.3 * min(errors[10:])


def test_where_the_answer_changes_the_line_alone_is_left():
    """Of the left half; the right one stays."""
    anchoring, before, _, last = taught()
    answer, truth = wavy()
    factor = np.ones(SHAPE, np.float32)
    factor[:, :56] = 1.5
    done = anchoring.correct(answer * factor, [], last + 1, sigma=True)
    stays, changed = np.s_[:, 64:], np.s_[:, :48]
    assert error(done.depth[stays], truth[stays]) < before + 0.005
    left = np.log(done.depth / (truth * factor))[changed]
    assert np.std(left) > 3 * np.std(np.log(done.depth / truth)[stays]), "turns are as the network answers them"
    doubt = done.sigma / done.depth
    assert np.median(doubt[changed]) > 1.5 * np.median(doubt[stays])


@pytest.mark.parametrize("ends", ["forgotten", "taken back", "a clock that jumps back", "a clock that jumped back"])
def test_a_correction_is_kept_no_longer_than_what_taught_it(ends):
    anchoring, before, _, last = taught()
    answer, truth = wavy()
    now, given = last + FRAME, []
    if ends == "forgotten":
        anchoring.forget()
    elif ends == "taken back":
        given = [nothing_of("anchors", taken_back=True)]
    elif ends == "a clock that jumps back":
        now = last - 1
    else:  # and has come to where it was
        anchoring.correct(answer, [], last - 1)
    assert error(anchoring.correct(answer, given, now).depth, truth) > 2 * before


def test_a_correction_is_in_metres_whatever_answers_are_multiplied_by():
    anchoring, before, _, last = taught()
    answer, truth = wavy()
    anchoring.rescale(1.25)
    assert error(anchoring.correct(answer * np.float32(1.25), [], last + FRAME).depth, truth) < before + 0.005


@pytest.mark.parametrize("factor", [1.2, 1.5, 0.7])
def test_a_last_frame_that_nobody_expected_is_not_kept(factor):
    """A tracker's last words before it is lost are often its worst."""
    anchoring, _, _, last = taught(60)
    answer, truth = wavy()
    wrong = anchoring.correct(answer, [points(truth * np.float32(factor), 99, noise=0.02)], last + FRAME).depth
    assert error(wrong, truth) > 0.1
    line, *_ = taught(60)
    line.correct(answer, [points(truth * np.float32(factor), 99, noise=0.02)], last + FRAME)
    line._applier.forget()
    kept = anchoring.correct(answer, [], last + 1, sigma=True)
    np.testing.assert_array_equal(kept.depth, line.correct(answer, [], last + 1, sigma=True).depth)


def test_a_close_up_is_not_kept():
    """A chip that sees a table, and nothing of the room that it is lifted to: the line alone is left."""
    kept, line, answer = Anchoring(SHAPE), Anchoring(SHAPE), hall()
    for each in (kept, line):
        for frame in range(20):
            each.correct(answer, [points(answer / 5, frame, source="tof", noise=0.02)], frame * FRAME)
    line._applier.forget()
    silent = [each.correct(answer, [], 19 * FRAME + 0.1, sigma=True) for each in (kept, line)]
    np.testing.assert_array_equal(silent[0].depth, silent[1].depth)
    np.testing.assert_array_equal(silent[0].sigma, silent[1].sigma)


def test_a_correction_stays_within_edges_while_anchors_are_silent():
    """A box before a wall, corrected by a slope over depth that the line forgets within seconds."""
    answer = np.full(SHAPE, 5.0, np.float32)
    answer[30:80, 30:80] = 1.0
    truth = (answer * (answer / 2) ** 0.3).astype(np.float32)
    anchoring = Anchoring(SHAPE)
    for frame in range(30):
        done = anchoring.correct(answer, [points(truth, frame, noise=0.01)], frame * FRAME)
    before = np.abs(np.log(done.depth / truth)).max()
    for silent in (1.0, 2.0, 4.0):
        depth = anchoring.correct(answer, [], 29 * FRAME + silent).depth
        assert np.abs(np.log(depth / truth))[28:82, 28:82].max() < before + 0.4 * (1 - math.exp(-silent / PAUSES))


def test_nothing_is_surer_for_sigmas_that_nobody_asked_for():
    """The last frame with points was asked for none, so that nothing is known of what its points left open."""
    anchoring, _, _, last = taught()
    answer, truth = wavy()
    line = Anchoring(SHAPE)
    for frame in range(20):
        line.correct(answer, [points(truth, frame, noise=0.02)], frame * FRAME)
    anchoring.correct(answer, [points(truth, 20, noise=0.02)], last + FRAME)
    unsure = anchoring.correct(answer, [], last + 2 * FRAME, sigma=True).sigma.copy()
    np.testing.assert_allclose(unsure, line.correct(answer, [], last + FRAME, sigma=True).sigma, rtol=0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_answer_that_is_none_recalls_nothing(memory, bad):
    blended(memory, 0.1, 0.0)
    answer = np.full(HALVES, 1.0, np.float32)
    answer[5, 6] = bad
    assert memory.recall(answer, FRAME) is None
    assert memory.recall(np.full(HALVES, 1.0, np.float32), 2 * FRAME).min() > 0.99


def lamp():
    """A wall as the network answers it, and the truth: a lamp hangs before it."""
    answer = np.full(SHAPE, 4.0, np.float32)
    truth = answer.copy()
    truth[48:64, 48:64] = 1.5
    return answer, truth


def doubt(frames, jump=False):
    """Sigma at the lamp over that of the wall after so many frames of few points each."""
    answer, truth = lamp()
    anchoring = Anchoring(SHAPE)
    for frame in range(frames):
        done = anchoring.correct(answer, [points(truth, frame, 60)], frame * FRAME, sigma=True)
        if jump:
            anchoring.forget()
    return float(np.median(done.sigma[50:62, 50:62]) / np.median(done.sigma[10:100, 10:30]))


def test_what_anchors_contradict_in_frame_after_frame_is_not_sure():
    """One point on the lamp in a frame looks like a wrong one; many in a row do not."""
    assert doubt(12) > 1.5 * doubt(12, jump=True)


def sigmas(anchors, frames=6, answer=None):
    anchoring = Anchoring(SHAPE)
    for frame in range(frames):
        done = anchoring.correct(lamp()[0] if answer is None else answer, anchors(frame), frame * FRAME, sigma=True)
    return done


def test_a_source_that_is_not_believed_makes_no_place_less_sure():
    """A scan of another unit along the middle row, beside points that agree."""
    answer = hall()

    def lying(frame):
        pixels = np.stack((np.arange(2, 222, 4), np.full(55, 112)), 1).astype(np.float32)
        scan = Anchors("scan", pixels, np.full(55, 60.0, np.float32), np.full(55, np.nan, np.float32))
        return [points(answer, frame), scan]

    done = sigmas(lying, answer=answer)
    assert [source.believed for source in done.report.sources] == [True, False]
    alone = sigmas(lambda frame: [points(answer, frame)], answer=answer)
    np.testing.assert_allclose(done.sigma[50:62].mean(), alone.sigma[50:62].mean(), rtol=0.1)


def test_depths_up_to_a_factor_contradict_no_place():
    """Exact but for a factor of three: the picture's sigma is about even."""
    answer = hall()

    def scaled(frame):
        return [points(3 * answer, frame)._replace(relative=True)]

    share = sigmas(scaled, answer=answer).sigma / answer
    metric = sigmas(lambda frame: [points(answer, frame)], answer=answer).sigma / answer
    assert np.quantile(share, 0.9) / np.quantile(share, 0.1) < 1.3 * np.quantile(metric, 0.9) / np.quantile(metric, 0.1)


def test_frames_whose_doubt_nobody_wants_leave_none():
    """Sigma after frames that nobody asked for is that of a first frame."""
    answer, truth = lamp()
    anchoring, fresh = Anchoring(SHAPE), Anchoring(SHAPE)
    for frame in range(4):
        anchoring.correct(answer, [points(truth, 5)], frame * FRAME)
    late = anchoring.correct(answer, [points(truth, 5)], 4 * FRAME, sigma=True).sigma
    first = fresh.correct(answer, [points(truth, 5)], 0.0, sigma=True).sigma
    assert np.median(late / first) == pytest.approx(1, abs=0.25)


def sequence(after):
    """Depths, sigmas and reports of 30 frames: points and a scan that come and go, then another place, then a pause."""
    anchoring, answer, kept, given = Anchoring(SHAPE), hall(), [], []
    for frame in range(30):
        if frame < 25:
            truth = (1.2 if frame < 18 else 2.5) * answer * np.float32(1 + 0.01 * frame)
            given = [points(truth, frame)] if frame % 4 else []
            given += [points(truth, 50 + frame, 40, 0.02, "scan")] if frame % 3 else []
        else:
            given = []
        done = anchoring.correct(answer, given, frame * FRAME, sigma=frame % 5 > 0)
        kept.append((done.depth.copy(), None if done.sigma is None else done.sigma.copy(), done))
        after(anchoring, done)
    return [(depth, sigma, done.report) for depth, sigma, done in kept]


@pytest.mark.parametrize("after", [lambda _, done: done.finish(), lambda anchoring, _: anchoring.finish()])
def test_what_is_done_once_depth_is_there_may_be_left_to_the_next_frame(after):
    """Depth, sigma and report have the same bits, whoever has it done, and whenever the report is asked for."""
    for at_once, left in zip(sequence(after), sequence(lambda *_: None), strict=True):
        np.testing.assert_array_equal(left[0], at_once[0])
        np.testing.assert_array_equal(left[1], at_once[1])
        np.testing.assert_equal(left[2], at_once[2])


def test_what_anchors_said_is_remembered_once_depth_is_there():
    """What only the next frames need is no part of this one's age."""
    anchoring = Anchoring(SHAPE)
    before = anchoring._line.held
    done = anchoring.correct(hall(), [points(1.2 * hall(), 0)], 0.0)
    assert error(done.depth, 1.2 * hall()) < 0.05
    assert anchoring._line.held is before
    report = done.finish()
    assert anchoring._line.held is not before
    assert done.finish() is report is done.report
    assert anchoring.remembers


def test_what_anchors_said_is_remembered_though_nobody_asks():
    anchoring = Anchoring(SHAPE)
    anchoring.correct(hall(), [points(1.2 * hall(), 0)], 0.0)
    assert anchoring.remembers
    anchoring.correct(hall(), [points(1.2 * hall(), 0)], FRAME)
    anchoring.forget()
    assert not anchoring.remembers


def test_it_makes_no_difference_when_the_time_before_a_frame_is_let_pass():
    """A fifth of a second is let pass before the frame, less of it behind its publishing; neither with what it says."""
    ahead, depths = hall()[56, 56], []
    for passed in (0.199, 0.201):
        anchoring = Anchoring(SHAPE)
        for time, factor in ((0.0, 1.3), (passed, 0.8)):
            anchoring.correct(hall(), reading(factor * ahead, 0.01), time)
        depths.append(float(anchoring.correct(hall(), [], passed + 0.01).depth[56, 56]))
    assert depths[0] == pytest.approx(depths[1], rel=1e-3)
