"""The precision that a network is computed in, where nobody asks for one.

It is the fastest for which this processor has kernels, and whose loss was measured and is in the bundle's manifest:
what loses too much is never taken, nor what nobody measured.
"""

from __future__ import annotations

from typing import NamedTuple

from fastdepth_ros.errors import BundleError, ModuleError
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import FLOAT32, has_compiler, prebuilt_for_here, shipped_module
from fastdepth_ros.runtime.processor import Instructions, int8_here

__all__ = ["AUTO", "FLOAT16", "FLOAT32", "INT8", "MOST_LOST", "TIMED", "Choice", "choose", "int8_here", "too_much"]

AUTO, FLOAT16, INT8 = "auto", "float16", "int8"

MOST_LOST = 0.005
"""Loss of delta1 on any set of pictures with which a precision is still taken unasked."""

TIMED = frozenset({"AVX-512 VNNI", "AVX-VNNI", "AVX2"})
"""Products of bytes that were timed, and faster than float32 (docs/int8.md)."""


class Choice(NamedTuple):
    """A precision, and why it is that one, in words."""

    precision: str
    reason: str


def choose(bundle: Bundle, target: str = "host", wanted: str = AUTO) -> Choice:
    """The precision of a bundle's module.

    Args:
        bundle: the model.
        target: that it is compiled for. What is not ``host`` is known by name alone: for such a target int8 is taken
            where the bundle ships it and this processor runs it.
        wanted: what was asked for; anything but ``auto`` is what is chosen.
    """
    if wanted != AUTO:
        return Choice(wanted, "as it was asked for")
    products = int8_here()
    if target != "host":
        if refusal := _not_shipped(bundle, target):
            return Choice(FLOAT32, refusal)
    elif products is None:
        return Choice(FLOAT32, "this processor multiplies bytes no faster than float32")
    elif products.name not in TIMED:
        return Choice(FLOAT32, f"int8 with {products.name} was never timed; set precision to int8 to try it")
    if refusal := too_much(bundle):
        return Choice(FLOAT32, refusal)
    if target == "host" and not has_compiler() and not _ships(bundle, products):
        return Choice(FLOAT32, "there is no compiler here, and the bundle ships no module in int8 for this processor")
    return Choice(INT8, f"{_with(products, target)}, and {_loss(bundle)}")


def _not_shipped(bundle: Bundle, target: str) -> str:
    """Why int8 is not to be had for a target that is known by name; empty where it is."""
    try:
        module = shipped_module(bundle, target, INT8)
    except (ModuleError, BundleError) as error:  # A processor of that kind need not have products of bytes.
        return f"the bundle's module in int8 cannot be used: {error.cause}"
    return "" if module else f"the bundle ships no module for {target} in int8"


def _ships(bundle: Bundle, products: Instructions | None) -> bool:
    """Whether the bundle ships int8 in vectors as wide as this processor's; float32 in wider ones may be faster."""
    module = prebuilt_for_here(bundle, INT8)
    return module is not None and products is not None and module.description.vector_width >= products.lanes


def _with(products: Instructions | None, target: str) -> str:
    return (
        f"this processor has {products.name}" if products and target == "host" else f"the bundle ships it for {target}"
    )


def _loss(bundle: Bundle) -> str:
    worst = bundle.manifest.losses.worst(INT8) if bundle.manifest.losses else None
    assert worst is not None
    return f"delta1 falls by {worst.loss.delta1:.4f} at most ({worst.name}, {worst.loss.pictures} pictures)"


def too_much(bundle: Bundle) -> str:
    """Why the bundle's accuracy stands against int8; empty where it does not."""
    losses, measure = bundle.manifest.losses, "`fastdepth eval BUNDLE DATA --loss int8` measures it"
    worst = losses.worst(INT8) if losses else None
    if losses is None or worst is None:
        return f"the bundle's manifest does not say what int8 loses; {measure}"
    if losses.weights_sha256 != bundle.weights_sha256:
        return f"the manifest says what int8 loses of other weights than the bundle's; {measure}"
    if worst.loss.delta1 > MOST_LOST:
        return f"int8 loses {worst.loss.delta1:.4f} of delta1 on {worst.name}, more than {MOST_LOST:g}"
    return ""
