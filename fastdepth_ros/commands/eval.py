"""``fastdepth eval``: how good a bundle is on pictures with known depth."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from rich.table import Column, Table

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.commands import loss_table, sigma_table
from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import anchored_sheet, sheet
from fastdepth_ros.evaluation.anchored import CALIBRATION, Studies
from fastdepth_ros.evaluation.evaluate import Options, Outcome, means
from fastdepth_ros.evaluation.evaluate import run as evaluate_all
from fastdepth_ros.evaluation.frames import is_recording, labelled
from fastdepth_ros.evaluation.metrics import METRICS, challenge_score
from fastdepth_ros.evaluation.sensors import NAMES, parse
from fastdepth_ros.evaluation.steadied import MEASURES, SteadyStudy
from fastdepth_ros.files.writing import write_output
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.precision import AUTO, FLOAT32, choose
from fastdepth_ros.settings import LIMITS
from fastdepth_ros.viewing import CELL

BETTER_HIGH = ("delta1", "delta2", "delta3")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="name or folder of a bundle")
    parser.add_argument(
        "data",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="folder or tar of NAME.jpg + NAME.depth.png, folder of NYU HDF5 files, or a recording with true depth",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number of every picture here")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write pictures with error maps here (.png)")
    parser.add_argument("--rows", type=int, default=6, help="pictures on the sheet (default: %(default)s)")
    parser.add_argument("--set", metavar="NAME", help="take only this set's pictures from files")
    parser.add_argument("--last", type=finite, default=1.0, metavar="SHARE", help="take the last share of them only")
    parser.add_argument(
        "--view",
        choices=("bundle", "whole"),
        default="bundle",
        help="the view that the bundle was trained on, or all of the picture, for data that were cropped already",
    )
    parser.add_argument(
        "--ignore-camera", action="store_true", help="do not correct answers for the picture's focal length"
    )
    parser.add_argument(
        "--precision",
        choices=LIMITS["precision"].choices,
        default="float32",
        help="of the network (default: %(default)s)",
    )
    parser.add_argument(
        "--loss",
        choices=[each for each in LIMITS["precision"].choices if each not in (AUTO, FLOAT32)],
        help="measure on each DATA what this precision loses, and write it into the bundle's manifest, by which"
        " precision auto goes",
    )
    parser.add_argument(
        "--sigma",
        action="store_true",
        help="fit to DATA how sure the bundle says it is, alone and with the sensors of --anchors, and write it into"
        " its manifest",
    )
    parser.add_argument("--threads", type=int, default=0, help="threads of the network (default: all cores)")
    parser.add_argument(
        "--anchors", metavar="SENSORS", help=f"simulate sensors that measured some depths, as vo:150,range: {NAMES}"
    )
    parser.add_argument(
        "--steadiness",
        type=finite,
        default=0.0,
        metavar="X",
        help="steady the answers to pictures that follow each other, by 0 to 1 (docs/steady.md)",
    )
    parser.add_argument("--seeds", type=int, default=1, help="times each sensor is simulated (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print a table of every measure with and without median scaling, and write what was asked for.

    With ``--loss`` the table is of what a precision loses, with ``--sigma`` of how sure the bundle says it is.
    """
    if not 0 < args.last <= 1 or args.rows < 1 or args.seeds < 1:
        cause = f"--last is {args.last:g}, --rows {args.rows}, --seeds {args.seeds}"
        raise SettingError(cause, "Use 0 < SHARE <= 1, 1 row or more, and 1 seed or more.")
    LIMITS["steadiness"].check("--steadiness", args.steadiness)
    sensors = parse(args.anchors) if args.anchors else []
    console = Terminal()
    bundle = find_bundle(args.bundle)
    if args.loss and args.sigma:
        raise SettingError("--loss and --sigma each write the manifest", "Ask for one, and then for the other.")
    if args.loss:
        return loss_table.run(args, bundle, console)
    if args.sigma:
        return sigma_table.run(args, bundle, sensors, console)
    precision = choose(bundle, wanted=args.precision).precision
    engine = open_engine(module_for(bundle, precision=precision), args.threads)
    frames = labelled(args.data, args.set, args.last)
    shown = track(frames, "evaluating", console=console, disable=not console.is_terminal)
    outcomes: list[Outcome] = []
    prior = Prior.of(bundle.manifest)
    cells = (bundle.manifest.input_height // CELL, bundle.manifest.input_width // CELL)
    recording = all(is_recording(path) for path in args.data)
    studies = Studies(prior, cells, sensors, args.seeds, recording=recording) if sensors else None
    steady = SteadyStudy(cells, args.steadiness) if args.steadiness else None

    def keep(outcome: Outcome) -> None:
        if steady is not None:
            outcome = steady.look(outcome)
        if studies is not None:
            studies.look(outcome)
        # Without a sheet the numbers are enough: a recording of an hour has many maps.
        outcomes.append(outcome if args.sheet else outcome.without_maps())

    evaluate_all(engine, bundle.manifest, shown, Options(args.view, not args.ignore_camera), keep)
    metric, scaled = means(o.metric for o in outcomes), means(o.scaled for o in outcomes)
    seconds = float(np.median([outcome.seconds for outcome in outcomes]))
    metric["infer_s"], metric["challenge_score"] = seconds, challenge_score(metric["si_rmse"], seconds)
    where = ", ".join(path.name for path in args.data)
    title = f"{bundle.manifest.name} on {where}{f', {args.set}' if args.set else ''}: {len(outcomes)} pictures"
    console.print(_table(title, metric, scaled))
    anchored = studies.summary() if studies is not None else {}
    if anchored:
        console.print(_anchored_table(f"{title}, anchored, means of {args.seeds} seeds", anchored))
    steadied = steady.summary() if steady is not None else {}
    if steadied:
        console.print(_steady_table(f"{title}, steadiness {args.steadiness:g}", steadied))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        summary = _summary(args, bundle, precision, outcomes, metric, scaled, anchored)
        summary |= {"steadiness": args.steadiness, "steadied": steadied} if steadied else {}
        write_output(args.json, json.dumps(summary, indent=1) + "\n")
    if args.sheet:
        ranked = sorted(outcomes, key=lambda outcome: outcome.metric["rmse_m"])
        places = np.linspace(0, len(ranked) - 1, min(args.rows, len(ranked))).round().astype(int)
        chosen = [ranked[place] for place in places]
        words = f"{title}, from the best to the worst"
        if sensors:
            anchored_sheet.draw(args.sheet, chosen, sensors[0], Anchoring(cells, prior), words)
        else:
            sheet.draw(args.sheet, chosen, words)
    return 0


def _table(title: str, metric: dict[str, float], scaled: dict[str, float]) -> Table:
    table = Table("measure", "as answered", "median-scaled", "", title=title)
    for name in METRICS:
        better = "higher is better" if name in BETTER_HIGH else "lower is better"
        table.add_row(name, f"{metric[name]:.4f}", f"{scaled[name]:.4f}", better)
    table.add_row("scale", "1", f"{scaled['scale']:.4f}", "median of truth / median of answer")
    table.add_row("coverage", f"{metric['coverage']:.4f}", f"{scaled['coverage']:.4f}", "answered share of the truth")
    table.add_row("network", f"{metric['infer_s'] * 1000:.2f} ms", "", f"median, on {processor.name()}")
    table.add_row("challenge score", f"{metric['challenge_score']:.1f}", "", "2^(-20 si_rmse) / (C s), more is better")
    return table


def _anchored_table(title: str, anchored: dict[str, dict[str, float]]) -> Table:
    heads = ("delta1", "rmse_m", "abs_rel", "within 1 sigma", "within 2", "least sure quarter")
    table = Table(Column("sensor", no_wrap=True), *heads, title=title)
    for name, own in anchored.items():
        numbers = (own[key] for key in ("delta1", "rmse_m", "abs_rel", *CALIBRATION))
        table.add_row(name, *(f"{number:.3f}" for number in numbers))
    table.caption = (
        "within 1 and 2 sigma: 0.68 and 0.95 are true; the quarter's share of the squared error: 0.25 is chance"
    )
    return table


def _steady_table(title: str, steadied: dict[str, dict[str, float]]) -> Table:
    table = Table("", *MEASURES, title=title)
    for name, own in steadied.items():
        table.add_row(name, *(f"{own[measure]:.4f}" for measure in MEASURES))
    table.caption = (
        "edge_delta1: near edges of the truth; flicker: mean change of the error in log depth from frame to frame;"
        " edges_late: frames by which edges are later than those of the truth"
    )
    return table


def _summary(
    args: argparse.Namespace,
    bundle: Any,
    precision: str,
    outcomes: list[Outcome],
    metric: dict[str, float],
    scaled: dict[str, float],
    anchored: dict[str, dict[str, float]],
) -> dict[str, Any]:
    return {
        "bundle": bundle.manifest.name,
        "weights_sha256": bundle.weights_sha256,
        "data": [str(path) for path in args.data],
        "set": args.set,
        "last": args.last,
        "view": args.view,
        "precision": precision,
        "focal_corrected": not args.ignore_camera,
        "frames": len(outcomes),
        **metric,
        "median_scaled": scaled,
        **({"anchored": anchored, "seeds": args.seeds} if anchored else {}),
        "pictures": [{"name": o.name, **o.metric, "median_scaled": o.scaled} for o in outcomes],
    }
