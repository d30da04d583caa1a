"""Distances of a depth map from the truth: the measures of the literature, each with its source.

Notation: d is a predicted and t a true depth [m] at one pixel, mean() is over the pixels that are valid in both maps. A
pixel is valid where its depth is finite and positive; NaN, infinity, zero and negative numbers are "no depth".
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import SettingError

Scale = Literal["none", "median"]
Depth = npt.NDArray[Any]

METRICS = ("delta1", "delta2", "delta3", "rmse_m", "mae_m", "abs_rel", "log10", "irmse", "si_rmse")
"""The keys of :func:`evaluate` that measure error, in the order in which tables show them."""


def valid(depth: Depth) -> npt.NDArray[np.bool_]:
    """Mask of where a depth map holds a depth: finite and positive. Same shape as ``depth``."""
    return np.isfinite(depth) & (np.nan_to_num(depth, nan=0.0, posinf=0.0, neginf=0.0) > 0)


def delta(predicted: Depth, truth: Depth, power: int = 1) -> float:
    """Share of pixels with max(d / t, t / d) < 1.25 ** power (Ladicky et al., CVPR 2014; Eigen et al., NIPS 2014).

    ``delta(..., 1)`` is FastDepth's accuracy.
    """
    return float(np.mean(np.maximum(predicted / truth, truth / predicted) < 1.25**power))


def rmse(predicted: Depth, truth: Depth) -> float:
    """Root mean square error, sqrt(mean((d - t)^2)) [m] (Eigen et al., NIPS 2014)."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def mae(predicted: Depth, truth: Depth) -> float:
    """Mean absolute error, mean(|d - t|) [m]; MAE of the KITTI depth completion benchmark."""
    return float(np.mean(np.abs(predicted - truth)))


def abs_rel(predicted: Depth, truth: Depth) -> float:
    """Absolute relative difference, mean(|d - t| / t) (Eigen et al., NIPS 2014)."""
    return float(np.mean(np.abs(predicted - truth) / truth))


def log10(predicted: Depth, truth: Depth) -> float:
    """Mean log10 error, mean(|log10 d - log10 t|) (Saxena et al., TPAMI 2009)."""
    return float(np.mean(np.abs(np.log10(predicted) - np.log10(truth))))


def irmse(predicted: Depth, truth: Depth) -> float:
    """RMSE of inverse depth, sqrt(mean((1 / d - 1 / t)^2)) [1/m]; iRMSE of the KITTI benchmark (which uses 1/km)."""
    return float(np.sqrt(np.mean((1.0 / predicted - 1.0 / truth) ** 2)))


def si_rmse(predicted: Depth, truth: Depth) -> float:
    """Scale-invariant RMSE of natural logarithms, sqrt(mean(e^2) - mean(e)^2) with e = ln d - ln t.

    Eigen et al., NIPS 2014, equation 1 (its square root); the fidelity measure of the Mobile AI 2021 depth challenge
    (Ignatov et al., CVPRW 2021, arXiv 2105.08630, section 2.3).
    """
    error = np.log(predicted) - np.log(truth)
    return float(np.std(error))


CHALLENGE_CONSTANT = 1.5625e-3
"""C of the challenge's score [1/s]: with it LiteDepth's 0.311 and 37 ms are the 232 points that it was given."""


def challenge_score(si_rmse_value: float, runtime: float, constant: float = CHALLENGE_CONSTANT) -> float:
    """Final score of the Mobile AI depth challenges of 2021 and 2022, 2^(-20 si-RMSE) / (C runtime).

    Ignatov et al., CVPRW 2021, arXiv 2105.08630, section 2.3; the exponent is that of zhyever/LiteDepth@958cf4e,
    tools/cal_score.py. Higher is better.

    Args:
        si_rmse_value: of :func:`si_rmse`, averaged over frames.
        runtime: time of one picture [s].
        constant: the challenge's normalisation C [1/s]; scores compare only under the same one.

    Raises:
        SettingError: ``runtime`` or ``constant`` is not positive.
    """
    if not (runtime > 0 and constant > 0):
        raise SettingError(
            f"runtime {runtime} s and constant {constant} have to be positive", "Measure the time first."
        )
    return float(2.0 ** (-20.0 * si_rmse_value) / (constant * runtime))


def median_factor(predicted: Depth, truth: Depth) -> float:
    """median(t) / median(d) over the pixels: what Zhou et al. (CVPR 2017) multiply a prediction by before comparing."""
    return float(np.median(truth) / np.median(predicted))


def evaluate(prediction: Depth, truth: Depth, *, scale: Scale = "none") -> dict[str, float]:
    """All measures of one depth map (or of several, stacked: then over all their pixels).

    Args:
        prediction: depth [m], any shape; NaN, infinity and <= 0 are "no answer".
        truth: depth [m] of the same shape; NaN, infinity and <= 0 are "not measured".
        scale: ``median`` multiplies the prediction by :func:`median_factor` first, which hides errors of scale.

    Returns:
        The :data:`METRICS`; ``pixels``, the number that were compared; ``coverage``, the share of measured pixels for
        which there was an answer; ``scale``, the factor that was applied. Measures are NaN where nothing was compared.

    Raises:
        SettingError: the shapes differ, or ``scale`` is unknown.

    Example:
        >>> evaluate(np.array([1.0, 2.0, np.nan]), np.array([1.0, 4.0, 3.0]))["mae_m"]
        1.0
    """
    if prediction.shape != truth.shape:
        cause = f"the prediction has shape {prediction.shape} and the truth {truth.shape}"
        raise SettingError(cause, "Bring both to the same pixels first.")
    if scale not in ("none", "median"):
        raise SettingError(f"scale is {scale!r}", "It is 'none' or 'median'.")
    measured = valid(truth)
    both = measured & valid(prediction)
    pixels = int(both.sum())
    coverage = pixels / int(measured.sum()) if measured.any() else float("nan")
    if not pixels:
        return {**dict.fromkeys(METRICS, float("nan")), "pixels": 0.0, "coverage": coverage, "scale": float("nan")}
    d, t = prediction[both].astype(np.float64), truth[both].astype(np.float64)
    factor = median_factor(d, t) if scale == "median" else 1.0
    d = d * factor
    return {
        "delta1": delta(d, t, 1),
        "delta2": delta(d, t, 2),
        "delta3": delta(d, t, 3),
        "rmse_m": rmse(d, t),
        "mae_m": mae(d, t),
        "abs_rel": abs_rel(d, t),
        "log10": log10(d, t),
        "irmse": irmse(d, t),
        "si_rmse": si_rmse(d, t),
        "pixels": float(pixels),
        "coverage": coverage,
        "scale": factor,
    }
