"""JSON and YAML documents, spoilt as trees and as text."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from hostile import mutate

DEPTH = 2_000


def value(rng: Random) -> Any:
    """A value that does not belong there."""
    kind = rng.randrange(9)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind == 2:
        return mutate.number(rng, bits=64) * rng.choice((1, -1))
    if kind == 3:
        return mutate.real(rng)
    if kind == 4:
        return rng.choice(mutate.TEXTS)
    if kind == 5:
        return [value(rng) for _ in range(rng.randrange(4))]
    if kind == 6:
        return {rng.choice(mutate.TEXTS): value(rng) for _ in range(rng.randrange(3))}
    if kind == 7:
        return 10 ** rng.choice((20, 400))
    return "y" * rng.choice((100, 5000))


def _places(tree: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every container and key in a tree."""
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            found.append((tree, key))
            _places(tree[key], found)
    return found


def spoil_tree(rng: Random, tree: Any, most: int = 3) -> Any:
    """The tree, with some of its values lost, changed or in the wrong place."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, most)):
        places = _places(tree, [])
        if not places:
            return value(rng)
        (container, key), way = rng.choice(places), rng.randrange(6)
        old = container[key]
        if way == 0:
            del container[key]
        elif way == 1 and isinstance(container, dict):
            container[rng.choice((*mutate.TEXTS, str(key) + "x"))] = old
        elif way == 2:
            other, there = rng.choice(places)
            container[key] = (
                copy.deepcopy(other[there])
                if there in other or (isinstance(other, list) and isinstance(there, int) and there < len(other))
                else None
            )
        elif way == 3 and isinstance(old, int | float) and not isinstance(old, bool):
            container[key] = (
                mutate.number(rng, int(old) if abs(old) < 1e18 else 0, 64)
                if rng.random() < 0.6
                else mutate.real(rng, float(old) if abs(old) < 1e300 else 0.0)
            )
        elif way == 4 and isinstance(old, list):
            mutate.spoil_items(rng, old)
        else:
            container[key] = value(rng)
    return tree


def nested(rng: Random) -> str:
    """A document that is nothing but depth."""
    start, end = rng.choice((("[", "]"), ('{"a":', "}"), ('[[{"a":', "}]]")))
    depth = rng.choice((100, 900, DEPTH, 50 * DEPTH))
    return start * depth + rng.choice(("1", "")) + (end * depth if rng.random() < 0.7 else "")


def spoil_json(rng: Random, tree: Any) -> bytes:
    """The document, spoilt as a tree, seldom as text."""
    if rng.random() < 0.01:
        return nested(rng).encode()
    text = json.dumps(spoil_tree(rng, tree)).encode("utf-8", "surrogatepass")
    return mutate.spoil(rng, text, 2) if rng.random() < 0.1 else text


YAML_WORDS = (
    "off", "on", "yes", "~", "null", ".inf", "-.inf", ".nan", "1e999", "0x7fffffffffffffff", "-1", "[]", "{}",
    "[1, [2]]",
    "{a: {b: c}}", "'", '"', "*a", "&a [*a]", "!!python/object/apply:os.system ['true']", "!!binary x",
    "!!timestamp 1", "2024-13-45",
    "- - -", "? x", "|", ">", "%TAG", "1_000", "0o17", "1:30:00", "!!int x", "!!float x", "\t", "\u0085", "\x01",
    "<<: {a: 1}", "12e03", "0b11",
)  # fmt: skip


def nested_yaml(rng: Random, depths: tuple[int, ...] = (50, 300, 1200)) -> str:
    """Flow or block collections, one in the other, or aliases that double with each line."""
    depth = rng.choice(depths)
    kind = rng.randrange(4)
    if kind == 0:
        return "[" * depth + rng.choice(("", "]" * depth))
    if kind == 1:
        return "{a: " * depth + rng.choice(("", "}" * depth))
    if kind == 2:
        return "- " * depth + "x"
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, min(depth, 40))]
    return "\n".join(lines)


def spoil_yaml(rng: Random, text: str) -> bytes:
    """A text of YAML with other words in some of its lines."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        place, kind = rng.randrange(len(lines)), rng.random()
        name, colon, rest = lines[place].partition(": ")
        if kind < 0.5 and colon:
            lines[place] = f"{name}: {rng.choice(YAML_WORDS) if rng.random() < 0.6 else json.dumps(value(rng))[:2000]}"
        elif kind < 0.6:
            lines[place] = " " * rng.randrange(9) + lines[place].strip()
        elif kind < 0.7:
            lines.insert(place, rng.choice(YAML_WORDS))
        elif kind < 0.72 and colon:
            lines[place] = f"{name}: {nested_yaml(rng)}"
        elif kind < 0.75:
            lines[place] = name.replace(name.strip(), rng.choice(YAML_WORDS)) + colon + rest
        else:
            mutate.spoil_items(rng, lines)
        if not lines:
            lines = [""]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return mutate.spoil(rng, data, 2) if rng.random() < 0.1 else data
