"""Arrays of weights, held against what a network says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError


def hold(name: str, expected: Mapping[str, tuple[int, ...]], weights: Mapping[str, npt.NDArray[Any]]) -> None:
    """Hold ``weights`` against their shapes: every array there, of the right shape, finite, and none besides.

    Args:
        name: of the network, for the remedy.
        expected: name of each array -> its shape.
        weights: the arrays.

    Raises:
        WeightsError: names the first layer that does not fit.
    """
    remedy = f"These weights are not of {name}; import them with the network that they were trained for."
    for array, shape in expected.items():
        if array not in weights:
            raise WeightsError(f"{array} is missing", remedy)
        if tuple(weights[array].shape) != shape:
            raise WeightsError(f"{array} has shape {tuple(weights[array].shape)} where the table says {shape}", remedy)
        if weights[array].dtype.kind != "f":
            raise WeightsError(f"{array} holds {weights[array].dtype} where real numbers belong", remedy)
        if not np.isfinite(weights[array]).all():
            raise WeightsError(f"{array} holds NaN or infinity", "The file is damaged or the training diverged.")
    for array in weights:
        if array not in expected:
            raise WeightsError(f"{array} is in no layer of the table", remedy)


def mean(
    several: Sequence[Mapping[str, npt.NDArray[Any]]], shares: Sequence[float] | None = None
) -> dict[str, npt.NDArray[np.float32]]:
    """Mean of weights that began alike: what all learned stays, and what each lost by chance does not.

    Wortsman et al., "Model soups", ICML 2022.

    Args:
        several: arrays by the same names, of the same shapes; at least one.
        shares: weight of each, in their order, with a sum above 0; None takes all alike.
    """
    found = {}
    for name in several[0]:
        arrays = [each[name] for each in several]
        if shares is None:
            found[name] = np.asarray(np.mean(arrays, axis=0, dtype=np.float32))
        else:
            found[name] = np.average(np.asarray(arrays, np.float64), axis=0, weights=shares).astype(np.float32)
    return found


def half(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """In float16, but where that has no room for a number: channels of ImageNet that hardly change are folded so."""
    return array if np.abs(array).max() > np.finfo(np.float16).max else array.astype(np.float16)
