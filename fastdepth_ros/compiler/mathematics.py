"""Vectors and functions of mathematics that kernels beside the network are written in.

Polynomials are fitted when a kernel is written, at Chebyshev's nodes: no library of mathematics is linked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.polynomial import Chebyshev, Polynomial
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Expr

Floats = npt.NDArray[np.float64]

MANTISSA, BIAS = 23, 127
"""Bits of a float32's mantissa, and what is added to its exponent."""

ROOT = 0x3F3504F3
"""Bits of the square root of a half, from which a mantissa is taken on."""

POSITIVE = 128
"""Added before a number is cut off, so that it is cut downwards."""


def pick(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """One of two numbers; both are computed."""
    return tirx.Select(condition, then, otherwise)


def splat(value: Expr, lanes: int, dtype: str = "float32") -> Expr:
    """A number, or an expression, in every lane."""
    return tirx.Broadcast(tirx.const(value, dtype) if isinstance(value, (int, float)) else value, lanes)


def keep(value: Expr, lanes: int, dtype: str = "float32") -> Expr:
    """A vector that is computed once, however often it is read."""
    held = ir.registers(lanes, dtype)
    ir.store(held, value, 0, lanes)
    return ir.load(held, 0, lanes)


def size(value: Expr, lanes: int) -> Expr:
    """The values without their signs."""
    return tirx.max(value, splat(0.0, lanes) - value)


def logarithm(value: Expr, lanes: int) -> Expr:
    """Natural logarithms of positive numbers, to a few units in the last place."""
    bits = keep(T.reinterpret(f"int32x{lanes}", value), lanes, "int32")
    exponent = keep((bits - splat(ROOT, lanes, "int32")) >> splat(MANTISSA, lanes, "int32"), lanes, "int32")
    mantissa = T.reinterpret(f"float32x{lanes}", bits - (exponent << splat(MANTISSA, lanes, "int32")))
    above = keep(mantissa - splat(1.0, lanes), lanes)
    powers = exponent.astype(f"float32x{lanes}") * splat(math.log(2), lanes)
    return powers + above * polynomial(above, _logarithm(), lanes)


def exponential(value: Expr, lanes: int) -> Expr:
    """Exponentials of numbers between -80 and 80, to a few units in the last place."""
    power = keep(value * splat(1 / math.log(2), lanes), lanes)
    cut = (power + splat(POSITIVE + 0.5, lanes)).astype(f"int32x{lanes}")
    whole = keep(cut - splat(POSITIVE, lanes, "int32"), lanes, "int32")
    rest = keep(power - whole.astype(f"float32x{lanes}"), lanes)
    bits = (whole + splat(BIAS, lanes, "int32")) << splat(MANTISSA, lanes, "int32")
    return polynomial(rest, _power_of_two(), lanes) * T.reinterpret(f"float32x{lanes}", bits)


def angle(x: Expr, y: Expr, lanes: int) -> Expr:
    """Angles of places from 0 to a whole turn, counted from x towards y [rad], to 1e-6."""
    wide, tall = keep(size(x, lanes), lanes), keep(size(y, lanes), lanes)
    longer = tirx.max(tirx.max(wide, tall), splat(1e-30, lanes))
    ratio = keep(tirx.min(wide, tall) / longer, lanes)
    square = keep(ratio * ratio, lanes)
    first = keep(ratio * polynomial(square, _arctangent(), lanes), lanes)
    first = keep(pick(tall > wide, splat(math.pi / 2, lanes) - first, first), lanes)
    first = keep(pick(x < splat(0.0, lanes), splat(math.pi, lanes) - first, first), lanes)
    return pick(y < splat(0.0, lanes), splat(2 * math.pi, lanes) - first, first)


def polynomial(value: Expr, coefficients: tuple[float, ...], lanes: int) -> Expr:
    """A polynomial, by Horner's scheme."""
    total = splat(coefficients[-1], lanes)
    for each in coefficients[-2::-1]:
        total = total * value + splat(each, lanes)
    return total


def _fitted(function: Callable[[Floats], Floats], low: float, high: float, degree: int) -> tuple[float, ...]:
    nodes = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(400) + 0.5) / 400)
    fit = Chebyshev.fit(nodes, function(nodes), degree, domain=[low, high])
    return tuple(float(each) for each in fit.convert(kind=Polynomial).coef)


@cache
def _logarithm() -> tuple[float, ...]:
    """ln(1 + f) / f."""
    return _fitted(lambda f: np.log1p(f) / f, math.sqrt(0.5) - 1, math.sqrt(2) - 1, 8)


@cache
def _power_of_two() -> tuple[float, ...]:
    return _fitted(np.exp2, -0.5, 0.5, 6)


@cache
def _arctangent() -> tuple[float, ...]:
    """arctan(q) / q, of the square of q."""
    return _fitted(lambda square: np.arctan(np.sqrt(square)) / np.sqrt(square), 0.0, 1.0, 7)
