"""A manifest's numbers for anchoring are believed only where depth stays a number with them."""

from __future__ import annotations

import numpy as np
import pytest

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.prior import RANGES, Prior
from fastdepth_ros.errors import BundleError

METRES = np.geomspace(1, 5, 112, dtype=np.float32)[::-1, None].repeat(112, 1)


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), True, "1", None, 1e4, -1])
@pytest.mark.parametrize("name", ["place_scale", "reach", "spread_up"])
def test_a_number_that_none_can_be_is_refused(name, value):
    with pytest.raises(BundleError, match=name) as refused:
        Prior.from_json({name: value})
    assert "number from" in refused.value.remedy


@pytest.mark.parametrize("end", [0, 1])
def test_depth_is_finite_with_all_that_is_allowed(end):
    rng = np.random.default_rng(4)
    count = 60
    anchors = Anchors(
        "scan",
        rng.uniform(0, 223, (count, 2)).astype(np.float32),
        rng.uniform(0.1, 50, count).astype(np.float32),
        np.full(count, np.nan, np.float32),
    )
    for name in Prior().to_json():
        edge = RANGES.get(name, (1e-3, 3.0))[end]
        corrected = Anchoring(METRES.shape, Prior.from_json({name: edge})).correct(METRES, [anchors], 7.0, sigma=True)
        assert np.isfinite(corrected.depth).all(), name
        assert np.isfinite(corrected.sigma).all(), name
