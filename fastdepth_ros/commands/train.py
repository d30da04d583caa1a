"""fastdepth train: weights of one's own, by a recipe."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fastdepth_ros.errors import SettingError

if TYPE_CHECKING:
    from fastdepth_ros.training.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="what to do, and with which data")
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
        "--export", type=Path, metavar="BUNDLE", help="write the run's weights as a bundle, train nothing"
    )
    parser.add_argument("--save", type=float, default=300.0, metavar="SECONDS", help="time between two checkpoints")


def run(args: argparse.Namespace) -> int:
    """Train; SIGTERM and Ctrl-C end the run after the current step, with its state on disk."""
    try:
        import torch

        from fastdepth_ros.training.export import export
        from fastdepth_ros.training.recipe import read_recipe
        from fastdepth_ros.training.trainer import Machine, Pace, Trainer
    except ImportError as error:
        raise SettingError(f"{error.name} is not installed", "Install requirements/train.txt.") from error
    if args.report < 1 or args.save <= 0 or args.threads < 0 or args.workers < 1:
        cause = "--report, --save, --threads and --workers have to be positive"
        raise SettingError(cause, "Leave them out for the defaults.")
    if args.device != "cpu" and not torch.cuda.is_available():
        raise SettingError(f"--device is {args.device}, but torch finds no accelerator", "Leave it out for the CPU.")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    recipe = read_recipe(args.recipe)
    pace, machine = Pace(args.report, args.save), Machine(args.device, args.workers)
    trainer = Trainer(recipe, args.data or [args.recipe.parent], args.out, pace, machine)
    console = Console()
    console.print(
        f"{recipe.name}: {len(trainer.samples)} pictures to learn from, {len(trainer.held)} held out;"
        f" step {trainer.step} of {recipe.steps}"
    )
    if args.export:
        bundle = export(trainer, args.export)
        console.print(f"{bundle.path}: weights sha256 {bundle.weights_sha256}")
        return 0
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("training", total=recipe.steps, completed=trainer.step)

            def on_step(now: Trainer) -> bool:
                bar.update(task, completed=now.step)
                return stopping

            trainer.run(on_step, lambda row: console.print(_line(row), highlight=False, soft_wrap=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    console.print("done" if trainer.finished else f"stopped at step {trainer.step}; the same command goes on")
    return 0


def _line(row: dict[str, float]) -> str:
    return (
        f"{row['images']:9.0f} images {row['hours']:6.2f} h {row['size']:.0f} px rate {row['rate']:.2e}"
        + "".join(f" {name} {row[name]:.4f}" for name in ("loss", "truth", "teacher", "hints") if name in row)
        + f" | held out: delta1 {row['delta1']:.4f} RMSE {row['rmse_m']:.4f} m AbsRel {row['abs_rel']:.4f}"
    )
