"""``fastdepth tables``: the papers' tables, with this machine's milliseconds and what a short training reaches."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from rich.console import Console

from fastdepth_ros.commands.bench import numbers, pythons_of
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.network_rounds import PEERS
from fastdepth_ros.evaluation.tables import accuracy, figure, report
from fastdepth_ros.evaluation.tables.budget import BUDGETS
from fastdepth_ros.evaluation.tables.measure import measured
from fastdepth_ros.evaluation.tables.rows import TABLES
from fastdepth_ros.runtime import processor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path("tables"), help="folder (default: tables); what is there stays"
    )
    known = ", ".join(table.number for table in TABLES)
    parser.add_argument("--tables", metavar="LIST", help=f"by comma, of {known} (default: all)")
    parser.add_argument("--budget", choices=BUDGETS, default="small", help="how long to measure (default: small)")
    parser.add_argument("--target", default="host", help="compile for this target (default: host)")
    parser.add_argument("--threads", metavar="LIST", help="numbers of threads, by comma (default: 1 and all cores)")
    parser.add_argument("--against", default="", metavar="LIST", help=f"other runtimes, by comma: {', '.join(PEERS)}")
    parser.add_argument("--peer-python", type=Path, metavar="PATH", help="their interpreter, as for `fastdepth bench`")
    parser.add_argument(
        "--train-python", type=Path, metavar="PATH", help="an interpreter with torch (default: .venv-train/bin/python)"
    )
    parser.add_argument("--no-accuracy", action="store_true", help="train nothing that was not trained before")


def run(args: argparse.Namespace) -> int:
    """Measure and train what was not yet, and write the tables.

    Returns:
        0.
    """
    known = {table.number: table for table in TABLES}
    chosen = args.tables.split(",") if args.tables else list(known)
    if unknown := [number for number in chosen if number not in known]:
        raise SettingError(f"there is no table {unknown[0]}", f"Choose of {', '.join(known)}.")
    threads = numbers(args.threads, "threads") if args.threads else sorted({1, processor.cores()})
    pythons, budget = pythons_of(args), BUDGETS[args.budget]
    if unfit := sorted(set(pythons) - set(PEERS)):
        raise SettingError(f"{unfit[0]} reads no graph that could be written", f"Choose of {', '.join(PEERS)}.")
    reports = {}
    with Console(stderr=True).status("Preparing") as status:
        for number in chosen:
            reports[number] = measured(known[number], args.out, args.target, budget, threads, pythons, status.update)
        python = None if args.no_accuracy else args.train_python or accuracy.usual_python()
        learners = [row.learns for number in chosen for row in known[number].rows]
        learned = accuracy.learned(learners, args.out, python, budget, status.update)
    about = f"{budget.rounds} rounds of {budget.seconds:g} s, networks of a table in turns"
    report.write(args.out, reports, learned, f"{datetime.date.today():%d %B %Y}", about)
    figure.draw(args.out / report.FIGURE, reports)
    drawn = figure.draw_accuracy(args.out / report.ACCURACY, reports, learned)
    for name in (report.MARKDOWN, report.JSON, report.FIGURE, *(report.ACCURACY,) * drawn):
        Console(soft_wrap=True).print(args.out / name, highlight=False)
    return 0
