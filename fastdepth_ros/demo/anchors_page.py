"""The report's section on measured depths: accuracy without and with them, and what ``max_uncertainty`` leaves."""

from __future__ import annotations

from fastdepth_ros.demo.anchored import Comparison
from fastdepth_ros.evaluation import report
from fastdepth_ros.evaluation.accuracy import Accuracy

MEASURES = {
    "delta1": "delta1, share within a factor of 1.25",
    "rmse_m": "RMSE [m]",
    "mae_m": "mean absolute error [m]",
    "abs_rel": "mean relative error",
    "si_rmse": "scale-invariant RMSE [ln]",
}

RIGHT = {"within_1_sigma": "0.68", "within_2_sigma": "0.95", "least_sure_quarter": "0.25 is chance"}
"""Shares of a Gaussian's errors, in words."""

WORDS = {
    "within_1_sigma": "errors within one standard deviation",
    "within_2_sigma": "errors within two",
    "least_sure_quarter": "squared error in the least sure quarter",
}


def anchors_parts(comparison: Comparison, accuracy: Accuracy | None) -> list[str]:
    """The section; without figures where nothing could be compared."""
    opening = f"Sensors: {comparison.words}. The node says: {comparison.said or 'nothing'}."
    parts = [report.heading("Measured depths"), report.paragraph(opening, "soft")]
    alone = comparison.alone
    if accuracy is None or alone is None:
        return parts
    rows = [(text, f"{alone.metric[name]:.3f}", f"{accuracy.metric[name]:.3f}") for name, text in MEASURES.items()]
    rows.append(("factor to the true median", f"{alone.scaled['scale']:.3f}", f"{accuracy.scaled['scale']:.3f}"))
    panels = [
        report.panel(
            "Accuracy",
            report.table(("mean over frames", "without", "with"), rows, 1),
            "Two runs of the node over the same images: without measured depths, and with them.",
        ),
        *([_left(comparison)] if comparison.left else []),
    ]
    return [*parts, report.side_by_side(panels)]


def _left(comparison: Comparison) -> str:
    """Panel of what ``max_uncertainty`` leaves, and whether the uncertainty is true."""
    rows = [
        (f"{left.limit:g}", f"{left.share:.1%}", f"{left.rmse:.3f}", f"{left.ratio:.2f}")
        for left in comparison.left
        if left.share > 0
    ]
    table = report.table(("max_uncertainty [m]", "left", "RMSE of that [m]", "of all"), rows, 1)
    shares = ", ".join(f"{WORDS[name]} {value:.2f} ({RIGHT[name]})" for name, value in comparison.calibration.items())
    words = f"What is less sure than max_uncertainty becomes NaN. Shares, and what would be right: {shares}."
    return report.panel("Uncertainty", table, words)
