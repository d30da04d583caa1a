"""Each term of a recipe's loss is what its formula gives for numbers that fit on a sheet of paper."""

import dataclasses
from math import log, sqrt

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.training import losses  # noqa: E402
from fastdepth_ros.training.objective import Shown, loss_of, on_grid  # noqa: E402
from fastdepth_ros.training.recipe import Loss  # noqa: E402
from fastdepth_ros.training.terms import LIKENESS, TERMS, Compared  # noqa: E402
from fastdepth_ros.training.virtual_normal import triples, virtual_normal  # noqa: E402


def maps(*pictures):
    return torch.tensor(pictures, dtype=torch.float32)[:, None]


def test_sig_is_the_spread_and_a_part_of_the_mean_of_the_logarithms():
    depth, truth = maps([[1.0, 2.0, 7.0]]), maps([[1.0, 1.0, 1.0]])
    mask = maps([[1.0, 1.0, 0.0]])
    mean = log(2) / 2  # of 0 and ln 2; both lie as far from it
    assert losses.sig(depth, truth, mask).item() == pytest.approx(sqrt(mean**2 + 0.15 * mean**2), rel=1e-5)
    # Another scale everywhere is forgiven but for its 15 hundredths.
    assert losses.sig(3 * truth, truth, mask).item() == pytest.approx(sqrt(0.15) * log(3), rel=1e-5)


def test_a_picture_that_nobody_measured_does_not_count():
    depth, truth = maps([[2.0, 2.0]], [[9.0, 9.0]]), maps([[1.0, 1.0]], [[0.0, 0.0]])
    mask = (truth > 0).float()
    assert losses.sig(depth, truth, mask).item() == pytest.approx(sqrt(0.15) * log(2), rel=1e-5)
    assert losses.robust(depth, truth, torch.zeros_like(mask)).item() == 0


def test_scale_is_the_mean_of_the_logarithms_whatever_the_form():
    depth, truth = maps([[2.0, 8.0, 5.0]], [[1.0, 1.0, 1.0]]), maps([[1.0, 1.0, 0.0]], [[2.0, 0.0, 0.0]])
    mask = (truth > 0).float()
    assert losses.scale(depth, truth, mask).item() == pytest.approx((log(4) + log(2)) / 2, rel=1e-5)
    assert losses.scale(maps([[2.0, 0.5]]), maps([[1.0, 1.0]]), maps([[1.0, 1.0]])).item() == pytest.approx(0, abs=1e-6)


def test_form_is_what_two_answers_differ_by_beside_their_scale():
    depth = maps([[2.0, 8.0]], [[3.0, 3.0]])
    assert losses.form(depth, maps([[1.0, 1.0]], [[1.0, 1.0]])).item() == pytest.approx(log(2) / 2, rel=1e-5)
    assert losses.form(7 * depth, depth).item() == pytest.approx(0, abs=1e-6)


def test_robust_is_a_parabola_near_and_a_slope_far_away():
    depth, truth = maps([[3.0, 3.0 + 2 * sqrt(3), 99.0]]), maps([[3.0, 3.0, 1.0]])
    mask = maps([[1.0, 1.0, 0.0]])
    assert losses.robust(depth, truth, mask).item() == pytest.approx((0 + 1) / 2, rel=1e-5)  # sqrt(3 + 1) - 1


def test_edges_are_the_gradients_of_one_resolution():
    depth, truth = maps([[1.0, 2.0], [3.0, 9.0]]), maps([[1.0, 1.0], [1.0, 1.0]])
    mask = maps([[1.0, 1.0], [1.0, 0.0]])
    assert losses.edges(depth, truth, mask).item() == pytest.approx(1 + 2)


FOCAL = (1.0, 1.0)
CORNERS = torch.tensor([[0], [2], [6]])
"""Of three rows and columns, whose rays are (-1, -1), (1, -1) and (-1, 1)."""


def test_a_virtual_normal_is_that_of_the_plane_through_three_points():
    truth = torch.full((1, 1, 3, 3), 2.0)
    depth = truth.clone()
    depth[0, 0, 2, 0] = 1.0
    # (4, 0, 0) x (1, 3, -1) = (0, 4, 12), and in truth (0, 0, 16).
    expected = 4 / sqrt(160) + 1 - 12 / sqrt(160)
    mask = torch.ones_like(truth)
    assert virtual_normal(depth, truth, mask, FOCAL, CORNERS).item() == pytest.approx(expected, rel=1e-5)
    assert virtual_normal(5 * truth, truth, mask, FOCAL, CORNERS).item() == pytest.approx(0, abs=1e-6)
    mask[0, 0, 2, 0] = 0
    assert virtual_normal(depth, truth, mask, FOCAL, CORNERS).item() == 0


def test_points_on_a_line_and_near_each_other_and_the_easiest_quarter_are_left_out():
    truth = torch.full((1, 1, 3, 3), 2.0)
    depth = truth.clone()
    depth[0, 0, 2, 0] = 1.0
    mask = torch.ones_like(truth)
    one = virtual_normal(depth, truth, mask, FOCAL, CORNERS)
    line, same, easy = torch.tensor([[0], [1], [2]]), torch.tensor([[6], [6], [2]]), torch.tensor([[0], [2], [8]])
    assert virtual_normal(depth, truth, mask, FOCAL, line).item() == 0
    torch.testing.assert_close(virtual_normal(depth, truth, mask, FOCAL, torch.cat([CORNERS, line, same], 1)), one)
    with_easy = torch.cat([CORNERS, CORNERS, easy, CORNERS], 1)
    torch.testing.assert_close(virtual_normal(depth, truth, mask, FOCAL, with_easy), one)
    torch.testing.assert_close(virtual_normal(depth, truth, mask, FOCAL, torch.cat([CORNERS, easy], 1)), one / 2)


def test_triples_are_those_of_their_seed():
    assert torch.equal(triples(20, 30, 5), triples(20, 30, 5))
    assert not torch.equal(triples(20, 30, 5), triples(20, 30, 6))
    assert triples(20, 30, 5).shape == (3, 90)
    assert triples(20, 30, 5).max() < 600


def test_similarity_compares_the_cosines_between_pixels():
    student = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[None, :, None]  # (1, 2, 1, 2): pixels (1, 0) and (0, 1)
    teacher = torch.tensor([[3.0, 5.0], [0.0, 0.0], [0.0, 0.0]])[None, :, None]  # (3, 0, 0) and (5, 0, 0)
    assert losses.similarity(student, teacher).item() == pytest.approx((0 + 1 + 1 + 0) / 4)
    assert losses.similarity(7 * student, student).item() == pytest.approx(0, abs=1e-6)


def test_pairs_are_compared_between_means_of_pixels_where_maps_are_large_or_of_different_size():
    torch.manual_seed(0)
    student, teacher = torch.rand(2, 4, 16, 16), torch.rand(2, 6, 32, 8)
    pooled = torch.nn.functional.avg_pool2d(student, 2), torch.nn.functional.avg_pool2d(teacher, (4, 1))
    assert losses.pairwise(student, teacher).item() == pytest.approx(losses.similarity(*pooled).item(), rel=1e-5)


def test_every_term_has_a_weight_and_leads_to_the_truth():
    weights = {field.name for field in dataclasses.fields(Loss)}
    assert set(TERMS) | set(LIKENESS) < weights
    torch.manual_seed(1)
    truth = 1 + 4 * torch.rand(2, 1, 12, 16)
    depth = (truth + 0.3 * torch.rand_like(truth)).requires_grad_()
    for word, term in TERMS.items():
        pair = Compared(depth, truth, torch.ones_like(truth), (14.0, 14.0), 3)
        loss = term(pair)
        (slope,) = torch.autograd.grad(loss, depth)
        assert loss.item() > 0, word
        assert torch.isfinite(slope).all(), word
        assert slope.abs().sum() > 0, word
        exact = term(dataclasses.replace(pair, depth=truth.clone().requires_grad_()))
        assert exact.item() == pytest.approx(0, abs=2e-6), word


def test_a_loss_is_the_sum_of_its_terms_by_their_weights():
    torch.manual_seed(2)
    depth, truth = 1 + torch.rand(2, 1, 12, 16), 1 + torch.rand(2, 1, 12, 16)
    shown = Shown(depth, {}, truth, depth, seed=4)
    pair = Compared(depth, truth, torch.ones_like(truth), (199.1 * 16 / 224, 265.8 * 12 / 224), 4)
    weights = Loss(truth=0.5, sig=1.0, edges=0.25, virtual_normal=2.5, robust=0.6)
    expected = 0.5 * losses.l1(depth, truth, torch.ones_like(truth))
    for word in ("sig", "edges", "virtual_normal", "robust"):
        expected = expected + getattr(weights, word) * TERMS[word](pair)
    found = loss_of(weights, shown, None)
    torch.testing.assert_close(found["loss"], expected)
    assert set(found) == {"loss", "truth"}


def test_a_form_is_kept_where_a_loss_says_so():
    depth, truth, begun = maps([[2.0, 8.0]]), maps([[2.0, 8.0]]), maps([[1.0, 1.0]])
    shown = Shown(depth, {}, truth, depth, seed=4, begun=begun)
    assert loss_of(Loss(form=3.0), shown, None)["loss"].item() == pytest.approx(3 * log(2), rel=1e-5)
    assert loss_of(Loss(), shown, None)["loss"].item() == pytest.approx(0, abs=1e-6)


def test_answers_of_any_resolution_are_compared_on_one_grid():
    small = torch.tensor([[1.0, 3.0], [5.0, 7.0]])[None, None]
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(on_grid(large, (2, 2)), small)
    assert on_grid(small, (2, 2)) is small
    np.testing.assert_allclose(on_grid(small, (2, 4))[0, 0, 0], [1.0, 1.5, 2.5, 3.0])
