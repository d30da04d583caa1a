"""The fit by functions of the bundle's compiled module, where it has them; numpy is the reference, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import fit as reference
from fastdepth_ros.anchoring import layout, posterior, thinning, zones
from fastdepth_ros.anchoring.applying import Applier
from fastdepth_ros.anchoring.applying_compiled import CompiledApplier
from fastdepth_ros.anchoring.field import PIXELS, Field, Place
from fastdepth_ros.anchoring.fit import Coarse, Fit, SourceTraits
from fastdepth_ros.anchoring.fitter import Fitter
from fastdepth_ros.anchoring.layout import FEATURES, KNOTS, LINE, NUMBERS, PLACES
from fastdepth_ros.anchoring.line import CENTRE, Array, Evidence, design
from fastdepth_ros.anchoring.looking import Look
from fastdepth_ros.anchoring.planes import SEVERAL, Noise, noise_from
from fastdepth_ros.anchoring.pool import GATE, MARGIN, NOTHING, SILENT, Gate, Heard, Means, Placed, parts_of, reaches
from fastdepth_ros.anchoring.posterior import Doubts
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.selection import Chosen
from fastdepth_ros.arguments import Arrays, Bind, Call, bound

__all__ = ["CompiledFitter", "fitter_and_applier"]

Floats = npt.NDArray[np.float32]

_VARIANCE, _NOISE = (LINE + 1) ** 2, (LINE + 1) ** 2 + 1
_FACTOR, _MANY = NUMBERS.index("factor"), NUMBERS.index("many")
_POINTS, _KNOTS, _FEW = (layout.COUNTS.index(name) for name in ("points", "knots", "few_places"))


def fitter_and_applier(field: Field, prior: Prior, bind: Bind | None) -> tuple[Fitter, Applier]:
    """The compiled ones where a module has their functions, else numpy's."""
    arrays: Arrays = {"nodes": field.nodes, "answer": field.log_depth, "colours": field.colours}
    arrays |= {"log_nodes": field.log_nodes, "log_halves": field.log_halves}
    functions: dict[str, Call] = {}
    for what, (name, arguments) in layout.functions(*field.grid).items():
        made = bound(bind, name, arguments, arrays)  # what one function writes, the others read
        if made is None:
            return Fitter(field, prior), Applier(field)
        functions[what], arrays = made
    arrays["u"][:], arrays["v"][:] = field.u_nodes[0], field.v_nodes[:, 0]
    assert bind is not None
    look = Look(field, prior, arrays, functions["look"], bind)
    return CompiledFitter(field, prior, arrays, functions, look), CompiledApplier(field, arrays, functions)


class CompiledFitter(Fitter):
    """Fits by compiled functions; frames of more anchors than these take, in numpy.

    Args:
        field, prior: as for :class:`Fitter`.
        arrays: by name, of all functions.
        functions: by what they do, bound to them.
        look: looks at answers and pictures.
    """

    def __init__(
        self,
        field: Field,
        prior: Prior,
        arrays: Mapping[str, npt.NDArray[Any]],
        functions: Mapping[str, Call],
        look: Look,
    ) -> None:
        super().__init__(field, prior)
        self._arrays, self._look = arrays, look
        self._place, self._fit = functions["place"], functions["fit"]
        self._spread, self._deviate, self._explain = (functions[name] for name in ("spread", "deviate", "explain"))
        self._last: Fit | None = None
        self._placed: Placed | None = None
        self._order: list[tuple[str, int, bool]] = []
        self._parts: list[slice] = []
        counts = {"exact": min(reference.EXACT, KNOTS), "merged": min(reference.MERGED, KNOTS)}
        counts |= {"places": min(reference.COARSE, PLACES)}
        counts |= {"heap": thinning.HEAP, "few": reference.FEW}
        for name, count in counts.items():
            arrays["counts"][layout.COUNTS.index(name)] = count
        self._pixels, self._traits = arrays["pixels"].reshape(2, -1), arrays["traits"].reshape(2, -1)
        self._found = arrays["found"].reshape(-1, layout.POINTS)
        self._rows, self._knots = list(self._found[: layout.FIRST]), arrays["knots"].reshape(FEATURES, KNOTS)
        self._gates = arrays["gates"].reshape(layout.SOURCES, -1)
        self._heard = arrays["heard"][: layout.SOURCES * len(layout.HEARD)].reshape(layout.SOURCES, -1)
        self._numbers = numbers = arrays["numbers"]
        self._said = arrays["results"][_NOISE + 1 :]
        self._line_doubts, self._local_doubts = arrays["doubts"].reshape(2, -1)
        arrays["growth"][:] = self._spread_of_nodes.ravel()
        for name, value in self._constants().items():
            numbers[NUMBERS.index(name)] = value
        self._line_numbers = numbers[NUMBERS.index("line_across") : NUMBERS.index("line_start") + 1]
        self._covariance = numbers[len(NUMBERS) : len(NUMBERS) + LINE**2].reshape(LINE, LINE)
        self._biases = numbers[len(NUMBERS) + LINE**2 :][: layout.SOURCES]
        self._means = numbers[len(NUMBERS) + LINE**2 + layout.SOURCES :].reshape(-1, LINE)
        # The line's design matrix is made of the basis: one, and u, v and depth over their lengths.
        self._alike, self._across = prior.alike, 0.01 * prior.reach
        across = self._across
        rows = ((1, 0, 0, 0), (-CENTRE, prior.alike, 0, 0)) * 2 + ((0, 0, across, 0), (0, 0, 0, across))
        self._design = np.array(rows, np.float64)

    def _constants(self) -> dict[str, float]:
        prior = self._prior
        return {
            **dict(zip(("across", "down", "deep"), thinning.scales(prior), strict=True)),
            "crowd": thinning.CROWD + 1.0,
            "shared": reference.SHARED,
            "cell": prior.cell**2,
            "variance": prior.local**2,
            "tails": reference.TAILS,
            "lightest": reference.LIGHTEST,
            "level_prior": reference.LEVEL_PRIOR,
            "tails_prior": reference.TAILS_PRIOR,
            "highest": reference.HIGHEST,
            "unchecked": reference.UNCHECKED,
            "start": reference.START,
            "square": self.surface**2,
            "spread_edge": prior.spread_edge,
            "edge_share": prior.edge,
            "edge": zones.STEP,
            "stay": zones.STAY,
            "margin": MARGIN,
            "silent": float(SILENT),
            "unit": 224 / (PIXELS * self._field.shape[1]),
            "by_reach": 1 / prior.reach,
            "by_alike": 1 / prior.alike,
            "least_surprise": posterior.LEAST_SURPRISE,
            "most_surprise": posterior.MOST_SURPRISE,
            "least_left": posterior.LEAST,
            "trust": posterior.TRUST,
            "shy": posterior.SHY,
            "vague": posterior.VAGUE * prior.local**2,
            "noisy": posterior.NOISY / prior.local**2,
        }

    def look(self, metres: Floats, picture: npt.NDArray[np.uint8] | None) -> None:
        self._look(metres, picture)

    def look_at(self, metres: Floats) -> None:
        self._look(metres, None)

    def place(self, chosen: list[Chosen], means: Means) -> Placed:
        count = sum(len(each.log_depths) for each in chosen)
        if count > layout.POINTS or len(chosen) > layout.SOURCES:
            return super().place(chosen, means)
        arrays, parts = self._arrays, self._lay_out(chosen)
        pixels, measured, sds, source = self._pixels, arrays["measured"], arrays["sds"], arrays["source"]
        for own, mine in zip(chosen, parts, strict=True):
            pixels[:, mine], measured[mine], sds[mine] = own.pixels.T, own.log_depths, own.sds
        self._means[:] = [self._in_basis(mean.tolist()) for mean in means]
        self._place()
        u, v, log_depth, ratios = [row[:count] for row in self._rows]
        place = Place(self._found[layout.FIRST :, :count].T, u, v, log_depth)
        heard = self._hear(parts)
        held, settled = arrays["heard"][-2:].tolist()
        self._placed = Placed(place, ratios, sds[:count], source[:count], parts, heard, (held, settled), means)
        return self._placed

    def _lay_out(self, chosen: list[Chosen]) -> list[slice]:
        """Write which anchors are whose, unless they are as many of the same sources as before."""
        order = [(each.source, len(each.log_depths), each.points) for each in chosen]
        if order == self._order:
            return self._parts
        arrays, parts = self._arrays, parts_of(chosen)
        for number, (own, mine) in enumerate(zip(chosen, parts, strict=True)):
            many = mine.stop - mine.start
            arrays["source"][mine], arrays["parts"][number + 1] = number, mine.stop
            self._traits[:, number] = own.points and many >= zones.ENOUGH, reaches(own.source, many)
        arrays["counts"][:2] = parts[-1].stop, len(chosen)
        self._order, self._parts = order, parts
        return parts

    def _hear(self, parts: list[slice]) -> list[Heard]:
        """Each source's numbers, as the function left them."""
        numbers = self._heard[: len(parts)].tolist()
        heard = []
        for mine, own in zip(parts, numbers, strict=True):
            count = mine.stop - mine.start
            middle, ratio, spread, across, down, deep, answered, measured, product = own
            line = self._in_line(1.0, deep, across, down)
            heard.append(Heard(count, middle, ratio, spread, line, (answered, measured), product) if count else NOTHING)
        return heard

    def _in_basis(self, mean: Sequence[float]) -> tuple[float, float, float, float]:
        """A mean (6,) of the line by what its basis is multiplied with: the mean times the design matrix."""
        slope = mean[1] + mean[3]
        scale = mean[0] + mean[2] - CENTRE * slope
        return scale, self._alike * slope, self._across * mean[4], self._across * mean[5]

    def _in_line(self, one: float, deep: float, across: float, down: float) -> Array:
        """Sums over the basis as those over the line's design matrix (6,): the matrix times the sums."""
        slope = self._alike * deep - CENTRE * one
        return np.array((one, slope, one, slope, self._across * across, self._across * down))

    def fit(self, placed: Placed, gates: list[Gate], sources: list[SourceTraits], belief: Array) -> Fit | None:
        if placed is not self._placed:
            return super().fit(placed, gates, sources, belief)
        arrays, alike = self._arrays, self._prior.alike
        self._gates[: len(gates)] = [
            # The slope's row of the design matrix is the logarithm of depth, of which the feature is a share.
            (
                each.centre,
                each.extra,
                each.bend * alike**2,
                (each.slope + CENTRE) / alike,
                GATE**2 if each.is_open else -1.0,
            )
            for each in gates
        ]
        columns = [self._in_basis(row) for row in belief.tolist()]
        self._covariance[:] = [self._in_basis(row) for row in zip(*columns, strict=True)]
        for number, traits in enumerate(sources):
            self._biases[number] = reference.bias(traits)
        self._fit()
        counts = arrays["counts"].tolist()
        if not counts[_POINTS]:
            return None
        self._last = self._fitted(len(placed.ratios), counts[_KNOTS], counts[_FEW])
        return self._last

    def _fitted(self, count: int, knots: int, places: int) -> Fit:
        """Results of the function; views, valid until the next fit."""
        arrays = self._arrays
        features = self._knots[:, :knots].T
        weights = arrays["weights"][:knots]
        line = self._in_line(*self._said.tolist())
        return Fit(features, weights, line, arrays["errors"][:count], lambda: self._places(places), self._word)

    def _word(self) -> Evidence:
        """The function's sums of products as evidence about the line."""
        results, made = self._arrays["results"].astype(np.float64), self._design
        products = results[: (LINE + 1) ** 2].reshape(LINE + 1, LINE + 1)
        information = made @ products[1:, 1:] @ made.T
        return Evidence(information, made @ products[1:, 0], float(information[0, 0] * results[_VARIANCE]))

    def _places(self, count: int) -> Coarse:
        arrays, prior = self._arrays, self._prior
        features = arrays["places"].reshape(FEATURES, PLACES)[:, :count].T
        reach, alike = np.float32(prior.reach), np.float32(prior.alike)
        u, v, depth = features[:, 0] * reach, features[:, 1] * reach, features[:, 2] * alike
        few = arrays["few"].reshape(2, PLACES)[:, :count]
        process = arrays["process"].reshape(PLACES, PLACES)[:count, :count]
        return Coarse(features, design(u, v, depth), few[0], few[1], process)

    def between(self, fitted: Fit, line: tuple[Any, Any, Any]) -> Floats:
        if fitted is not self._last:
            return super().between(fitted, line)
        start, across, down = line
        self._line_numbers[:] = across, down, start
        self._spread()
        rows, columns = self._field.grid
        halves: Floats = self._arrays["halves"].reshape(2 * rows, 2 * columns)
        return halves

    def noise(self, fitted: Fit, placed: Placed) -> Noise:
        if fitted is not self._last or self._arrays["counts"][_POINTS] < SEVERAL:
            return super().noise(fitted, placed)
        return noise_from(float(self._arrays["results"][_NOISE]))

    def doubts(self, fitted: Fit, belief: Array) -> Doubts:
        if fitted is not self._last:
            return super().doubts(fitted, belief)
        self._numbers[_MANY] = len(fitted.errors)
        self._explain()
        return Doubts(self._line_doubts, self._local_doubts, float(self._arrays["surprise"][0]))

    def deviations(self, line: Floats, local: Floats, factor: float) -> Floats:
        if line is not self._line_doubts or local is not self._local_doubts:
            self._line_doubts[:], self._local_doubts[:] = line, local
        self._numbers[_FACTOR] = factor**2
        self._deviate()
        rows, columns = self._field.grid
        halves: Floats = self._arrays["deviations"].reshape(2 * rows, 2 * columns)
        return halves
