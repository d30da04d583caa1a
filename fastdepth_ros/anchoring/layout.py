"""The arrays that Python and the compiled fit share: their names, order, shapes and types.

The names of the functions hold the grid's size and a digest of all this: a module of other arrays has no function of
that name, and Python computes instead.
"""

from __future__ import annotations

from fastdepth_ros.arguments import Argument, digest, work

POINTS, SOURCES = 2048, 8
"""Anchors and sources of a frame that the compiled fit takes at most."""

SEEDS = 3
"""Parts of the picture along each side in which a plane is sought."""

NODE = 4
"""Cells along each side of a node of the grid."""

KNOTS, PLACES = 224, 48
"""Knots of the fit, and of what is wanted of fewer places, at most; multiples of any vector's length."""

SQUARE = 64
"""Numbers of a row of a matrix of places, before right sides of as many numbers."""

RIGHT = 16
"""Numbers behind each row of a matrix, for right sides; and what keeps a row's start aligned."""

FEATURES = 6
"""Numbers of a place that the kernel compares: u, v, logarithm of depth, three of colour."""

BASIS = (None, 2, 0, 1)
"""Numbers that the line is made of: one, and these features."""

COUNTS = (
    *("placed", "sources", "exact", "merged", "places", "heap", "few"),
    *("points", "knots", "few_places", "finite"),  # written
)
"""Whole numbers by name; ``placed`` anchors are looked at, ``points`` of them pass their gates; ``finite`` is 0 where a
correction has a number that is none."""

NUMBERS = (
    *("across", "down", "deep"),  # cells of the curve for each feature
    *("crowd", "shared", "cell"),
    *("variance", "tails", "lightest", "level_prior", "tails_prior", "highest", "unchecked", "start"),
    *("line_across", "line_down", "line_start", "square"),
    *("edge", "stay", "unit", "by_reach", "by_alike", "by_colour", "margin", "silent"),
    *("spread_edge", "edge_share", "factor"),
    *("by_fits", "members", "by_bent", "by_middle", "by_farthest"),
    *("most_gap", "little", "nearly_none", "least_nearness", "most_nearness"),
    *("least_surprise", "most_surprise", "least_left", "trust", "shy", "many", "vague", "noisy"),
    *("nearest", "slope", "bends", "decay", "used", "by_changed", "largest"),
)
"""Real numbers by name; behind them the line's covariance in terms of :data:`BASIS` (4, 4), each source's bias, and the
means that anchors are seen from (3, 4): of judging, of what is held, of what is settled."""

LINE = len(BASIS)
MEANS = 3
TAIL = LINE**2 + SOURCES + MEANS * LINE

GATE = ("centre", "extra", "bend", "slope", "factor")
"""Numbers of a source's gate."""

HEARD = ("middle", "ratio", "spread", "across", "down", "deep", "answered", "measured", "product")
"""Numbers of what a source says; behind those of all sources the innovations, held and settled."""

RESULTS = (LINE + 1) ** 2 + 2 + LINE
"""Sums of products of residuals and basis over a whitened frame, the middle of the noise's variances, the middle of the
errors' sizes [log m], and the basis times the knots' weights."""

PLANES = SEEDS**2
PLANE = ("across", "down", "one", "across_corrected", "down_corrected", "one_corrected", "bent", "believed")
"""Planes that are sought, and numbers of each: inverse depth, what corrects it, and how far it is believed."""

RIM = 16
"""Numbers before and behind a row, of which those beside it are its ends once more."""

FIRST = 4
"""Planes of what is found before those of features: u, v, depth, and how far off."""


FIT = (
    Argument("counts", (len(COUNTS),), "int32"),
    Argument("numbers", (len(NUMBERS) + TAIL,), "float32"),
    Argument("source", (POINTS,), "int32"),
    Argument("sds", (POINTS,), "float32"),
    Argument("found", ((FIRST + FEATURES) * POINTS,), "float32"),
    Argument("gates", (len(GATE) * SOURCES,), "float32"),
    Argument("errors", (POINTS,), "float32"),  # written, as all below
    Argument("knots", (FEATURES * KNOTS,), "float32"),
    Argument("weights", (KNOTS,), "float32"),
    Argument("places", (FEATURES * PLACES,), "float32"),
    Argument("few", (2 * PLACES,), "float32"),  # residuals, variances
    Argument("process", (PLACES * PLACES,), "float32"),
    Argument("results", (RESULTS,), "float32"),
    *work("points sorted", (FEATURES + 2) * POINTS),
    *work("source_of index source_sorted order keys", POINTS, "int32"),
    *work("places_and_numbers", POINTS, "int64"),
    *work("gaps wrong unsure base precision", POINTS),
    *work("matrix prior", KNOTS * (KNOTS + RIGHT)),
    *work("small", PLACES * 2 * SQUARE),
    *work("levels freedom", SOURCES),
    *work("fine_starts fine_run_of few_starts few_run_of", POINTS + 1, "int32"),
    *work("fine_source", KNOTS, "int32"),
    *work("fine_residuals fine_variances", KNOTS),
    *work("few_source", PLACES, "int32"),
    *work("few_residuals few_variances fitted doubts_of", PLACES),
)


def spread(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function from knots to a grid of so many nodes, and on to twice as many rows and columns."""
    count = rows * columns
    return (
        *(each for each in FIT if each.name in ("counts", "numbers", "knots", "weights")),
        Argument("nodes", ((FEATURES + 2) * count,), "float32"),
        Argument("log_nodes", (count,), "float32"),
        Argument("log_halves", (4 * count,), "float32"),
        Argument("u", (columns,), "float32"),
        Argument("v", (rows,), "float32"),
        Argument("halves", (4 * count,), "float32"),  # written
        *work("values", count + RIGHT),
        *work("lengths shares", KNOTS),
    )


def place(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function from pixels of an answer of so many rows and columns to places."""
    return (
        *(each for each in FIT if each.name in ("counts", "numbers", "source", "sds", "found")),  # the last two written
        Argument("parts", (SOURCES + 1,), "int32"),  # where each source begins, and where the last ends
        Argument(
            "traits", (2 * SOURCES,), "int32"
        ),  # whether of points that edges move; whether it sees near things only
        Argument("pixels", (2 * POINTS,), "float32"),  # planes, written where a point is moved
        Argument("measured", (POINTS,), "float32"),
        Argument("answer", (rows * columns,), "float32"),
        Argument("colours", (rows * columns // 4 * 3,), "uint8"),
        Argument("heard", (len(HEARD) * SOURCES + MEANS - 1,), "float32"),  # written
        *work("away", POINTS),
        *work("edges", POINTS, "int32"),
        *work("expected", SOURCES),
    )


def deviate(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function from variances at so many nodes to standard deviations between them."""
    count = rows * columns
    return (
        *(each for each in FIT if each.name == "numbers"),
        *(each for each in spread(rows, columns) if each.name in ("log_nodes", "log_halves")),
        Argument("growth", (count,), "float32"),
        Argument("doubts", (2 * count,), "float32"),  # of the line, of the local part
        Argument("deviations", (4 * count,), "float32"),  # written
        *work("variances", count),
    )


def look(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that looks at an answer of so many rows and columns, and at its picture."""
    cells = rows * columns
    nodes = cells // NODE**2
    return (
        *(each for each in FIT if each.name == "numbers"),
        Argument("metres", (cells,), "float32"),
        Argument("picture", (12 * cells,), "uint8"),
        Argument("answer", (cells,), "float32"),  # written, as all below
        Argument("log_halves", (cells // 4,), "float32"),
        Argument("log_nodes", (nodes,), "float32"),
        Argument("colours", (cells // 4 * 3,), "uint8"),
        Argument("nodes", ((FEATURES + 2) * nodes,), "float32"),
    )


def keep(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function that keeps planes on a grid of so many nodes, both even numbers."""
    count, coarse = rows * columns, rows * columns // 4
    return (
        *(each for each in FIT if each.name in ("counts", "numbers")),
        *(each for each in spread(rows, columns) if each.name in ("log_nodes", "halves")),
        Argument("fine", (3 * count,), "float32"),  # columns, rows and one of the nodes, planes
        Argument("coarse", (3 * coarse,), "float32"),  # the same of 2x2 nodes
        Argument("seeds", (coarse,), "int32"),  # the part of the picture in which these are
        Argument("change", (count,), "float32"),  # written, as all below
        Argument("planar", (count,), "float32"),
        *work("nearness correction", count),
        *work("coarse_depth coarse_correction", coarse),
        *work("lines", 3 * coarse),
        *work("squares", 6 * coarse),
        *work("planes", PLANES * len(PLANE)),
    )


def explain(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function from few places to the variances that they leave on a grid of so many nodes."""
    count = rows * columns
    return (
        *(each for each in FIT if each.name in ("counts", "numbers", "places", "few", "process")),
        Argument("nodes", ((FEATURES + 2) * count,), "float32"),
        Argument("doubts", (2 * count,), "float32"),  # written, of the line and of the local part
        Argument("surprise", (1,), "float32"),  # written
        *work("inverse", PLACES * 2 * SQUARE),
        *work("least reaches", PLACES),
        *work("few_keys", PLACES, "int32"),
        *work("slopes", PLACES * LINE),
        *work("known", PLACES * RIGHT),
    )


def apply(rows: int, columns: int) -> tuple[Argument, ...]:
    """Arguments of the function from a correction on a grid of so many nodes, and what is remembered, to depth."""
    count = rows * columns
    return (
        *(each for each in FIT if each.name in ("counts", "numbers")),
        *(each for each in look(rows * NODE, columns * NODE) if each.name in ("metres", "answer", "log_halves")),
        Argument("change", (count,), "float32"),
        Argument("halves", (4 * count,), "float32"),  # read and written, as those that are held
        Argument("held_correction", (4 * count,), "float32"),
        Argument("held_answer", (4 * count,), "float32"),
        Argument("kept", (4 * count,), "float32"),  # written
        Argument("depth", (NODE**2 * count,), "float32"),
        *work("row", 2 * columns + 2 * RIM),
    )


_ALL = (
    POINTS,
    SOURCES,
    KNOTS,
    PLACES,
    SQUARE,
    RIGHT,
    BASIS,
    COUNTS,
    NUMBERS,
    GATE,
    HEARD,
    PLANES,
    PLANE,
    RIM,
    FIT,
    spread(2, 2),
    place(2, 2),
    deviate(2, 2),
    look(8, 8),
    keep(2, 2),
    apply(2, 2),
    explain(2, 2),
)
_DIGEST = digest(*_ALL)


def functions(rows: int, columns: int) -> dict[str, tuple[str, tuple[Argument, ...]]]:
    """The functions for a grid of so many nodes: what each does -> its name and its arguments."""
    arguments = {
        "place": place(rows * NODE, columns * NODE),
        "fit": FIT,
        "spread": spread(rows, columns),
        "deviate": deviate(rows, columns),
        "explain": explain(rows, columns),
        "look": look(rows * NODE, columns * NODE),
        "apply": apply(rows, columns),
    }
    if rows % 2 == 0 and columns % 2 == 0:
        arguments["keep"] = keep(rows, columns)
    return {what: (f"anchor_{what}_{rows}x{columns}_{_DIGEST}", own) for what, own in arguments.items()}
