"""The weights that ship are the project's own: trained, not converted."""

from pathlib import Path

import numpy as np
import pytest

from fastdepth_ros.importing import read_weights
from fastdepth_ros.models import list_bundles
from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime.bundle import Bundle


def proportional(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays of one shape differ by a factor at most, but for float16's rounding."""
    a, b = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    return bool(abs(a @ b) >= (1 - 1e-5) * np.linalg.norm(a) * np.linalg.norm(b))


def test_proportional_arrays_are_found_through_rounding() -> None:
    array = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    assert proportional(array, (array * -0.37).astype(np.float16))
    assert not proportional(array, array + 0.01 * np.random.default_rng(1).normal(size=(64, 32)))


@pytest.mark.parametrize("path", list_bundles(), ids=lambda path: path.name)
def test_no_array_is_equal_or_proportional_to_one_of_the_authors(path: Path, reference: Path) -> None:
    bundle = Bundle.open(path)
    if bundle.manifest.network != PRUNED:
        pytest.skip(f"the authors' weights are of {PRUNED.name}, these of {bundle.manifest.network.name}")
    _, theirs = read_weights(reference / "weights" / "fastdepth_pruned_fp16.npz")
    for name, array in bundle.weights().items():
        if array.size > 1:
            assert not proportional(array, theirs[name]), name
        else:
            assert array.item() != theirs[name].item(), name
