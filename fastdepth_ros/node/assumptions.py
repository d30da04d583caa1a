"""Assumptions that the answers rest on, in words for /diagnostics."""

from __future__ import annotations

from fastdepth_ros.lens import turning
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.pipeline import Pipeline


def assumptions(applied: Parameters, pipeline: Pipeline, bits: str, upright_problem: str) -> dict[str, str]:
    """Say what is assumed of the images, by what it is about.

    Args:
        applied: parameters of the latest image.
        pipeline: that answered it.
        bits: how mono16 is read; empty where no such image came.
        upright_problem: why it is not known which way up the camera is; empty where it is.
    """
    hidden = pipeline.hidden
    notes = {"mono16_bits": bits} if bits else {}
    if applied.rotation != turning.NONE:
        notes["rotation"] = applied.rotation
    if applied.rotation == turning.AUTO:
        notes["rotation"] = f"auto: {pipeline.turned}" + (f" ({upright_problem})" if upright_problem else "")
    if steadiness := applied.steadiness:
        notes["steadiness"] = f"{steadiness:g}: {pipeline.goes_on:.0%} goes on from the picture before"
    if applied.edges == "remove":
        notes["edges"] = f"remove: {pipeline.removed:.1%} of the answer flew"
    elif applied.edges != "keep":
        notes["edges"] = applied.edges
    if hidden:
        notes["hidden"] = f"{hidden:.1%} of the answer: masked, or beyond the picture"
    return notes
