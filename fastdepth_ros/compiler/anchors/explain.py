"""The kernel from few places to the grid: variances that they leave at its nodes, and how surprising their errors are.

:mod:`fastdepth_ros.anchoring.posterior` is the same in numpy, and says why.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import BASIS, COUNTS, FEATURES, LINE, NUMBERS, PLACES, SQUARE
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.fit import MIDDLE
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.words import Cell, Matrix, Vector, ordered, ranked, real, square_root, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import exponential, keep, logarithm, pick, splat


def explain(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a grid of so many nodes, with vectors of so many numbers."""
    names = [each.name for each in layout.explain(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = {name.removeprefix(WORK): each for name, each in zip(names, buffers, strict=True)}
        work = _Explaining(given, rows * columns, lanes)
        work.invert()
        work.write(work.surprise())

    return body


class _Explaining:
    """Arguments by name."""

    def __init__(self, given: dict[str, Buffer], count: int, lanes: int) -> None:
        self.given, self.count, self.lanes = given, count, lanes
        self.places = given["counts"][COUNTS.index("few_places")]
        self.matrix = Matrix(given["inverse"], 2 * SQUARE, SQUARE, lanes)
        # Behind the first right side, which is of residuals, those that give the inverse.
        self.unit = SQUARE + layout.RIGHT

    def number(self, name: str) -> Expr:
        return self.given["numbers"][NUMBERS.index(name)]

    def covariance(self, row: int, column: int) -> Expr:
        """The line's covariance in terms of its basis."""
        return self.given["numbers"][len(NUMBERS) + LINE * row + column]

    def invert(self) -> None:
        """Write the inverse of the places' covariance as U'^-1, and residuals times that."""
        matrix, few, places = self.matrix, self.given["few"], self.places
        with ir.serial(places) as k:
            with ir.serial(places) as other:
                matrix.put(self.given["process"][k * PLACES + other], k, other)
            # Whole vectors are taken to be of numbers.
            with ir.serial(places, whole(SQUARE)) as other:
                matrix.put(real(0.0), k, other)
            with ir.serial(whole(SQUARE // self.lanes), whole(2 * SQUARE // self.lanes)) as v:
                matrix.store(splat(0.0, self.lanes), k, v)
            matrix.put(few[k], k, whole(SQUARE))
            matrix.put(real(1.0), k, whole(self.unit) + k)
            matrix.put(matrix.at(k, k) + few[whole(PLACES) + k], k, k)
        with ir.serial(places) as k:
            ir.put(self.given["least"], few[whole(PLACES) + k], k)
        matrix.eliminate(places, SQUARE // self.lanes, self.given["least"])

    def surprise(self) -> Cell:
        """Write the factor on standard deviations by errors of places that all others predict, 1 or more.

        Returns:
            the logarithm of its square where it would be less, else 0.
        """
        with ir.serial(self.places) as k:
            ir.put(self.given["few_keys"], ordered(self.given["few"][whole(PLACES) + k]), k)
        noise = ranked(self.places, lambda k: self.given["few_keys"][k], self.places >> whole(1))
        by_noise = Cell(self.number("trust") / (real(1.0) + self.number("noisy") * noise))
        with ir.serial(self.places) as k:
            precision, weight = Cell(0.0), Cell(0.0)
            with ir.serial(k, self.places) as row:
                part = Cell(self.matrix.at(row, whole(self.unit) + k))
                precision.add(part.value * part.value)
                weight.add(part.value * self.matrix.at(row, whole(SQUARE)))
            off = Cell(weight.value / square_root(tirx.max(precision.value, real(1e-12))))
            ir.put(self.given["few_keys"], ordered(tirx.max(off.value, real(0.0) - off.value)), k)
        log = Cell(self._factor(self.places, self.number("many"), by_noise.value))
        telling = Cell(0, "int32")
        with ir.serial(self.places) as k:
            tells = self.given["few"][whole(PLACES) + k] < self.number("vague")
            telling.add(tells.astype("int32"))
            ir.put(self.given["few_keys"], tirx.Select(tells, self.given["few_keys"][k], whole(2**31 - 1)), k)
        with ir.when(tirx.all(log.value < real(0.0), telling.value * 2 < self.places)):
            other = Cell(0.0)
            with ir.when(telling.value > whole(0)):
                share = telling.value.astype("float32") / self.places.astype("float32")
                other.set(self._factor(telling.value, self.number("many") * share, by_noise.value))
            log.set(tirx.max(log.value, other.value))
        power = Vector(self.lanes)
        power.set(exponential(ir.splat(log.value, self.lanes), self.lanes))
        ir.put(self.given["surprise"], tirx.max(power.first, real(1.0)), 0)
        return Cell(tirx.min(log.value, real(0.0)) * real(2.0))

    def _factor(self, places: Expr, many: Expr, power: Expr) -> Expr:
        """The logarithm of the factor, by the middle one of so many places' errors, of so many anchors, to a power."""
        middle = ranked(places, lambda k: self.given["few_keys"][k], places >> whole(1))
        seen = tirx.min(tirx.max(middle * real(MIDDLE), self.number("least_surprise")), self.number("most_surprise"))
        log = Vector(self.lanes)
        log.set(logarithm(keep(ir.splat(seen, self.lanes), self.lanes), self.lanes))
        return log.first * power * many / (many + self.number("shy"))

    def write(self, log: Cell) -> None:
        """Write what is left of the variances of line and local part."""
        given, count, known = self.given, self.count, self.given["known"]
        nodes, places, few = given["nodes"], given["places"], self.places
        with ir.serial(few) as k:
            length = Cell(1.0)
            for feature in range(FEATURES):
                own = Cell(places[feature * PLACES + k])
                length.add(own.value * own.value * real(0.5))
            ir.put(given["reaches"], length.value, k)
            basis = [real(1.0) if each is None else places[each * PLACES + k] for each in BASIS]
            for number in range(LINE):
                total = self.covariance(number, 0) * basis[0]
                for other in range(1, LINE):
                    total = total + self.covariance(number, other) * basis[other]
                ir.put(given["slopes"], total, k * LINE + number)

        def some(start: Expr, length: int) -> None:
            own = [keep(ir.load(nodes, feature * count + start, length), length) for feature in range(FEATURES + 1)]
            basis = [splat(1.0, length) if each is None else own[each] for each in BASIS]
            line = splat(0.0, length)
            for number in range(LINE):
                total = splat(0.0, length)
                for other in range(LINE):
                    total = total + basis[other] * ir.splat(self.covariance(number, other), length)
                line = line + total * basis[number]
            line = keep(line, length)
            with ir.serial(few) as k:
                q = own[FEATURES] + ir.splat(given["reaches"][k], length)
                for feature in range(FEATURES):
                    q = q - own[feature] * ir.splat(places[feature * PLACES + k], length)
                both = ir.splat(self.number("variance"), length) / q
                for number in range(LINE):
                    both = both + basis[number] * ir.splat(given["slopes"][k * LINE + number], length)
                ir.store(known, both, k * self.lanes, length)
            explained = Vector(length)
            with ir.serial(few) as row:
                part = Vector(length)
                with ir.serial(row + whole(1)) as k:
                    weight = ir.splat(self.matrix.at(row, whole(self.unit) + k), length)
                    part.add(weight * ir.load(known, k * self.lanes, length))
                explained.add(part.value * part.value)
            whole_variance = keep(line + ir.splat(self.number("variance"), length), length)
            left = keep(whole_variance - explained.value, length)
            least = ir.splat(self.number("least_left"), length)
            left = keep(pick(left > least, left, least), length)
            # Where anchors say little, their small errors say little, too.
            shown = keep(splat(1.0, length) - left / whole_variance, length)
            smaller = keep(exponential(shown * shown * shown * ir.splat(log.value, length), length), length)
            left = keep(left * smaller, length)
            share = keep(left * line / whole_variance, length)
            own = (smaller - splat(1.0, length)) * ir.splat(self.number("cell"), length)
            ir.store(given["doubts"], share, start, length)
            ir.store(given["doubts"], left - share + own, start + count, length)

        ir.along(count, self.lanes, some)
