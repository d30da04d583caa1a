"""The filters' functions that a compiled module has beside its network: their names and arguments.

Each does what its module here does in numpy and OpenCV, which are the reference, and the way where a module has no such
function: ``look`` :mod:`~.seen`, ``steady`` :mod:`~.steadiness`, ``scan`` :mod:`~.scan`; of ``depth`` that is the
pipeline's grid.
"""

from __future__ import annotations

from fastdepth_ros.arguments import ANSWER, Argument, digest, work
from fastdepth_ros.filters import limits
from fastdepth_ros.filters.band import STEEP

CELL = 2
"""Pixels along each side of a cell."""

EIGHTH = 8
"""Pixels along each side of an eighth's; inputs of other multiples have no functions."""

PIECE = 4
"""Cells along each side of a piece."""

PAD = 64
"""Numbers behind a row of pixels, which whole vectors may read."""

ROWS = 8
"""Rows of halves that are kept at a time: a power of two, more than those of an eighth and the one before."""

PRINT = 16
"""Numbers of a picture's print, of which a module writes as many as its vectors have."""

LIMIT = 245
"""Mean values from here on are at the limit: JPEG does not keep 255."""

DECODERS_GREEN = (0, 60, 0), (25, 150, 25)
"""Darkest and brightest green of a decoder that got nothing, RGB: Y = U = V = 0 is (0, 135, 0) by BT.601 and (0, 77, 0)
by BT.709."""

LOOK = (
    *("red", "green", "blue", "squares"),  # sums over the eighths; the last of squares of green
    *("most", "bright", "broken"),  # largest green; how many are at their limit, and of the decoder's green
    *("fine_along", "fine_across", "coarse_along", "coarse_across"),  # means of squares of second differences
)
"""Numbers that are seen in a picture, by name."""

STEADY = (
    *("most", "most_going", "goes_on", "frames"),  # the last two are written, too
)
"""Numbers of steadiness by name; see :mod:`~fastdepth_ros.filters.steadiness`."""

HELD = ("depth", "brightness", "count")
"""Planes of what is held of each piece."""

SCAN = (
    *("origin_ahead", "origin_aside", "rays_a_radian", "first"),
    *("range_min", "range_max"),
)
"""Numbers of a scan by name: where the camera is [m], rays in a radian, the ray in direction 0, limits [m]."""

DEPTH = ("factor", "nearest", "farthest")
"""Numbers of a depth map by name: metres for each of the answer's, and limits between which all metres should lie."""

COUNTS = ("rays", "moved", "unknown")
"""Whole numbers of a scan: its rays; whether the camera is beside its origin; written: whether a cell has no depth."""

MOST_RAYS = 2048
"""Rays of a scan at most; one of more is made in numpy."""


def look(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that looks at an input of so many pixels."""
    row = 3 * columns
    return (
        Argument("pixels", (rows * row,), "uint8"),
        Argument("along", (row + PAD,), "float32"),  # 1 at the green that begins a difference along its row, else 0
        Argument("across", (row + PAD,), "float32"),  # the same, across rows
        Argument("eighths", (rows // EIGHTH * (row // EIGHTH),), "uint8"),  # written, as all below
        Argument("numbers", (len(LOOK),), "float32"),
        Argument("print", (PRINT,), "uint32"),
        *work("sums quarters others", row + PAD, "int16"),
        *work("halves", ROWS * (row + PAD), "int16"),
    )


def steady(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that steadies an answer of so many cells."""
    down, across = rows // PIECE, columns // PIECE
    pieces = down * across
    return (
        Argument("metres", (rows * columns,), "float32"),  # read and written
        Argument("grey", (pieces,), "uint8"),
        Argument("flow", (2 * pieces,), "float32"),
        Argument("lights", (256,), "float32"),  # logarithms of brightness
        Argument("numbers", (len(STEADY),), "float32"),
        Argument("held", (len(HELD) * pieces,), "float32"),  # planes, read and written
        *work("now before", len(HELD) * pieces),
        *work("there weights factors", pieces),
        *work("off fits", 2 * pieces),
        *work("sums counts", columns),
        *work("wide", (down + 1) * 2 * (across + 1)),  # steps up the pyramid, along rows and then across them
        *work("twice", 2 * (down + 1) * 2 * (across + 1)),
        *work("wider", 2 * (down + 1) * 4 * (across + 1)),
    )


def scan(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that makes a scan of so many cells."""
    cells = rows * columns
    return (
        Argument("metres", (cells,), "float32"),
        Argument("low", (cells,), "float32"),  # depths between which a cell is an obstacle [m]
        Argument("high", (cells,), "float32"),
        Argument("flat", (cells,), "float32"),  # horizontal distance for each metre of depth
        Argument("ahead", (cells,), "float32"),  # its parts, and half a cell's angle [rays]
        Argument("aside", (cells,), "float32"),
        Argument("half", (cells,), "float32"),
        Argument("begin", (cells,), "int32"),  # read where the camera is at the origin, else written: first ray
        Argument("end", (cells,), "int32"),  # and behind the last
        Argument("free", (MOST_RAYS,), "float32"),  # ranges of rays in which nothing is
        Argument("numbers", (len(SCAN),), "float32"),
        Argument("counts", (len(COUNTS),), "int32"),
        Argument("ranges", (MOST_RAYS,), "float32"),  # written
        *work("distances", cells),
        *work("nearest", MOST_RAYS + 2),
    )


def depth(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that makes the depth map of so many cells, of :data:`CELL` pixels each way."""
    cells = rows * columns
    return (
        Argument(ANSWER, (rows, columns), "float32"),
        Argument("numbers", (len(DEPTH),), "float32"),
        Argument("metres", (cells,), "float32"),  # written, as all below
        Argument("depth", (CELL * CELL * cells,), "float32", 4),  # behind the head of a message, which is of any length
        Argument("outside", (1,), "int32"),  # whether any of the metres does not lie between the limits
    )


_NUMBERS = (EIGHTH, PIECE, PAD, ROWS, PRINT, LIMIT, DECODERS_GREEN, LOOK, STEADY, HELD, SCAN, COUNTS, MOST_RAYS, DEPTH)
_LIMITS = sorted((name, value) for name, value in vars(limits).items() if name.isupper())
_DIGEST = digest(_NUMBERS, _LIMITS, STEEP, look(32, 32), steady(16, 16), scan(16, 16), depth(16, 16))


def functions(rows: int, columns: int) -> dict[str, tuple[str, tuple[Argument, ...]]]:
    """The functions for an input of so many pixels: what each does -> its name and arguments.

    None where the input's sides are no multiples of 32: rows are whole vectors, and pieces are whole.
    """
    if rows % 32 or columns % 32:
        return {}
    cells = rows // CELL, columns // CELL
    arguments = {
        "look": look(rows, columns),
        "steady": steady(*cells),
        "scan": scan(*cells),
        "depth": depth(*cells),
    }
    return {what: (f"{what}_{rows}x{columns}_{_DIGEST}", own) for what, own in arguments.items()}
