"""The measures against numbers worked out by hand."""

import math

import numpy as np
import pytest

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import metrics

PREDICTED = np.array([[1.0, 2.0], [5.0, 3.0]])
TRUTH = np.array([[1.0, 4.0], [4.1, 2.0]])
# ratios: 1, 2, 1.2195, 1.5


def test_all_measures_of_four_pixels_are_those_worked_out_by_hand() -> None:
    found = metrics.evaluate(PREDICTED, TRUTH)
    assert found["delta1"] == pytest.approx(2 / 4)
    assert found["delta2"] == pytest.approx(3 / 4)  # 1.5 < 1.5625
    assert found["delta3"] == pytest.approx(3 / 4)  # 2 > 1.953
    assert found["rmse_m"] == pytest.approx(math.sqrt((0 + 4 + 0.81 + 1) / 4))
    assert found["mae_m"] == pytest.approx((0 + 2 + 0.9 + 1) / 4)
    assert found["abs_rel"] == pytest.approx((0 + 0.5 + 0.9 / 4.1 + 0.5) / 4)
    assert found["log10"] == pytest.approx((math.log10(2) + math.log10(5 / 4.1) + math.log10(1.5)) / 4)
    assert found["irmse"] == pytest.approx(math.sqrt((0.25**2 + (1 / 4.1 - 0.2) ** 2 + (1 / 6) ** 2) / 4))
    e = [0.0, -math.log(2), math.log(5 / 4.1), math.log(1.5)]
    assert found["si_rmse"] == pytest.approx(math.sqrt(sum(x * x for x in e) / 4 - (sum(e) / 4) ** 2))
    assert found["pixels"] == 4
    assert found["coverage"] == 1
    assert found["scale"] == 1


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_pixels_without_depth_do_not_count_on_either_side(nothing: float) -> None:
    predicted = np.array([1.0, 2.0, nothing, 7.0], np.float32)
    truth = np.array([1.0, 4.0, 3.0, nothing], np.float32)
    found = metrics.evaluate(predicted, truth)
    assert found["pixels"] == 2
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["mae_m"] == pytest.approx(1.0)


def test_a_prediction_of_half_the_scale_is_perfect_after_median_scaling() -> None:
    truth = np.array([1.0, 2.0, 3.0, 8.0])
    found = metrics.evaluate(truth / 2, truth, scale="median")
    assert found["scale"] == pytest.approx(2.0)
    assert found["rmse_m"] == pytest.approx(0.0, abs=1e-12)
    assert found["delta1"] == 1.0
    assert metrics.evaluate(truth / 2, truth)["delta3"] == 0.0  # the ratio 2 is above 1.25 ** 3 everywhere


def test_si_rmse_does_not_see_the_scale() -> None:
    assert metrics.evaluate(PREDICTED * 3, TRUTH)["si_rmse"] == pytest.approx(
        metrics.evaluate(PREDICTED, TRUTH)["si_rmse"]
    )


def test_nothing_to_compare_gives_nan_and_no_warning() -> None:
    found = metrics.evaluate(np.zeros((2, 2)), TRUTH)
    assert all(math.isnan(found[name]) for name in metrics.METRICS)
    assert found["pixels"] == 0
    assert found["coverage"] == 0


def test_challenge_score_halves_with_a_twentieth_of_si_rmse_and_with_twice_the_time() -> None:
    assert metrics.challenge_score(0.05, 0.02, constant=1.0) == pytest.approx(0.5 / 0.02)
    assert metrics.challenge_score(0.311, 0.037) == pytest.approx(232, abs=0.5)
    assert metrics.challenge_score(0.0, 0.04, constant=5.0) == pytest.approx(1 / 0.2)
    with pytest.raises(SettingError, match="positive"):
        metrics.challenge_score(0.1, 0.0)


def test_maps_of_different_size_are_refused_with_both_sizes_named() -> None:
    with pytest.raises(SettingError, match=r"\(2, 2\).*\(3,\)"):
        metrics.evaluate(PREDICTED, np.ones(3))
    with pytest.raises(SettingError, match="'mean'"):
        metrics.evaluate(PREDICTED, TRUTH, scale="mean")  # type: ignore[arg-type]
