"""``fastdepth search``: a network within milliseconds that were measured, found by differentiable search."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.stopping import stopping
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError, brief
from fastdepth_ros.files.names import is_name
from fastdepth_ros.files.reading import parse_json, read
from fastdepth_ros.pruning.table import write_table
from fastdepth_ros.search.measure import ROUNDS, board_table, is_board, measured_table
from fastdepth_ros.search.space import Space, space_named
from fastdepth_ros.search.table import Costs, held, read_costs

if TYPE_CHECKING:
    from fastdepth_ros.search.recipe import SearchRecipe

TABLE = "table.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="the run's folder; a run in it goes on")
    add("--budget-ms", type=finite, metavar="MS", help="most milliseconds of the network, by the table")
    add("--target", default="host", help="host (default), or tx2-cpu or tx2-gpu by measurements of its convolutions")
    add("--data", type=Path, metavar="DIR", help="pictures with depth to learn from, as `fastdepth rooms` makes them")
    add("--space", default="slim", metavar="NAME", help="of search/spaces, or a .yaml of that form (default: slim)")
    add("--recipe", default="night", metavar="NAME", help="of search/recipes, or a .yaml of that form (default: night)")
    add("--latency", type=Path, metavar="TABLE", help=f"a table of another run (default: {TABLE} of the run's folder)")
    add("--images", type=int, metavar="N", help="pictures that the weights are shown (default: the recipe's)")
    add("--size", type=int, metavar="PX", help="side of the pictures to learn from (default: the space's)")
    add("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    add("--threads", type=int, default=1, help="of the search, and of the network (default: %(default)s)")
    add("--device", default="cpu", help="cpu, or what torch calls the accelerator: cuda (default: cpu)")
    add("--rounds", type=int, default=ROUNDS, help="turns of each network that is measured (default: %(default)s)")
    add("--name", help="of the found network (default: the folder's)")
    add("--plot", type=Path, metavar="PICTURE", help="draw the run as .png or .svg, finished or not")
    beside = parser.add_argument_group("the found network beside others, after the search")
    beside.add_argument("--beside", metavar="LIST", help="entries, by comma: measured and trained as the found one is")
    beside.add_argument("--chance", type=int, default=1, metavar="N", help="networks by chance among them (default: 1)")
    beside.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each (default: 1)")
    beside.add_argument("--beside-images", type=int, metavar="N", help="pictures of each (default: the search's)")


def run(args: argparse.Namespace) -> int:
    """Measure a table, search by it, compare; the halves that need TVM and torch may run in two environments.

    Of several processes, as torchrun starts them, the first alone measures, writes and compares.

    SIGTERM and Ctrl-C end a run after a step, with its state on disk.

    Returns:
        0.
    """
    if args.threads < 1 or args.seed < 0 or min(args.chance, args.seeds - 1) < 0:
        raise SettingError("--threads, --seed, --chance or --seeds is out of range", "Leave it out for the default.")
    if args.budget_ms is not None and args.budget_ms <= 0:
        raise SettingError(f"--budget-ms is {args.budget_ms:g}", "Name milliseconds above 0.")
    if not is_name(args.name or args.out.name):
        raise SettingError(f"a network cannot be called {args.name or args.out.name!r:.60}", "Name it with --name.")
    first = os.environ.get("RANK", "0") == "0"
    console, space = Terminal(quiet=not first), space_named(args.space)
    costs = _costs(args, space, console)
    if args.budget_ms is None:
        raise SettingError("a search needs --budget-ms", "Name the milliseconds that the network may take.")
    log = _log(args.out)
    if importlib.util.find_spec("torch") is None:
        if "found" not in log:
            console.print("torch is not installed here: the same command in .venv-train searches (`make train-env`)")
    else:
        if not _search(args, space, costs, console):
            return 0
        log = _log(args.out)
    if args.beside is not None and "found" in log and not _compare(args, space, costs, log, console):
        console.print("stopped; the same command goes on")
    if args.plot:
        _plot(args, space)
    return 0


def _log(out: Path) -> dict[str, Any]:
    path = out / "log.json"
    try:
        return dict(parse_json(read(path))) if path.is_file() else {}
    except (OSError, ValueError, TypeError) as error:
        raise SettingError(f"{path} cannot be read ({error})", "Name the folder of a search.") from error


def _costs(args: argparse.Namespace, space: Space, console: Terminal) -> Costs:
    path = args.latency or args.out / TABLE
    if not path.is_file():
        if args.latency:
            raise SettingError(f"there is no table {path}", "Leave --latency out to measure one.")
        if is_board(args.target):
            table = board_table(space, args.target)
        else:
            if importlib.util.find_spec("tvm") is None:
                cause = f"there is no table of {space.name} in {args.out}, and without TVM none can be measured"
                raise SettingError(cause, "Run the same command first where TVM is: .venv/bin/fastdepth.")
            with Terminal(stderr=True).status("Preparing") as status:
                options = {"target": args.target, "threads": args.threads, "rounds": args.rounds}
                table = measured_table(space, args.out / "table", **options, progress=status.update)
        write_table(path, table)
    costs, table = read_costs(path, space)
    console.print(f"{path}: {costs.about}", highlight=False, soft_wrap=True)
    if table["checks"]:
        shown = Table("network", "measured ms", "sum of the table ms", "error")
        for row in held(space, table):
            shown.add_row(row["name"], f"{row['measured_ms']:.2f}", f"{row['table_ms']:.2f}", f"{row['error']:+.1f} %")
        console.print(shown)
    return costs


def _recipe(args: argparse.Namespace) -> tuple[SearchRecipe, Path]:
    import torch

    from fastdepth_ros.search.recipe import search_recipe

    if not args.data:
        raise SettingError(
            "a search needs pictures to learn from", "Name their folder with --data (`fastdepth rooms`)."
        )
    if args.device != "cpu" and not torch.cuda.is_available():
        raise SettingError(f"--device is {args.device}, but torch finds no accelerator", "Leave it out for the CPU.")
    torch.set_num_threads(min(args.threads, len(os.sched_getaffinity(0))))
    return search_recipe(args.recipe), args.data


def _sides(args: argparse.Namespace, space: Space) -> tuple[int, int]:
    """Height and width of the pictures that networks learn from [px]; milliseconds are of the space's size always."""
    return (args.size, args.size) if args.size else (space.height, space.width)


def _search(args: argparse.Namespace, space: Space, costs: Costs, console: Terminal) -> bool:
    """Search on; gives whether there is a found network, and this process is the one that goes on with it."""
    from fastdepth_ros.evaluation.dataset import open_source
    from fastdepth_ros.search.choices import by_chance
    from fastdepth_ros.search.found import write_found
    from fastdepth_ros.search.job import Job
    from fastdepth_ros.search.searcher import Searcher
    from fastdepth_ros.training import processes
    from fastdepth_ros.training.method import Choice, recipe_of
    from fastdepth_ros.training.trainer import Machine

    recipe, data = _recipe(args)
    images = recipe.images if args.images is None else args.images
    # Any network of the space stands for all: they take pictures of the same sizes.
    choice = Choice(space.name, space.graph(by_chance(space, 0)), _sides(args, space), images, args.seed)
    training = recipe_of(recipe, choice, open_source(data))
    own, job = processes.join(args.device), Job(space, costs, args.budget_ms, recipe, training)
    try:
        searcher = Searcher(job, [data], args.out, Machine(args.device, processes=own))
        console.print(
            f"{space.name}: {space.networks:.6g} networks, budget {args.budget_ms:g} ms;"
            f" {len(searcher.samples)} pictures for the weights, {len(searcher.judging)} for the architecture;"
            f" step {searcher.step} of {searcher.steps}",
            soft_wrap=True,
        )
        done = _with_progress(console, searcher)
    finally:
        processes.leave()
    if not done:
        console.print("stopped; the same command goes on")
    if not done or not own.writes:
        return False
    searcher.decide()
    path = write_found(searcher, args.name or args.out.name)
    milliseconds = costs.milliseconds(space, searcher.log["found"])
    console.print(f"found {milliseconds:.2f} ms by the table; {path}", soft_wrap=True)
    return True


def _with_progress(console: Terminal, searcher: Any) -> bool:
    """Search under a bar, and have signals stop it after its current step."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
    with stopping() as asked, bar:
        task = bar.add_task("searching", total=searcher.steps, completed=searcher.step)
        told = lambda step, _steps, words: bar.update(task, description=words, completed=step)  # noqa: E731
        return bool(searcher.go(told, asked))


def _compare(args: argparse.Namespace, space: Space, costs: Costs, log: dict[str, Any], console: Terminal) -> bool:
    """Measure where TVM is, train where torch is; gives whether nothing was stopped."""
    from fastdepth_ros.search.beside import add_rows, measured, networks, read_rows

    names = [name for name in args.beside.split(",") if name]
    graphs = networks(space, costs, args.budget_ms, log, names, args.chance)
    size, done = (space.height, space.width), True
    rows = read_rows(args.out)
    missing = any(rows.get(name, {}).get("milliseconds") is None for name in graphs)
    if missing and importlib.util.find_spec("tvm") is not None and not is_board(args.target):
        with Terminal(stderr=True).status("Preparing") as status:
            options = {"target": args.target, "threads": args.threads, "rounds": args.rounds}
            add_rows(args.out, measured(graphs, size, args.out / "beside-modules", **options, progress=status.update))
    if importlib.util.find_spec("torch") is not None:
        from fastdepth_ros.evaluation.dataset import open_source
        from fastdepth_ros.search.trained import train_alike

        recipe, data = _recipe(args)
        images = args.beside_images or args.images or recipe.images
        with stopping() as asked, Terminal(stderr=True).status("Preparing") as status:
            done = train_alike(
                *(graphs, recipe, open_source(data), data, args.out),
                sides=_sides(args, space),
                images=images,
                seeds=range(1, args.seeds + 1),
                told=lambda words, share: status.update(f"{words}: {share:.0%}"),
                stopping=asked,
            )
    console.print(_shown(read_rows(args.out)))
    return done


def _shown(rows: dict[str, dict[str, Any]]) -> Table:
    """Networks by milliseconds: mean over seeds, and each seed's delta1."""
    from fastdepth_ros.search.beside import of_seeds
    from fastdepth_ros.training.curves import SCALED

    shown = Table("network", "ms", "delta1", "with the truth's median", "RMSE [m]", "delta1 of each seed")
    for name, row in sorted(rows.items(), key=lambda each: each[1]["milliseconds"] or 0.0):
        values = [of_seeds(row, word) for word in ("delta1", SCALED, "rmse_m")]
        means = [f"{sum(own) / len(own):.3f}" if own else "" for own in values]
        ms = "" if row["milliseconds"] is None else f"{row['milliseconds']:.2f}"
        shown.add_row(name, ms, *means, " ".join(f"{one:.3f}" for one in values[0]))
    return shown


def _plot(args: argparse.Namespace, space: Space) -> None:
    from fastdepth_ros.search.beside import read_rows
    from fastdepth_ros.search.figure import draw_search

    log = _log(args.out)
    if not log:
        raise SettingError(f"there is no search in {args.out} to draw", "Search first.")
    rows = read_rows(args.out)
    try:
        draw_search(args.plot, space, log, rows)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        cause = f"{args.out} holds no search of {space.name} that could be drawn ({brief(repr(error), 200)})"
        raise SettingError(cause, "Name the folder of a search in this space.") from error
