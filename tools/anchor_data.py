"""Labelled pictures and their answers, as tools that simulate sensors on them take both from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.evaluation.evaluate import Options, Outcome
from fastdepth_ros.evaluation.evaluate import run as evaluate_all
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.viewing import CELL


def parser_of(words: str | None) -> argparse.ArgumentParser:
    """A parser with these words above its options, which takes what `fastdepth eval` takes of pictures."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--set")
    parser.add_argument("--last", type=float, default=1.0)
    parser.add_argument("--view", choices=("bundle", "whole"), default="bundle")
    return parser


def answered(args: argparse.Namespace) -> tuple[list[Outcome], Prior]:
    """The shipped weights' float32 answers to the pictures that were named, and what is known of their errors."""
    bundle = find_bundle()
    engine = open_engine(module_for(bundle, precision="float32"), 1)
    outcomes: list[Outcome] = []
    evaluate_all(engine, bundle.manifest, labelled(args.data, args.set, args.last), Options(args.view), outcomes.append)
    return outcomes, Prior.of(bundle.manifest)


def cells_of(outcome: Outcome) -> tuple[int, int]:
    """Rows and columns of an answer's cells."""
    rows, columns = outcome.answer.shape
    return rows // CELL, columns // CELL
