"""Rows of an entry, each a block with its numbers and words, made into layers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.network.blocks import BLOCKS, BlockMaker
from fastdepth_ros.network.builder import GraphBuilder

REMEDY = "Rows are written as docs/extend/network.md says."
FROM = "from"
"""Argument of every row: the layer or block that its first layer reads in place of the row before."""


def add_rows(
    to: GraphBuilder, rows: object, where: str, blocks: Mapping[str, BlockMaker] = BLOCKS, may_be_empty: bool = False
) -> None:
    """Add the layers of all rows.

    Args:
        to: the network.
        rows: a list of tables of one key, as YAML has them: ``- conv: {name: conv0, outputs: 32}``.
        where: name of the list, for errors.
        blocks: word that begins a row -> what it adds.
        may_be_empty: whether a list without rows is allowed, which adds nothing.

    Raises:
        NetworkError: a row is none, has an unknown word or lacks one, or its layers cannot be added.
    """
    if not isinstance(rows, list) or not (rows or may_be_empty):
        raise NetworkError(f"{to.name}: {where} is no list of rows", REMEDY)
    for number, row in enumerate(rows, start=1):
        place = f"{to.name}: row {number} of {where}"
        if not isinstance(row, dict) or len(row) != 1:
            raise NetworkError(f"{place} is {quoted(row)}, and a row is one block with its arguments", REMEDY)
        ((word, given),) = row.items()
        if word not in blocks:
            raise NetworkError(f"{place}: {quoted(word)} is no block{_like(word, blocks)}", REMEDY)
        if not isinstance(given, dict):
            raise NetworkError(f"{place}: {word} has {quoted(given)} where its arguments belong", REMEDY)
        given = dict(given)
        if FROM in given:
            to.here = to.end(_fitting(given.pop(FROM), str, f"{place} ({word}): {FROM}"))
        blocks[word](to, **_arguments(blocks[word], given, f"{place} ({word})"))


def _arguments(block: BlockMaker, given: dict[Any, Any], place: str) -> dict[str, Any]:
    hints = get_type_hints(block)
    _, *parameters = inspect.signature(block).parameters.values()
    known = {parameter.name: parameter for parameter in parameters}
    for word in given:
        if word not in known:
            raise NetworkError(f"{place}: {quoted(word)} is no argument{_like(word, known)}", REMEDY)
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in given:
            raise NetworkError(f"{place}: {name} is missing", REMEDY)
    return {word: _fitting(value, hints[word], f"{place}: {word}") for word, value in given.items()}


def _fitting(value: Any, hint: Any, what: str) -> Any:
    """The value, if it is of the type that an argument has."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise NetworkError(f"{what} is {quoted(value)}, and {', '.join(get_args(hint))} are known", REMEDY)
    elif get_origin(hint) is list:
        (item,) = get_args(hint)
        if not isinstance(value, list) or not all(type(each) is item for each in value):
            said = "names" if item is str else "whole numbers"
            raise NetworkError(f"{what} is {quoted(value)} where a list of {said} belongs", REMEDY)
    elif get_origin(hint) is dict:
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value):
            raise NetworkError(f"{what} is {quoted(value)} where names with their rows belong", REMEDY)
    elif type(value) is not hint or (hint is int and not 1 <= value <= MOST):
        kind = f"a whole number from 1 to {MOST}" if hint is int else "a word"
        raise NetworkError(f"{what} is {quoted(value)} where {kind} belongs", REMEDY)
    return value


MOST = 4096
"""Largest number of a row; its layers allow less."""


def _like(word: object, known: Any) -> str:
    near = get_close_matches(word, known, 1) if isinstance(word, str) else []
    return f"; {near[0]} is" if near else f" ({', '.join(known)} are)"
