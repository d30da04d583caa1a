"""The kernel that fits a frame's anchors: :func:`fastdepth_ros.anchoring.fit.fit` and its evidence as machine code."""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.anchoring.layout import BASIS, FEATURES, KNOTS, LINE, PLACES, POINTS, RIGHT, SQUARE
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body, Frame
from fastdepth_ros.compiler.anchors.gates import let_in
from fastdepth_ros.compiler.anchors.model import Knots
from fastdepth_ros.compiler.anchors.order import crowd, order_points, split
from fastdepth_ros.compiler.anchors.words import Cell, ordered, power, ranked, real, vectors, whole
from fastdepth_ros.compiler.ir import Expr
from fastdepth_ros.compiler.mathematics import pick

ROUNDS = 3
MIDDLE = 1.48
"""Standard deviation of a Gaussian whose errors' size has a median of 1."""


def fit(lanes: int) -> Body:
    """The kernel, with vectors of so many numbers."""
    return lambda *buffers: _body(Frame(buffers, lanes))


def _body(frame: Frame) -> None:
    let_in(frame)
    count = frame.count("points")
    order_points(frame)
    crowd(frame)
    fine, few = Knots(frame, "fine", frame["knots"], KNOTS), Knots(frame, "few", frame["places"], PLACES)
    limit = pick(count > frame.count("exact"), frame.count("merged"), frame.count("exact"))
    frame.set_count("knots", split(frame, limit, fine.starts, fine.run_of))
    frame.set_count("few_places", split(frame, frame.count("places"), few.starts, few.run_of))
    fine.place(frame.count("knots"))
    few.place(frame.count("few_places"))
    _guess(frame, few)
    fine.covariance(frame.count("knots"), frame.prior, line=True, upper=True)
    with ir.serial(ROUNDS):
        _levels(frame)
        _weigh(frame)
        _solve(frame, fine)
    _answer(frame, fine, few)
    _evidence(frame, few)


def _guess(frame: Frame, few: Knots) -> None:
    """The first guess of errors, off the median, which few anchors may pull to themselves; and what predicts them."""
    count = frame.count("points")
    many = count.astype("float32")
    residual = FEATURES * POINTS
    middle = ranked(count, lambda i: ordered(frame.sorted[residual + i]), count >> whole(1))
    middle = Cell(middle * many / (many + frame.number("start")))
    tails = frame.number("tails")
    with ir.serial(count) as i:
        away, base = Cell(frame.plane(FEATURES, i) - middle.value), frame.plane(FEATURES + 1, i)
        expected = (base * base * tails + away.value * away.value) / (tails + real(1.0))
        ir.put(frame.precision, real(1.0) / expected, i)
    places, small, lanes = frame.count("few_places"), frame.small, frame.lanes
    few.gather(places)
    few.covariance(places, small, line=True)
    _keep(frame, places)
    unit = small.right + RIGHT
    with ir.serial(places) as k:
        small.pad(k, places)
        with ir.serial(whole(small.right // lanes), whole(small.stride // lanes)) as v:
            small.store(ir.splat(0.0, lanes), k, v)
        small.put(few.residuals[k], k, whole(small.right))
        small.put(real(1.0), k, whole(unit) + k)
        small.put(small.at(k, k) + few.variances[k], k, k)
    small.eliminate(places, SQUARE // lanes, few.variances)
    _predict(frame, few, unit)


def _keep(frame: Frame, places: Expr) -> None:
    """Write the covariance of the few places where Python finds it."""
    with ir.serial(places) as k, ir.serial(places) as other:
        ir.put(frame["process"], frame.small.at(k, other), k * PLACES + other)


def _predict(frame: Frame, few: Knots, unit: int) -> None:
    """Errors of points, and with what variance all other places predict theirs."""
    places, small, count = frame.count("few_places"), frame.small, frame.count("points")
    many = count.astype("float32")
    fitted, unsure = frame.work["fitted"], frame.work["doubts_of"]
    with ir.serial(places) as k:
        precision, weight = Cell(0.0), Cell(0.0)
        # Columns of U'^-1 begin on the diagonal.
        with ir.serial(k, places) as row:
            part = Cell(small.at(row, whole(unit) + k))
            precision.add(part.value * part.value)
            weight.add(part.value * small.at(row, whole(small.right)))
        left = real(1.0) / tirx.max(precision.value, real(1e-6)) - few.variances[k]
        doubt = tirx.max(left, real(0.0)) * many / (many + frame.number("unchecked"))
        ir.put(unsure, doubt, k)
        ir.put(fitted, few.residuals[k] - few.variances[k] * weight.value, k)
    with ir.serial(count) as i:
        ir.put(frame.errors, frame.plane(FEATURES, i) - fitted[few.run_of[i]], i)
        ir.put(frame.unsure, unsure[few.run_of[i]], i)


def _levels(frame: Frame) -> None:
    """Each source's level and degrees of freedom, from the median of its errors."""
    count = frame.count("points")
    with ir.serial(frame.count("sources")) as source:
        own = Cell(0, "int32")
        with ir.serial(count) as i:
            size = Cell(frame.errors[i] / frame.plane(FEATURES + 1, i))
            mine = tirx.EQ(frame.source[i], source)
            key = pick(mine, ordered(tirx.max(size.value, real(0.0) - size.value)), whole(2**31 - 1))
            ir.put(frame.keys, key, i)
            own.add(mine.astype("int32"))
        ir.put(frame.levels, real(1.0), source)
        ir.put(frame.freedom, frame.number("tails"), source)
        with ir.when(own.value >= frame.count("few")):
            middle = Cell(ranked(count, lambda i: frame.keys[i], own.value >> whole(1)))
            lightest = frame.number("lightest")
            seen = Cell(tirx.min(tirx.max(middle.value * real(MIDDLE), real(1.0) / lightest), frame.number("highest")))
            many = own.value.astype("float32")
            for out, base, prior, scale in (
                (frame.levels, seen.value, "level_prior", real(1.0)),
                (frame.freedom, real(1.0) / seen.value, "tails_prior", frame.number("tails")),
            ):
                share = many / (many + frame.number(prior))
                ir.put(out, scale * power(tirx.max(base, real(1.0)), share), source)


def _weigh(frame: Frame) -> None:
    """Write each point's precision."""
    with ir.serial(frame.count("points")) as i:
        base = Cell(frame.plane(FEATURES + 1, i) * frame.levels[frame.source[i]])
        tails, error = Cell(frame.freedom[frame.source[i]]), Cell(frame.errors[i])
        squares = error.value * error.value + frame.unsure[i]
        expected = (base.value * base.value * tails.value + squares) / (tails.value + real(1.0))
        ir.put(frame.precision, real(1.0) / expected, i)
        ir.put(frame.base, base.value, i)


def _solve(frame: Frame, fine: Knots) -> None:
    """Write the knots' weights, and the errors of points."""
    knots, matrix, weights = frame.count("knots"), frame.matrix, frame["weights"]
    fine.gather(knots)
    with ir.serial(knots) as k:
        with ir.serial(matrix.first(k), vectors(knots, frame.lanes)) as v:
            matrix.store(frame.prior.load(k, v), k, v)
        matrix.pad(k, knots)
        matrix.store(ir.splat(0.0, frame.lanes), k, whole(matrix.right // frame.lanes))
        matrix.put(fine.residuals[k], k, whole(matrix.right))
        matrix.put(matrix.at(k, k) + fine.variances[k], k, k)
    matrix.eliminate(knots, 1, fine.variances)
    matrix.solve(knots, weights)
    with ir.serial(frame.count("points")) as i:
        knot = Cell(fine.run_of[i], "int32")
        fitted = fine.residuals[knot.value] - fine.variances[knot.value] * weights[knot.value]
        ir.put(frame.errors, frame.plane(FEATURES, i) - fitted, i)


def _answer(frame: Frame, fine: Knots, few: Knots) -> None:
    """Write errors in units of their standard deviations, in the points' own order, and the few places' numbers.

    Beside these the middle of the errors' sizes, and what weights say of the line.
    """
    count = frame.count("points")
    with ir.serial(count) as i:
        error, point = Cell(frame.errors[i] / frame.base[i]), Cell(frame.index[frame.order[i]], "int32")
        ir.put(frame["errors"], error.value, point.value)
        size = tirx.max(error.value, real(0.0) - error.value) * frame["sds"][point.value]
        ir.put(frame.keys, ordered(size), i)
    noise = ranked(count, lambda i: frame.keys[i], count >> whole(1))
    ir.put(frame["results"], noise, (LINE + 1) ** 2 + 1)
    for part in range(len(BASIS)):
        total = Cell(0.0)
        with ir.serial(frame.count("knots")) as k:
            total.add(frame["weights"][k] * fine.basis(part, k))
        ir.put(frame["results"], total.value, (LINE + 1) ** 2 + 2 + part)
    places = frame.count("few_places")
    few.gather(places)
    with ir.serial(places) as k:
        ir.put(frame["few"], few.residuals[k], k)
        ir.put(frame["few"], few.variances[k], whole(PLACES) + k)


def _evidence(frame: Frame, few: Knots) -> None:
    """Write products of residuals and basis under the frame's noise, and the middle of its variances."""
    places, small, lanes, results = frame.count("few_places"), frame.small, frame.lanes, frame["results"]
    few.covariance(places, small, line=False)
    width = -(-(LINE + 1) // lanes)
    with ir.serial(places) as k:
        small.pad(k, places)
        small.put(small.at(k, k) + few.variances[k], k, k)
        ir.put(frame.keys, ordered(small.at(k, k)), k)
        for v in range(width):
            small.store(ir.splat(0.0, lanes), k, whole(small.right // lanes + v))
        small.put(few.residuals[k], k, whole(small.right))
        for part in range(len(BASIS)):
            small.put(few.basis(part, k), k, whole(small.right + 1 + part))
    middle = ranked(places, lambda k: frame.keys[k], places >> whole(1))
    ir.put(results, middle, (LINE + 1) ** 2)
    small.eliminate(places, width, few.variances)
    for row in range(LINE + 1):
        for column in range(row + 1):
            total = Cell(0.0)
            with ir.serial(places) as k:
                total.add(small.at(k, whole(small.right + row)) * small.at(k, whole(small.right + column)))
            ir.put(results, total.value, row * (LINE + 1) + column)
            ir.put(results, total.value, column * (LINE + 1) + row)
