"""The correction by measured depths as machine code; :mod:`fastdepth_ros.anchoring` is the same in numpy."""

from __future__ import annotations

from typing import Any

from fastdepth_ros.anchoring.layout import NODE, functions
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.apply import apply
from fastdepth_ros.compiler.anchors.deviate import deviate
from fastdepth_ros.compiler.anchors.explain import explain
from fastdepth_ros.compiler.anchors.fit import fit
from fastdepth_ros.compiler.anchors.keep import keep
from fastdepth_ros.compiler.anchors.look import look
from fastdepth_ros.compiler.anchors.place import place
from fastdepth_ros.compiler.anchors.spread import spread

__all__ = ["anchor_kernels"]


def anchor_kernels(shape: tuple[int, ...], lanes: int) -> dict[str, Any]:
    """The kernels that correct answers of so many rows and columns, by name; none where no grid fits these."""
    rows, columns = shape
    if rows % NODE or columns % NODE:
        return {}
    grid = rows // NODE, columns // NODE
    bodies = {
        "place": place(rows, columns),
        "fit": fit(lanes),
        "spread": spread(*grid, lanes),
        "deviate": deviate(*grid),
        "explain": explain(*grid, lanes),
        "look": look(rows, columns, lanes),
        "keep": keep(*grid, lanes),
        "apply": apply(*grid, lanes),
    }
    return {
        name: ir.kernel(name, [(each.name, each.shape, each.dtype) for each in arguments], bodies[what])
        for what, (name, arguments) in functions(*grid).items()
    }
