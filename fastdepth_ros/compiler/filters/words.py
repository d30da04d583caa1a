"""Words that the kernels of filters are written in, beside those of :mod:`~fastdepth_ros.compiler.mathematics`."""

from __future__ import annotations

from collections.abc import Callable

from tvm import tirx

from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import pick

Buffers = dict[str, Buffer]
Body = Callable[..., None]


def named(names: list[str], buffers: tuple[Buffer, ...]) -> Buffers:
    """Buffers by the names of their arguments, those that only the function uses without what begins these."""
    return {name.removeprefix(WORK): buffer for name, buffer in zip(names, buffers, strict=True)}


def between(value: Expr, low: Expr, high: Expr) -> Expr:
    """The value, or the limit that it is beyond; the lower one for what is no number."""
    return tirx.min(pick(value > low, value, low), high)
