"""A space of 180 networks for pictures of 32x32 px."""

from pathlib import Path

from fastdepth_ros.search.space import Space, read_space
from fastdepth_ros.search.table import Costs

TOY = """
about: A toy.
source: This test.
input: {width: 32, height: 32}
encoder:
- conv: {name: stem, outputs: 8, kernel: 3, stride: 2}
- mbconv-choice: {name: a, outputs: 8, kernels: [3, 5], expansions: [2]}
- mbconv-choice: {name: b, outputs: 16, stride: 2, kernels: [3, 5], expansions: [2]}
decoder:
- choice:
    name: halvings
    among:
      more:
      - mbconv-choice: {name: deep, outputs: 16, stride: 2, kernels: [3, 7], expansions: [2]}
      - join-choice: {name: up1, skip: b, outputs: 8, kernels: [3], expansions: [1]}
      fewer:
      - conv: {name: flat, outputs: 8}
- join-choice: {name: up2, skip: a, outputs: 8, kernels: [3], expansions: [1, 2]}
- choice: {name: correction, among: {none: [], sic: [depthwise: {name: sic, offset: none}]}}
- conv: {name: depth, outputs: 1, offset: bias}
"""


def toy(folder: Path, text: str = TOY) -> Space:
    """The space, read from a file."""
    path = folder / "toy.yaml"
    path.write_text(text)
    return read_space(path)


def costs(space: Space) -> Costs:
    """Milliseconds that tell every candidate: a different power of two for each."""
    pairs = [(slot.name, word) for slot in space.slots.values() for word in slot.candidates]
    slots = {slot.name: dict.fromkeys(slot.candidates, 0.0) for slot in space.slots.values()}
    for number, (slot_name, word) in enumerate(pairs):
        slots[slot_name][word] = 2.0**number / 1024
    return Costs("powers of two", 0.5, slots)
