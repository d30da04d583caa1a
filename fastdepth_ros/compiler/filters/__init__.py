"""Filters beside the network as machine code; the modules of :mod:`fastdepth_ros.filters` are the same in numpy."""

from __future__ import annotations

from typing import Any

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.filters.depth import depth
from fastdepth_ros.compiler.filters.look import look
from fastdepth_ros.compiler.filters.scan import scan
from fastdepth_ros.compiler.filters.steady import steady
from fastdepth_ros.filters.functions import functions

__all__ = ["filter_kernels"]


def filter_kernels(height: int, width: int, lanes: int) -> dict[str, Any]:
    """The kernels beside a network for pictures of that size, by name; none where its rows are no whole vectors."""
    bodies = {"look": look, "steady": steady, "scan": scan, "depth": depth}
    return {
        name: ir.kernel(name, arguments, bodies[what](height, width, lanes))
        for what, (name, arguments) in functions(height, width).items()
    }
