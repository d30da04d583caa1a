"""``fastdepth prune``: NetAdapt on any network that is known by name, by measured latencies."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.stopping import stopping
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError, brief
from fastdepth_ros.files.reading import parse_json, read
from fastdepth_ros.network.entries import Entry, entry
from fastdepth_ros.network.fastdepth import table_of
from fastdepth_ros.pruning.board import BOARDS, board_latency
from fastdepth_ros.pruning.entry_file import write_entry
from fastdepth_ros.pruning.judge import NormJudge
from fastdepth_ros.pruning.run import LOG, Job, Run
from fastdepth_ros.pruning.schedule import Schedule
from fastdepth_ros.pruning.start import CHECKPOINT, digest, start_weights, trained_weights
from fastdepth_ros.pruning.store import write_arrays
from fastdepth_ros.pruning.table import held, latency_of, read_table, write_table
from fastdepth_ros.pruning.widths import channels_of

if TYPE_CHECKING:
    from fastdepth_ros.pruning.judge import Arrays
    from fastdepth_ros.pruning.learner import Learner

SOURCE = "fastdepth prune (NetAdapt: Yang et al., ECCV 2018, arXiv 1804.03230), from {name}: {latency}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("network", help="a name of `fastdepth networks list`, or a .yaml of that form")
    add("--measure", type=Path, metavar="TABLE", help="measure this machine's latency table, and stop")
    add("--latency", metavar="TABLE", help=f"a table that --measure wrote, or {' or '.join(BOARDS)}")
    add("--budget", type=finite, metavar="MS", help="milliseconds to reach, by the table")
    add("--out", type=Path, metavar="DIR", help="the run's folder; a run in it goes on")
    add("--weights", default="", metavar="FILE", help="bundle, .npz, or checkpoint.pt of `fastdepth train`")
    add("--recipe", type=Path, metavar="YAML", help="how proposals are trained; without it the filters' norm decides")
    add("--data", type=Path, action="append", default=[], metavar="DIR", help="where the recipe's files are")
    add(
        "--iterations",
        type=int,
        default=20,
        metavar="N",
        help="steps to the budget, more where no layer alone saves one (default: %(default)s)",
    )
    add("--decay", type=finite, default=0.96, help="of each step to the one before (default: %(default)s)")
    add("--step", type=int, default=8, metavar="N", help="widths are multiples of it (default: %(default)s)")
    add("--threads", type=int, default=0, help="of training, or of --measure (default: all cores; --measure: 1)")
    add("--name", help="of the pruned network (default: the folder's)")
    add("--export", type=Path, metavar="BUNDLE", help="write a bundle, too, of a network that is a FastDepth")
    add("--plot", type=Path, metavar="PICTURE", help="draw the run as .png or .svg, finished or not")
    measuring = parser.add_argument_group("--measure")
    add = measuring.add_argument
    add("--kernels", default="graph", help="graph (default), or those of bundles: float32 or int8, of FastDepth alone")
    add("--target", default="host", help="the processor, which has to be this one (default: host)")
    add("--widths", type=int, default=5, metavar="N", help="of each group: 2, 3, 5 or 7 (default: %(default)s)")
    add("--rounds", type=int, default=7, metavar="N", help="turns of each network (default: %(default)s)")
    add("--beside", action="append", default=[], metavar="NAME", help="hold the table against this network, too")


def run(args: argparse.Namespace) -> int:
    """Measure a table, or prune; SIGTERM and Ctrl-C end a run after a proposal, with its state on disk.

    Returns:
        0, or 1 where nothing is left that could be cut and the budget is not reached.
    """
    found, console = entry(args.network), Terminal()
    if args.measure:
        return _measure(args, found, console)
    if args.plot and not (args.latency or args.budget):
        return _plot(args, found)
    if not (args.latency and args.budget and args.out):
        raise SettingError("a run needs --latency, --budget and --out", "Measure a table first: --measure TABLE.")
    return _prune(args, found, console)


def _measure(args: argparse.Namespace, found: Entry, console: Terminal) -> int:
    # Loads TVM's compiler, which whoever prunes by a table does not need.
    from fastdepth_ros.pruning.measure import measure

    folder = args.out or args.measure.with_suffix("")
    with Terminal(stderr=True).status("Preparing") as status:
        table = measure(
            *(found.graph, found.height, found.width, folder),
            kernels=args.kernels,
            target=args.target,
            threads=args.threads or 1,
            count=args.widths,
            rounds=args.rounds,
            beside=[entry(name).graph for name in args.beside],
            progress=status.update,
        )
    write_table(args.measure, table)
    shown = Table("network", "measured ms", "sum of the table ms", "error", title=f"{found.name}, {table['processor']}")
    for row in held(table):
        shown.add_row(row["name"], f"{row['measured_ms']:.2f}", f"{row['table_ms']:.2f}", f"{row['error']:+.1f} %")
    console.print(shown)
    console.print(args.measure, highlight=False, soft_wrap=True)
    return 0


def _plot(args: argparse.Namespace, found: Entry) -> int:
    from fastdepth_ros.pruning.figure import draw_run

    if not args.out:
        raise SettingError("--plot draws the run of a folder", "Name it with --out.")
    try:
        log = parse_json(read(args.out / LOG))
    except (OSError, ValueError) as error:
        raise SettingError(f"{args.out / LOG} cannot be read ({error})", "Name the folder of a run.") from error
    try:
        draw_run(args.plot, found.graph, log)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        cause = f"{args.out / LOG} is no log of such a run ({brief(repr(error), 200)})"
        raise SettingError(cause, "Name the folder of a run of this network.") from error
    return 0


def _prune(args: argparse.Namespace, found: Entry, console: Terminal) -> int:
    graph, channels = found.graph, channels_of(found.graph)
    if args.latency in BOARDS:
        latency = board_latency(graph, channels, args.latency, found.height, found.width)
    else:
        latency = latency_of(read_table(Path(args.latency), graph))
    name = args.name or args.out.name
    arrays, learner, about = _beginning(args, found)
    schedule = Schedule(latency.milliseconds(channels.widths), args.budget, args.iterations, args.decay)
    judge = learner if learner is not None else NormJudge(graph, arrays)
    run = Run(Job(graph, latency, schedule, about, args.step), judge, arrays, args.out)
    console.print(
        f"{graph.name}: {schedule.start:.2f} ms, budget {args.budget:g} ms, {len(channels.groups)} groups of layers;"
        f" {len(run.log['taken'])} iterations are done. Accuracy: {run.log['accuracy']}.",
        soft_wrap=True,
    )
    if not _with_progress(console, lambda told, stopping: _work(run, learner, args.out, told, stopping)):
        console.print("stopped; the same command goes on")
        return 0
    _write(args, run, learner, found, name)
    if args.plot:
        _plot(args, found)
    last = run.now
    steps, where = len(run.log["taken"]), args.out / f"{name}.yaml"
    console.print(f"{run.log['end']}: {last['milliseconds']:.2f} ms after {steps} iterations; {where}", soft_wrap=True)
    return 0 if last["milliseconds"] <= args.budget else 1


def _beginning(args: argparse.Namespace, found: Entry) -> tuple[Arrays, Learner | None, dict[str, Any]]:
    """Arrays before anything is cut, who trains, where somebody does, and what a run of them is known by."""
    trained = args.weights.endswith(CHECKPOINT)
    if not args.recipe:
        if trained:
            raise SettingError("a checkpoint is continued by training", "Name a --recipe, or a bundle or .npz.")
        arrays = start_weights(found.graph, args.weights)
        return arrays, None, {"start": digest(arrays)}
    import torch

    from fastdepth_ros.pruning.learner import Learner
    from fastdepth_ros.training.recipe import fingerprint, read_recipe

    if not args.weights:
        raise SettingError("noise cannot be pruned by its accuracy", "Name --weights, or leave out --recipe.")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    learner = Learner(read_recipe(args.recipe), args.data or [args.recipe.parent])
    arrays = trained_weights(found.graph, Path(args.weights)) if trained else start_weights(found.graph, args.weights)
    about = {"start": digest(arrays), "recipe": fingerprint(learner.recipe)}
    return arrays if trained else learner.begin(found.graph, arrays), learner, about


def _work(run: Run, learner: Learner | None, out: Path, told: Any, stopping: Any) -> bool:
    """Prune, and train the result where somebody trains."""
    if not run.go(told, stopping):
        return False
    if learner is None or "tuned" in run.log:
        return True
    size = learner.recipe.phases[-1].size
    before = learner.errors(run.graph, run.arrays, learner.held, size)
    arrays = learner.tune(run.graph, run.arrays, out, told, stopping) if len(learner.recipe.phases) > 1 else run.arrays
    if arrays is None:
        return False
    run.arrays = arrays
    run.log["tuned"] = {
        "judging": learner.errors(run.graph, arrays, learner.judging, size, "median"),
        "held_before": before,
        "held": learner.errors(run.graph, arrays, learner.held, size),
    }
    run.save()
    return True


def _write(args: argparse.Namespace, run: Run, learner: Learner | None, found: Entry, name: str) -> None:
    graph = run.graph
    folded = run.judge.folded(graph, run.arrays)
    write_arrays(args.out / "weights.npz", folded)
    latency = f"{run.now['milliseconds']:.2f} ms by {run.job.latency.about}"
    about = f"{found.name} after {len(run.log['taken'])} iterations of NetAdapt."
    source = SOURCE.format(name=found.name, latency=latency)
    write_entry(args.out / f"{name}.yaml", graph, found.height, found.width, about, source)
    if not args.export:
        return
    table = table_of(graph, name)
    if table is None or learner is None:
        cause = f"{graph.name} makes no bundle here"
        raise SettingError(cause, "Bundles hold trained variants of FastDepth: name --recipe, or leave out --export.")
    from fastdepth_ros.pruning.bundle import export

    start = args.weights if args.weights.endswith(CHECKPOINT) else f"weights of {args.weights}"
    made = f"NetAdapt from {found.name} ({start}) by recipe {learner.recipe.name}, {len(learner.samples)} pictures"
    export(args.export, table, folded, made, (found.height, found.width))


def _with_progress(console: Terminal, work: Any) -> bool:
    """Do ``work(told, stopping)`` under a bar, and have signals stop it after its current step."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
    with stopping() as asked, bar:
        task = bar.add_task("pruning", total=1.0)
        return bool(work(lambda words, share: bar.update(task, description=words, completed=share), asked))
