"""``fastdepth tables``: the papers' tables, with this machine's milliseconds and what a short training reaches."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from fastdepth_ros.commands.bench import numbers, pythons_of
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.network_rounds import PEERS
from fastdepth_ros.evaluation.tables import accuracy, figure, power, report
from fastdepth_ros.evaluation.tables.budget import BUDGETS
from fastdepth_ros.evaluation.tables.ledger import Ledger
from fastdepth_ros.evaluation.tables.measure import Setting, measured
from fastdepth_ros.evaluation.tables.rows import TABLES, PaperTable
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.processor import byte_products

KNOWN = sorted([power.NUMBER, *(table.number for table in TABLES)], key=report.order)
"""Numbers of all tables, table 2 with them, which has no graphs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path("tables"), help="folder (default: tables); what is there stays"
    )
    parser.add_argument("--tables", metavar="LIST", help=f"by comma, of {', '.join(KNOWN)} (default: all)")
    parser.add_argument("--networks", metavar="LIST", help="only their lines of these networks, by comma")
    parser.add_argument("--budget", choices=BUDGETS, default="small", help="how long to measure (default: small)")
    parser.add_argument("--target", default="host", help="compile for this target (default: host)")
    parser.add_argument("--threads", metavar="LIST", help="numbers of threads, by comma (default: 1 and all cores)")
    parser.add_argument("--against", default="", metavar="LIST", help=f"other runtimes, by comma: {', '.join(PEERS)}")
    parser.add_argument("--peer-python", type=Path, metavar="PATH", help="their interpreter, as for `fastdepth bench`")
    parser.add_argument(
        "--train-python", type=Path, metavar="PATH", help="an interpreter with torch (default: .venv-train/bin/python)"
    )
    parser.add_argument("--no-int8", action="store_true", help="float32 alone")
    parser.add_argument("--no-accuracy", action="store_true", help="train nothing that was not trained before")


def run(args: argparse.Namespace) -> int:
    """Measure and train what was not yet, and write the tables.

    Returns:
        0.
    """
    chosen = _chosen(args)
    threads = numbers(args.threads, "threads") if args.threads else sorted({1, processor.cores()})
    pythons, budget, ledger = pythons_of(args), BUDGETS[args.budget], Ledger(args.out)
    if unfit := sorted(set(pythons) - set(PEERS)):
        raise SettingError(f"{unfit[0]} reads no graph that could be written", f"Choose of {', '.join(PEERS)}.")
    trainer = args.train_python or accuracy.usual_python()
    int8 = not args.no_int8 and _multiplies_bytes(args.target)
    reports, watts = {}, None
    with Terminal(stderr=True).status("Preparing") as status:
        if power.NUMBER in _numbers(args) and not args.networks:
            watts = power.measured(args.out, args.target, budget, ledger, status.update)
        for table in chosen:
            beside = {name: trainer for name in table.peers if trainer} | pythons
            setting = Setting(args.target, budget, threads, beside, int8)
            reports[table.number] = measured(table, args.out, setting, ledger, status.update)
        learners = [row.learns for table in chosen for row in table.rows]
        python = None if args.no_accuracy else trainer
        learned = accuracy.learned(learners, args.out, python, budget, ledger, status.update)
    about = f"{budget.rounds} rounds of {budget.seconds:g} s, networks of a table in turns"
    date = f"{datetime.date.today():%d %B %Y}"
    report.write(args.out, report.Findings(chosen, reports, watts, learned, args.target, date, about, ledger))
    drawn = [report.MARKDOWN, report.JSON]
    if reports:
        figure.draw(args.out / report.FIGURE, reports)
        drawn.append(report.FIGURE)
    if figure.draw_accuracy(args.out / report.ACCURACY, reports, learned):
        drawn.append(report.ACCURACY)
    for name in drawn:
        Terminal(soft_wrap=True).print(args.out / name, highlight=False)
    return 0


def _multiplies_bytes(target: str) -> bool:
    # Loads TVM's compiler, which whoever asks for help does not need.
    from fastdepth_ros.compiler.targets import find_target

    goal = find_target(target)
    return byte_products(goal.needs, goal.lanes) is not None


def _numbers(args: argparse.Namespace) -> list[str]:
    return args.tables.split(",") if args.tables else list(KNOWN)


def _chosen(args: argparse.Namespace) -> list[PaperTable]:
    """Tables of graphs that were asked for, with the lines that were asked for.

    Raises:
        SettingError: there is no such table, or no such line in them.
    """
    if unknown := [number for number in _numbers(args) if number not in KNOWN]:
        raise SettingError(f"there is no table {unknown[0]}", f"Choose of {', '.join(KNOWN)}.")
    tables = [table for table in TABLES if table.number in _numbers(args)]
    if not args.networks:
        return tables
    asked = args.networks.split(",")
    for name in asked:
        if not any(table.of([name]).rows for table in tables):
            known = dict.fromkeys(row.network for table in tables for row in table.rows)
            raise SettingError(f"{name} is in none of these tables", f"Choose of {', '.join(known)}.")
    return [table.of(asked) for table in tables if table.of(asked).rows]
