"""``fastdepth train``: weights of one's own, by a recipe, or by a paper's method for a network by name."""

from __future__ import annotations

import argparse
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fastdepth_ros.commands import train_network
from fastdepth_ros.commands.numbers import seconds
from fastdepth_ros.commands.stopping import stopping
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError

if TYPE_CHECKING:
    from fastdepth_ros.training.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("recipe", nargs="?", type=Path, metavar="RECIPE.yaml", help="what to do, and with which data")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run's folder; a run in it goes on")
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="where the recipe's files are; may be given several times (default: the recipe's own folder)",
    )
    parser.add_argument("--threads", type=int, default=0, help="threads for torch (default: one for each core)")
    parser.add_argument("--device", default="cpu", help="cpu, or what torch calls the accelerator: cuda (default: cpu)")
    parser.add_argument("--workers", type=int, default=1, help="threads that prepare pictures (default: %(default)s)")
    parser.add_argument("--report", type=int, default=8000, metavar="IMAGES", help="images between two validations")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="PATH",
        help="train nothing; write the weights as a bundle, or as .npz: where PATH ends so, or no bundle can hold them",
    )
    parser.add_argument("--save", type=seconds, default=300.0, metavar="SECONDS", help="time between two checkpoints")
    parser.add_argument("--seed", type=int, help="of weights and views (default: the recipe's, or 1)")
    parser.add_argument("--json", action="store_true", help="print the last report as JSON, and nothing else")
    train_network.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Train; SIGTERM and Ctrl-C end the run after the current step, with its state on disk."""
    try:
        import torch

        from fastdepth_ros.training import processes
        from fastdepth_ros.training.recipe import check, read_recipe
        from fastdepth_ros.training.trainer import Machine, Pace, Trainer
    except ImportError as error:
        raise SettingError(f"{error.name} is not installed", "Install requirements/train.txt.") from error
    if args.report < 1 or args.save <= 0 or args.threads < 0 or args.workers < 1:
        cause = "--report, --save, --threads and --workers have to be positive"
        raise SettingError(cause, "Leave them out for the defaults.")
    if (args.recipe is None) == (args.network is None):
        raise SettingError("either a recipe or --network has to be given", "Name one of them.")
    if args.device != "cpu" and not torch.cuda.is_available():
        raise SettingError(f"--device is {args.device}, but torch finds no accelerator", "Leave it out for the CPU.")
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(args.threads or max(len(os.sched_getaffinity(0)) // beside, 1))
    recipe = read_recipe(args.recipe) if args.recipe else train_network.recipe_from(args)
    if args.recipe and args.seed is not None:
        recipe = replace(recipe, seed=args.seed)
        check(recipe, str(args.recipe))
    folders = args.data or [args.recipe.parent]
    own = processes.join(args.device)
    try:
        machine = Machine(args.device, args.workers, own)
        trainer = Trainer(recipe, folders, args.out, Pace(args.report, args.save), machine)
        console = Terminal(quiet=args.json or not own.writes)
        console.print(
            f"{recipe.name}: {len(trainer.samples)} pictures to learn from, {len(trainer.held)} held out;"
            f" step {trainer.step} of {recipe.steps}"
        )
        if args.export:
            _export(trainer, args.export, console)
            return 0
        _train(trainer, console)
        if args.json and own.writes:
            Terminal(soft_wrap=True).print(json.dumps(_last(trainer)), highlight=False, markup=False)
    finally:
        processes.leave()
    return 0


def _export(trainer: Trainer, path: Path, console: Terminal) -> None:
    from fastdepth_ros.training.export import can_be_bundle, export, export_arrays

    if path.suffix != ".npz" and can_be_bundle(trainer.recipe.network):
        bundle = export(trainer, path)
        console.print(f"{bundle.path}: weights sha256 {bundle.weights_sha256}")
    else:
        export_arrays(trainer, path)
        console.print(f"{path}: weights of {trainer.recipe.network.name}")


def _train(trainer: Trainer, console: Terminal) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
    with stopping() as asked, bar:
        task = bar.add_task("training", total=trainer.recipe.steps, completed=trainer.step)

        def on_step(now: Trainer) -> bool:
            bar.update(task, completed=now.step)
            return asked()

        trainer.run(on_step, lambda row: console.print(_line(row), highlight=False, soft_wrap=True))
    console.print("done" if trainer.finished else f"stopped at step {trainer.step}; the same command goes on")


def _last(trainer: Trainer) -> dict[str, Any]:
    """The last row of the run's curves, with how much it has learned from; what is no number is null."""
    from fastdepth_ros.training import curves
    from fastdepth_ros.training.trainer import CURVES

    row: dict[str, Any] = (curves.read(trainer.out / CURVES) or [{}])[-1]
    row = {name: value if math.isfinite(value) else None for name, value in row.items()}
    return {**row, "finished": trainer.finished, "learned": len(trainer.samples), "held_out": len(trainer.held)}


def _line(row: dict[str, float]) -> str:
    return (
        f"{row['images']:9.0f} images {row['hours']:6.2f} h {row['size']:.0f} px rate {row['rate']:.2e}"
        + "".join(f" {name} {row[name]:.4f}" for name in ("loss", "truth", "teacher", "hints") if name in row)
        + f" | held out: delta1 {row['delta1']:.4f} (scaled {row['delta1_scaled']:.4f})"
        + f" RMSE {row['rmse_m']:.4f} m AbsRel {row['abs_rel']:.4f}"
    )
