"""A manifest's numbers for anchoring are believed only where depth stays a number with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_network import SMALL

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.prior import RANGES, Prior
from fastdepth_ros.errors import BundleError
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.manifest import Manifest

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


def test_what_a_bundle_does_not_say_is_as_long_in_its_pictures_as_in_those_that_the_defaults_are_of():
    assert Prior.of(Manifest("square", SMALL)) == Prior()
    half = Prior.of(Manifest("half", SMALL, 112, 112))
    assert (half.reach, half.tilt_x, half.tilt_y) == (18, 0.1, 0.16)
    wide = Prior.of(Manifest("wide", SMALL, 448, 224, anchoring={"local": 0.3, "tilt_y": 0.2}))
    assert wide.reach == pytest.approx(36 * 2**0.5)
    assert (wide.tilt_x, wide.tilt_y, wide.local) == (0.025, 0.2, 0.3)
    assert replace(wide, reach=36, tilt_x=0.05, tilt_y=0.08, local=0.24) == Prior()


@pytest.mark.parametrize("sides", [(32, 32), (4096, 32), (32, 4096), (4096, 512)])
def test_whatever_its_pictures_are_its_numbers_can_be(sides):
    prior = Prior.of(Manifest("some", SMALL, *sides))
    assert Prior.from_json(prior.to_json()) == prior


def test_the_bundle_of_smaller_pictures_that_ships_says_the_same():
    nano = find_bundle("fastdepth-nano").manifest
    said, taken = Prior.of(nano), Prior.of(replace(nano, anchoring=None))
    assert (said.reach, said.tilt_x, said.tilt_y) == pytest.approx((taken.reach, taken.tilt_x, taken.tilt_y), abs=1e-3)
