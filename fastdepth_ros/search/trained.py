"""Networks that are compared, trained alike: by the search's own settings of its weights, from random ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastdepth_ros.evaluation.dataset import Sample
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.search.beside import add_rows, read_rows
from fastdepth_ros.training import curves
from fastdepth_ros.training.method import Choice, Method, recipe_of
from fastdepth_ros.training.trainer import CURVES, Pace, Trainer

FOLDER = "beside"
REPORTS = 8
"""Points of a training's curve."""


def train_alike(
    graphs: Mapping[str, Graph],
    chosen: Method,
    samples: Sequence[Sample],
    data: Path,
    out: Path,
    *,
    sides: tuple[int, int],
    images: int,
    seeds: Sequence[int] = (1,),
    told: Callable[[str, float], object] = lambda *_: None,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Train each network once for each seed, and write its errors on pictures held out; none is done again.

    Its ``curve`` has delta1 as it is and of answers with the truth's median, over the views so far.

    Args:
        graphs: name -> network.
        chosen: how.
        samples, data: the pictures, and their folder.
        out: the search's folder.
        sides: height and width of the pictures [px].
        images: pictures that each is shown.
        seeds: of first weights and views.
        told: what is trained, and the share of it that is done.
        stopping: whether to stop after a step; the same call goes on.

    Returns:
        Whether all are trained.
    """
    for seed in seeds:
        for name, graph in graphs.items():
            if str(seed) in read_rows(out).get(name, {"seeds": {}})["seeds"]:
                continue
            recipe = recipe_of(chosen, Choice(name, graph, sides, images, seed), samples)
            pace = Pace(report_images=max(images // REPORTS, 1))
            run = Trainer(recipe, [data], out / FOLDER / f"{name}-{seed}", pace)

            def on_step(now: Trainer, name: str = name, seed: int = seed) -> bool:
                told(f"{name}, seed {seed}", now.step / now.recipe.steps)
                return stopping()

            run.run(on_step, lambda _: None)
            if not run.finished:
                return False
            rows = curves.read(run.out / CURVES)
            curve = [[row["images"], row["delta1"], row.get(curves.SCALED)] for row in rows]
            add_rows(out, {name: {"seeds": {str(seed): {"images": images, **run.validate(*sides), "curve": curve}}}})
    return True
