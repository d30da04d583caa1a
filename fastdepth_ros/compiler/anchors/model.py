"""Covariances between knots, and residuals of anchors at them."""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.anchoring.layout import BASIS, FEATURES
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Frame
from fastdepth_ros.compiler.anchors.words import Cell, Matrix, real, vectors, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import pick


class Knots:
    """Knots of a frame: runs of its ordered points.

    Args:
        frame: of the points.
        kind: ``fine`` or ``few``.
        features: planes of the knots, written by :meth:`place`.
        most: knots at most, the length of a plane.

    Attributes:
        starts, run_of: where each begins, and each point's.
        source: of each.
        residuals, variances: of each, written by :meth:`gather`.
    """

    def __init__(self, frame: Frame, kind: str, features: Buffer, most: int) -> None:
        self.frame, self.features, self.most = frame, features, most
        self.starts, self.run_of, self.source, self.residuals, self.variances = (
            frame.work[f"{kind}_{name}"] for name in ("starts", "run_of", "source", "residuals", "variances")
        )

    def place(self, count: Expr) -> None:
        """Write features and sources."""
        with ir.serial(count) as k:
            ir.put(self.source, self.frame.source[self.starts[k]], k)
            share = Cell(real(1.0) / (self.starts[k + whole(1)] - self.starts[k]).astype("float32"))
            for feature in range(FEATURES):
                total = Cell(0.0)
                with ir.serial(self.starts[k], self.starts[k + whole(1)]) as i:
                    total.add(self.frame.plane(feature, i))
                ir.put(self.features, total.value * share.value, feature * self.most + k)

    def feature(self, number: int, knot: Expr) -> Expr:
        return self.features[number * self.most + knot]

    def basis(self, number: int, knot: Expr) -> Expr:
        """Parts of the line at a knot."""
        feature = BASIS[number]
        return real(1.0) if feature is None else self.feature(feature, knot)

    def gather(self, count: Expr) -> None:
        """Write residuals and variances of knots from those of their points, weighed by how sure each is."""
        frame = self.frame
        with ir.serial(count) as k:
            precision, total = Cell(0.0), Cell(0.0)
            with ir.serial(self.starts[k], self.starts[k + whole(1)]) as i:
                precision.add(frame.precision[i])
                total.add(frame.precision[i] * frame.plane(FEATURES, i))
            ir.put(self.residuals, total.value / precision.value, k)
            ir.put(self.variances, real(1.0) / precision.value, k)

    def covariance(self, count: Expr, out: Matrix, *, line: bool, upper: bool = False) -> None:
        """Write the covariance of the process at the knots; rows have whole vectors.

        Args:
            count: of knots.
            out: is written.
            line: whether the line is part of the process.
            upper: whether what is solved is enough: the upper triangle.
        """
        lanes = out.lanes
        with ir.serial(count) as k:
            own = [Cell(self.feature(feature, k)) for feature in range(FEATURES)]
            source = Cell(self.source[k], "int32")
            bias = Cell(self.frame.bias(source.value))
            slopes = [Cell(self._line(number, k)) for number in range(len(BASIS))] if line else []
            with ir.serial(out.first(k) if upper else whole(0), vectors(count, lanes)) as v:
                distance = ir.splat(2.0, lanes)
                for feature, value in enumerate(own):
                    away = ir.load(self.features, feature * self.most + v * lanes, lanes) - ir.splat(value.value, lanes)
                    distance = distance + away * away
                local = ir.splat(self.frame.number("variance") * real(2.0), lanes) / distance
                same = tirx.EQ(ir.load(self.source, v * lanes, lanes), ir.splat(source.value, lanes))
                both = local + pick(same, ir.splat(bias.value, lanes), ir.splat(0.0, lanes))
                for number, slope in enumerate(slopes):
                    feature_of = BASIS[number]
                    value = ir.splat(slope.value, lanes)
                    if feature_of is not None:
                        value = value * ir.load(self.features, feature_of * self.most + v * lanes, lanes)
                    both = both + value
                out.store(both, k, v)

    def _line(self, number: int, knot: Expr) -> Expr:
        """The line's covariance times a knot's basis."""
        total = self.frame.line(number, 0) * self.basis(0, knot)
        for other in range(1, len(BASIS)):
            total = total + self.frame.line(number, other) * self.basis(other, knot)
        return total
