"""``fastdepth train --network``: a recipe of a paper's method for a network by name and a folder of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fastdepth_ros.commands.numbers import sides
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import open_source, sha256
from fastdepth_ros.network import NETWORKS
from fastdepth_ros.network.entries import Entry, entry
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.sizes import nearest

if TYPE_CHECKING:
    from fastdepth_ros.training.recipe import DataFile, Recipe, Teacher

LARGEST = 224
"""Sides of the views that pictures are made into [px]; a network whose own picture is smaller is trained on that."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that make a recipe."""
    group = parser.add_argument_group("in place of a recipe")
    group.add_argument("--network", metavar="NAME", help="train this network (`fastdepth networks list`)")
    group.add_argument("--method", metavar="NAME", help="of training/methods/ (default: its paper's, or FastDepth's)")
    group.add_argument("--images", type=int, metavar="N", help="pictures that are shown (default: the method's epochs)")
    group.add_argument("--size", metavar="WxH", help="of the pictures that it sees (default: its own, 224 at most)")
    group.add_argument("--imagenet", action="store_true", help="begin with an encoder that has seen ImageNet")
    group.add_argument("--teacher", metavar="FILE", help="weights of a teacher, in a folder of --data or by its path")
    group.add_argument("--teacher-network", default="", metavar="NAME", help="the teacher's, where it is an entry")
    group.add_argument("--hints", default="", metavar="LIST", help="maps to compare, by comma: NAME or OURS=THEIRS")


def recipe_from(args: argparse.Namespace) -> Recipe:
    """The recipe that the arguments say.

    Raises:
        SettingError: an argument cannot be.
        NetworkError: there is no such network, or it cannot take pictures of that size.
    """
    from fastdepth_ros.training.method import USUAL, Choice, method, recipe_of
    from fastdepth_ros.training.modules import network_named

    if not args.data:
        raise SettingError("--network needs pictures to learn from", "Name their folder with --data.")
    network = network_named(args.network)
    known = None if args.network in NETWORKS else entry(args.network)
    own = (known.height, known.width) if known else (LARGEST, LARGEST)
    if args.size:
        width, height = sides(args.size)
    else:
        height, width = _own_sides(network if isinstance(network, Graph) else None, own)
    chosen = args.method or (known.training if known else "") or USUAL
    name, start = f"{args.network}, {chosen}", _imagenet(args.network, known) if args.imagenet else None
    seed = 1 if args.seed is None else args.seed
    choice = Choice(name, network, (height, width), args.images, seed, _teacher(args), start)
    return recipe_of(method(chosen), choice, open_source(args.data[0]))


def _own_sides(graph: Graph | None, own: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the network's own picture, or near it where that is larger than the views."""
    if max(own) <= LARGEST or graph is None:
        return own
    height, width = (nearest(graph, min(side, LARGEST)) for side in own)
    return height, width


def _imagenet(name: str, known: Entry | None) -> DataFile:
    from fastdepth_ros.training.pretrained import package_file
    from fastdepth_ros.training.recipe import DataFile

    if known is None or not known.imagenet:
        raise SettingError(f"no weights of ImageNet are known for {name}", "Leave --imagenet out.")
    path = package_file(known.imagenet)
    return DataFile(str(path), sha256(path))


def _teacher(args: argparse.Namespace) -> Teacher | None:
    from fastdepth_ros.training.feed import find
    from fastdepth_ros.training.recipe import Teacher

    if not args.teacher:
        return None
    path = find(args.teacher, [*args.data, Path()])
    hints = tuple(each for each in args.hints.split(",") if each)
    return Teacher(str(path.resolve()), sha256(path), hints, network=args.teacher_network)
