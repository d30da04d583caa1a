"""PointCloud2 to numpy: x, y and z of at most some thousand points, in any layout that the message allows.

A cloud of a million points costs what some thousand cost: they are chosen by their place in the message, evenly, before
any of them is touched.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.reader import Reader, read
from fastdepth_ros.messages.serialized import SerializedHeader

MOST_POINTS = 4096
"""Points of a cloud that are looked at."""

MOST_FIELDS = 256
"""More fields than any cloud has; a message that says more is none."""

ROUNDING = 0.01
"""By how much numbers of a covariance may be off what they have to be, as a share of variances."""

WRONG_COVARIANCES = (
    "sends covariances that are none: how sure it is is assumed. Let `covariance` hold xx xy xz yy yz zz, or nine"
    " numbers row by row [m2]"
)
"""Words on a cloud most of whose points have matrices that no measuring has."""

_KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""PointField's datatypes as numpy calls them."""

_FLOATS = (7, 8)
_GOLDEN = 0.6180339887498949
_REMEDY = "Let its publisher fill in what sensor_msgs/PointCloud2 asks for."


class Points(NamedTuple):
    """Points that somebody measured.

    Attributes:
        header: stamp and frame.
        xyz: (n, 3) float64, in that frame [m]; any number may be in it.
        variances: (n,) of each coordinate, or (n, 3, 3) covariances of the three [m2]; None where the message has none.
        sent: how many there are in the message.
        spread: half the width and height of what each is the depth of, as slopes of rays: 0 for a point.
        doubt: what is wrong with the message, although its points are used; empty where nothing is.
    """

    header: SerializedHeader
    xyz: npt.NDArray[np.float64]
    variances: npt.NDArray[np.float64] | None
    sent: int
    spread: tuple[float, float] = (0.0, 0.0)
    doubt: str = ""


class Field(NamedTuple):
    """A sensor_msgs/PointField, without its name."""

    offset: int
    datatype: int
    elements: int


class Layout(NamedTuple):
    """Layout of a cloud's points in its data.

    Attributes:
        height, width: rows of points, and points of a row.
        fields: by name.
        is_bigendian: whether numbers begin with their highest byte.
        point_step, row_step: bytes from point to point, and from row to row.
    """

    height: int
    width: int
    fields: tuple[tuple[str, Field], ...]
    is_bigendian: bool
    point_step: int
    row_step: int


def read_cloud(serialized: bytes, most: int = MOST_POINTS) -> Points:
    """Points of a serialized sensor_msgs/PointCloud2.

    ``x``, ``y`` and ``z`` are float32 or float64. Their standard deviation may stand in ``sigma`` (each
    coordinate's [m]), or in ``covariance``: one number (variance of each coordinate [m2]), six (xx, xy, xz, yy, yz, zz)
    or nine (rows). Negative ones, and matrices that are no covariance, are not known.

    Args:
        serialized: the message.
        most: how many points are taken, evenly from all of them.

    Raises:
        AnchorError: the message cannot be read, lacks a coordinate, or holds fewer bytes than its layout says.
    """
    header, layout, data = read("PointCloud2", _fields, serialized)
    _check(layout, len(data))
    sent = layout.height * layout.width
    if not sent:
        return Points(header, np.empty((0, 3)), None, 0)
    cloud: npt.NDArray[Any] = np.ndarray(
        (layout.height, layout.width), _kind(layout), data, 0, (layout.row_step, layout.point_step)
    )
    chosen = cloud.reshape(-1) if sent <= most else cloud[_evenly(sent, most, layout.width)]
    xyz = np.empty((len(chosen), 3))
    with np.errstate(invalid="ignore", over="ignore"):  # any number may be in it
        for axis, name in enumerate("xyz"):
            xyz[:, axis] = chosen[name]
        variances, doubt = _variances(chosen)
        return Points(header, xyz, variances, sent, doubt=doubt)


def _fields(message: Reader) -> tuple[SerializedHeader, Layout, memoryview]:
    header = message.header()
    height, width, count = message.word(), message.word(), message.word()
    if count > MOST_FIELDS:
        raise ValueError(f"it says that it has {count} fields")
    fields = tuple((message.string(), Field(message.word(), message.byte(), message.word())) for _ in range(count))
    layout = Layout(height, width, fields, bool(message.byte()), message.word(), message.word())
    return header, layout, message.octets()


def _check(layout: Layout, length: int) -> None:
    """Hold the layout against the data.

    Raises:
        AnchorError: points lie outside of it, or across one another.
    """
    fields = dict(layout.fields)
    for name in "xyz":
        field = fields.get(name)
        if field is None:
            raise AnchorError(f"the cloud has no field {name}", "Anchors need x, y and z; see docs/anchors.md.")
        if field.datatype not in _FLOATS:
            cause = f"the cloud's field {name} is of datatype {field.datatype}"
            raise AnchorError(cause, "Let its publisher send FLOAT32 (7) or FLOAT64 (8), in metres.")
        if field.offset + np.dtype(_KINDS[field.datatype]).itemsize > layout.point_step:
            cause = f"the cloud's field {name} lies at {field.offset}, beyond a point of {layout.point_step} bytes"
            raise AnchorError(cause, _REMEDY)
    if layout.height * layout.width == 0:
        return
    if layout.row_step < layout.width * layout.point_step and layout.height > 1:
        cause = f"the cloud's rows of {layout.width} points of {layout.point_step} bytes overlap: its row_step is"
        raise AnchorError(f"{cause} {layout.row_step}", _REMEDY)
    needed = (layout.height - 1) * layout.row_step + layout.width * layout.point_step
    if length < needed:
        cause = f"the cloud of {layout.width}x{layout.height} points needs {needed} bytes and holds {length}"
        raise AnchorError(cause, _REMEDY)


@lru_cache(16)
def _kind(layout: Layout) -> npt.DTypeLike:
    """A numpy type of one point, with the fields that are read."""
    order = ">" if layout.is_bigendian else "<"
    kinds: dict[str, Any] = {}
    offsets: dict[str, int] = {}
    fields = dict(layout.fields)
    for name, counts in (("x", None), ("y", None), ("z", None), ("sigma", (0, 1)), ("covariance", (0, 1, 6, 9))):
        field = fields.get(name)
        if field is None or field.datatype not in _FLOATS or (counts and field.elements not in counts):
            continue
        many = field.elements if counts else 1
        kind = np.dtype((order + _KINDS[field.datatype], (many,) if many > 1 else ()))
        if field.offset + kind.itemsize <= layout.point_step:
            kinds[name], offsets[name] = kind, field.offset
    return np.dtype(
        {
            "names": list(kinds),
            "formats": list(kinds.values()),
            "offsets": list(offsets.values()),
            "itemsize": layout.point_step,
        }
    )


@lru_cache(4)
def _evenly(sent: int, most: int, width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns of ``most`` points of ``sent``: one in each stretch, never at the same place of it.

    An even step would find the same columns in every row of an organised cloud.
    """
    step = sent / most
    places = (np.arange(most) + np.arange(most) * _GOLDEN % 1.0) * step
    return np.divmod(places.astype(np.int64).clip(0, sent - 1), width)


def _variances(chosen: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64] | None, str]:
    """Variances or covariances of points [m2], NaN where one cannot be; and what is wrong with most of them."""
    names = chosen.dtype.names or ()
    if "sigma" in names:
        sigmas = chosen["sigma"].astype(np.float64)
        return np.where(sigmas < 0, np.nan, np.square(sigmas)), ""  # -1 stands for "not known"
    if "covariance" not in names:
        return None, ""
    covariance = chosen["covariance"].astype(np.float64)
    if covariance.ndim == 1:
        return covariance, ""
    if covariance.shape[1] == 6:
        covariance = covariance[:, (0, 1, 2, 1, 3, 4, 2, 4, 5)]
    wrong = _no_covariance(covariance)
    unlike = wrong & (covariance[:, 0] >= 0)
    covariance[wrong] = np.nan
    doubt = WRONG_COVARIANCES if 2 * int(np.count_nonzero(unlike)) > len(wrong) else ""
    return covariance.reshape(-1, 3, 3), doubt


def _no_covariance(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Find which of (n, 9) matrices in rows no measuring has: not symmetric, or correlated by more than 1."""
    xx, xy, xz, yx, yy, yz, zx, zy, zz = rows.T
    least = np.minimum(np.minimum(xx, yy), zz)
    wrong: npt.NDArray[np.bool_] = least < 0
    for off, mirrored, one, other in ((xy, yx, xx, yy), (xz, zx, xx, zz), (yz, zy, yy, zz)):
        most = (1 + ROUNDING) * np.abs(one * other)
        wrong |= (np.square(off) > most) | (np.square(off - mirrored) > ROUNDING * most)
    return wrong
