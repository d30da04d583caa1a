"""The compiled fit against numpy's: the same depths, sigmas and reports, whatever comes."""

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.applying_compiled import CompiledApplier
from fastdepth_ros.anchoring.compiled import CompiledFitter
from fastdepth_ros.anchoring.layout import POINTS, SOURCES
from fastdepth_ros.anchoring.planes import Noise
from fastdepth_ros.anchoring.selection import VAGUE
from fastdepth_ros.arguments import allocate

CLOSE, ABOUT = 1e-4, 2e-3
"""Differences of logarithms of depth, and of sigma, that rounding may leave."""


def scene(shape, seed=0):
    """An answer with a floor, a wall and boxes, its truth, and its picture."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    metres = np.repeat(np.linspace(5.0, 1.5, rows, dtype=np.float32)[:, None], columns, axis=1)
    colour = np.full((2 * rows, 2 * columns, 3), 120, np.uint8)
    for _ in range(6):
        top, left = rng.integers(0, rows - 2), rng.integers(0, columns - 2)
        bottom, right = top + rng.integers(2, rows // 2), left + rng.integers(2, columns // 2)
        metres[top:bottom, left:right] = rng.uniform(0.8, 6)
        colour[2 * top : 2 * bottom, 2 * left : 2 * right] = rng.integers(0, 256, 3)
    truth = metres * 1.2 * (1 + 0.1 * np.sin(np.arange(columns, dtype=np.float32) / 9))
    return metres, truth.astype(np.float32), colour


def points(truth, count, source="anchors", seed=0, wrong=0.1, sigma=np.nan, **traits):
    """Points as an odometry's: errors of 5 %, and one in ten far off."""
    rng = np.random.default_rng(seed)
    pixels = np.stack((rng.integers(0, 2 * truth.shape[1], count), rng.integers(0, 2 * truth.shape[0], count)), 1)
    depths = truth[pixels[:, 1] // 2, pixels[:, 0] // 2] * np.exp(0.05 * rng.standard_normal(count))
    depths[rng.random(count) < wrong] *= 1.8
    sigmas = np.full(count, sigma, np.float32)
    return Anchors(source, pixels.astype(np.float32), depths.astype(np.float32), sigmas, **traits)


def both(engine, shape):
    """Anchoring in numpy, and with the module's functions."""
    compiled = Anchoring(shape, None, engine.bind)
    assert isinstance(compiled._fitter, CompiledFitter)
    assert isinstance(compiled._applier, CompiledApplier)
    return Anchoring(shape), compiled


def agree(one, other, **arguments):
    expected = one.correct(**arguments)
    depth, sigma = expected.depth.copy(), expected.sigma.copy()
    found = other.correct(**arguments)
    np.testing.assert_allclose(np.log(found.depth), np.log(depth), atol=CLOSE)
    np.testing.assert_allclose(np.log(found.sigma), np.log(sigma), atol=ABOUT)
    assert [each.used for each in found.report.sources] == [each.used for each in expected.report.sources]
    assert found.report.scale == pytest.approx(expected.report.scale, rel=CLOSE)
    assert found.report.scale_sd == pytest.approx(expected.report.scale_sd, rel=ABOUT)
    assert found.report.slope == pytest.approx(expected.report.slope, abs=CLOSE)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 15, 16, 17, 48, 49, 150, 200, 201, 300, POINTS])
def test_it_answers_as_numpy_does(engine, count):
    metres, truth, picture = scene((112, 112), count)
    given = [points(truth, count, seed=count)]
    agree(*both(engine, metres.shape), metres=metres, anchors=given, now=0.0, sigma=True, picture=picture)


@pytest.mark.parametrize("count", [1, 20, 300])
def test_close_ups_are_corrected_alike(engine, count):
    metres, truth, picture = scene((112, 112), count)
    one, other = both(engine, metres.shape)
    for number, nearer in enumerate((1, 4, 5, 1)):
        given = [points(truth / nearer, count, seed=number, wrong=0.0)]
        agree(one, other, metres=metres, anchors=given, now=0.1 * number, sigma=True, picture=picture)


def test_frames_that_follow_each_other_are_remembered_alike(engine):
    one, other = both(engine, (112, 112))
    for number, count in enumerate((150, 3, 300, 40, 1, 220)):
        metres, truth, picture = scene((112, 112), number)
        given = [points(truth, count, seed=number)]
        agree(one, other, metres=metres, anchors=given, now=0.3 * number, sigma=True, picture=picture)


@pytest.mark.parametrize("after", [1, 3])
def test_functions_that_come_later_go_on_with_what_is_remembered(engine, after):
    """Noisy points of one view, so that earlier corrections count, and contradictions are kept."""
    one, other = Anchoring((112, 112)), Anchoring((112, 112))
    metres, truth, picture = scene((112, 112))
    for number in range(6):
        if number == after:
            assert not other.is_compiled
            other.take_up(engine.bind)
            assert other.is_compiled
        given = [points(truth, 150, seed=number)]
        agree(one, other, metres=metres, anchors=given, now=number / 30, sigma=True, picture=picture)


def test_several_sources_have_their_own_bias_and_tails(engine):
    metres, truth, picture = scene((112, 112))
    given = [
        points(truth, 120, sigma=0.1),
        points(truth, 0, "scan"),
        points(truth, 60, "anchor_depth", seed=1, wrong=0.0, zone=(6.0, 6.0)),
        points(truth, 1, "range", seed=2, wrong=0.0),
        points(2.5 * truth, 40, "anchors", seed=3, relative=True),
    ]
    agree(*both(engine, metres.shape), metres=metres, anchors=given, now=0.0, sigma=True, picture=picture)


def test_points_at_one_place_are_weighed_alike(engine):
    metres, truth, _ = scene((112, 112))
    heap = points(truth, 250)
    heap.pixels[:] = 100
    heap = heap._replace(depths=np.full(250, truth[50, 50], np.float32))
    agree(*both(engine, metres.shape), metres=metres, anchors=[heap], now=0.0, sigma=True, picture=None)


def test_another_size_of_picture_has_another_grid(small_engine):
    metres, truth, picture = scene((16, 16))
    for count in (1, 10, 80):
        given = [points(truth, count, seed=count)]
        agree(*both(small_engine, (16, 16)), metres=metres, anchors=given, now=0.0, sigma=True, picture=picture)


def test_more_points_or_sources_than_it_takes_are_fitted_in_numpy(engine):
    metres, truth, picture = scene((112, 112))
    one, other = both(engine, metres.shape)
    many = [points(truth, POINTS + 1, wrong=0.0)]
    agree(one, other, metres=metres, anchors=many, now=0.0, sigma=True, picture=picture)
    sources = [points(truth, 20, seed=number, wrong=0.0) for number in range(SOURCES + 1)]
    agree(one, other, metres=metres, anchors=sources, now=0.1, sigma=True, picture=picture)


def test_a_module_without_the_functions_leaves_it_to_numpy(engine):
    def of_another_version(name, arrays):
        return engine.bind(f"{name}_of_another_version", arrays)

    assert not isinstance(Anchoring((112, 112), None, of_another_version)._fitter, CompiledFitter)


def test_functions_for_another_size_are_not_taken(small_engine):
    assert not isinstance(Anchoring((112, 112), None, small_engine.bind)._fitter, CompiledFitter)


@pytest.mark.parametrize("seed", range(4))
def test_wild_numbers_leave_depth_that_can_be_used(engine, seed):
    rng = np.random.default_rng(seed)
    anchoring = Anchoring((112, 112), None, engine.bind)
    wild = np.array([np.nan, np.inf, -np.inf, 0, -1, 1e-30, 1e30, 0.02, 500, -0.5, 223.49, 224], np.float32)
    for number in range(20):
        metres = np.exp(3 * rng.standard_normal((112, 112))).astype(np.float32)
        metres[rng.random(metres.shape) < 0.1] = 0.0
        given = []
        for source in ("anchors", "scan", "anchor_depth")[: rng.integers(1, 4)]:
            count = int(rng.integers(0, 700))
            pixels, depths = rng.uniform(-1, 225, (count, 2)), np.exp(3 * rng.standard_normal(count))
            sigmas = depths * np.exp(5 * rng.standard_normal(count))
            for array in (pixels, depths, sigmas):
                some = rng.random(array.shape) < 0.1
                array[some] = rng.choice(wild, int(some.sum()))
            given.append(Anchors(source, *(each.astype(np.float32) for each in (pixels, depths, sigmas))))
        done = anchoring.correct(metres, given, 0.1 * number, sigma=True)
        assert np.isfinite(done.depth).all()
        assert ((done.depth == 0) == (metres == 0)).all()
        assert (done.sigma[metres > 0] > 0).all()


def in_one_place(picture):
    """The picture where an engine has it: in one place, and aligned."""
    kept = allocate(picture.shape, "uint8")
    kept[:] = picture
    return kept


@pytest.mark.parametrize("kind", ["in one place", "anywhere", "read only", "rows apart", "none"])
def test_answer_and_picture_are_looked_at_alike(engine, kind):
    one, other = both(engine, (112, 112))
    for seed in range(3):
        metres, _, picture = scene((112, 112), seed)
        metres[3:5, 7:20], metres[9, 9] = 0.0, np.nan
        picture ^= np.random.default_rng(seed).integers(0, 30, picture.shape, np.uint8)
        if kind == "in one place":
            picture = in_one_place(picture)
        elif kind == "read only":
            picture.flags.writeable = False
        elif kind == "rows apart":
            picture = np.repeat(picture, 2, axis=0)[::2]
        for again in range(2):
            if again and kind in ("in one place", "anywhere"):
                picture[:50] = 255 - picture[:50]
            for each in (one, other):
                each._fitter.look(metres, None if kind == "none" else picture)
            expected, found = one._field, other._field
            assert found.coloured == expected.coloured
            if expected.coloured:
                np.testing.assert_array_equal(found.colours, expected.colours)
            for name in ("log_depth", "log_halves", "log_nodes"):
                np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=2e-6)
            np.testing.assert_allclose(found.nodes, expected.nodes, rtol=1e-5, atol=1e-5)


def corrections(count, seed=0):
    """Corrections at every 2x2 cells as noisy points leave them: waves over all of the picture, and a step."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[-1:1:56j, -1:1:56j]
    for _ in range(count):
        a, b, c = rng.normal(0, 3, 3)
        waves = 0.2 + 0.05 * np.sin(a * u + b * v + c) + np.where(u > 0.3, 0.1, 0.0)
        yield (waves + 0.01 * rng.standard_normal(u.shape)).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.024, 0.03, 0.06])
@pytest.mark.parametrize("slope", [0.0, -0.15])
def test_corrections_are_applied_alike(engine, noise, slope):
    """Planes are kept from some noise on, and what is remembered is used from less on."""
    one, other = both(engine, (112, 112))
    metres, _, picture = scene((112, 112))
    shares = []
    for frame, halves in enumerate(corrections(5)):
        seen, now = metres * np.float32(1 + 0.01 * frame), frame / 30 + (5 if frame == 4 else 0)
        done = []
        for each in (one, other):
            each._fitter.look(seen, picture)
            done.append(each._applier.apply(seen, halves.copy(), slope, Noise(noise, noise), now))
        expected, found = done
        np.testing.assert_allclose(np.log(other._applier.depth), np.log(one._applier.depth), atol=CLOSE)
        for known, own in zip(expected, found, strict=True):
            assert (known is None) == (own is None)
            if known is not None:
                np.testing.assert_allclose(own, known, atol=ABOUT)
        shares.append(expected.planar)
        assert (expected.kept is None) == (frame in (0, 4))
    assert all((share is None) == (noise < 0.025) for share in shares)


@pytest.mark.parametrize("takes_over", [False, True], ids=["as it is", "taken up before"])
def test_frames_in_which_anchors_are_silent_are_corrected_alike(engine, takes_over):
    """Also where the functions came while anchors were silent: what numpy remembers goes on."""
    metres, truth, picture = scene((112, 112))
    one, other = both(engine, metres.shape)
    if takes_over:
        other = Anchoring(metres.shape)
    changed = metres.copy()
    changed[:, :40] *= 1.3
    for frame in range(3):
        given = [points(truth, 150, seed=frame)]
        agree(one, other, metres=metres, anchors=given, now=frame / 30, sigma=True, picture=picture)
    if takes_over:
        other.take_up(engine.bind)
    for now, seen in ((0.2, metres), (0.5, changed), (1.0, metres)):
        agree(one, other, metres=seen, anchors=[], now=now, sigma=True, picture=picture)
    for each in (one, other):
        each.rescale(1.5)
    agree(one, other, metres=1.5 * metres, anchors=[], now=1.1, sigma=True, picture=picture)


def test_a_number_that_is_none_ends_the_memory_alike(engine):
    for each in both(engine, (112, 112)):
        metres, _, _ = scene((112, 112))
        each._fitter.look(metres, None)
        kept = []
        for frame, halves in enumerate(corrections(4)):
            if frame == 2:
                halves[3, 4] = np.nan
            kept.append(each._applier.apply(metres, halves, -0.1, Noise(0.06, 0.06), frame / 30).kept)
            depth = each._applier.depth
            assert np.isfinite(depth[16:, 16:]).all()
            assert np.isnan(depth[7, 9]) == (frame == 2)
        assert [share is None for share in kept] == [True, False, True, True]


def test_noise_is_that_of_anchors_with_a_say(engine):
    """Sixty points that agree, and a scan of twice as many that is not believed."""
    metres, truth, picture = scene((112, 112))
    lying = points(12 * truth, 120, "scan", seed=1, wrong=0.0, sigma=0.1)
    said = []
    for each in both(engine, metres.shape):
        apply = each._applier.apply

        def heard(*given, apply=apply):
            said.append(given[3])
            return apply(*given)

        each._applier.apply = heard
        done = each.correct(metres, [points(truth, 60, sigma=0.05), lying], 0.0, picture=picture)
        assert [source.believed for source in done.report.sources] == [True, False]
    assert said[1] == pytest.approx(said[0], rel=1e-3)
    assert 0 < said[0].seen < VAGUE
