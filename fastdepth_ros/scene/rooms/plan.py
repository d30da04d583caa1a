"""A room while it is furnished: what stands where, and whether there is place for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Array, Placement, Solids
from fastdepth_ros.scene.rooms.shell import Shell
from fastdepth_ros.scene.rooms.style import Style

Piece = Callable[[Placement, Style], Ground]


@dataclass(frozen=True)
class Placed:
    """A piece of furniture in the room: the bounds of its ground, and how high it is [m].

    ``free`` stands in the room and not at a wall; ``wanted`` is what the kind of room asked for.
    """

    left: float
    right: float
    front: float
    back: float
    top: float
    free: bool
    wanted: bool = False

    def middle(self) -> Array:
        """Its middle (3,) [m]."""
        return np.array([(self.left + self.right) / 2, (self.front + self.back) / 2, self.top / 2])

    def overlaps(self, other: Placed, gap: float) -> bool:
        """Whether two stand in each other's way."""
        apart = self.left - gap > other.right or other.left - gap > self.right
        return not (apart or self.front - gap > other.back or other.front - gap > self.back)


@dataclass
class Plan:
    """A room while it is furnished.

    Attributes:
        shell: the empty room, to whose solids furniture is added.
        style: where chance comes from.
        placed: furniture so far.
        upstairs: raised ground on which a camera may stand; ``top`` is its height.
    """

    shell: Shell
    style: Style
    placed: list[Placed] = field(default_factory=list)
    upstairs: list[Placed] = field(default_factory=list)

    def stand(self, piece: Solids, ground: Ground, at: Placement, free: bool, gap: float = 0.04) -> bool:
        """Put a piece where a frame is, unless it would collide or leave the room."""
        own = replace(ground_of(at, *ground), top=top_of(piece), free=free)
        if own.left < 0 or own.front < 0 or own.right > self.shell.size[0] or own.back > self.shell.size[1]:
            return False
        if any(own.overlaps(other, gap) for other in self.placed):
            return False
        at.put(piece)
        self.placed.append(own)
        return True

    def try_anywhere(self, make: Piece, tries: int = 6, gap: float = 0.04) -> bool:
        """Make a piece and look for a place in the room, turned as chance will have it."""
        (w, d, _), scratch, at = self.shell.size, Solids(), Placement(self.shell.solids)
        ground = make(Placement(scratch), self.style)
        for _ in range(tries):
            place = at.at(
                self.style.between(0.3, w - 0.3), self.style.between(0.3, d - 0.3), 0, self.style.between(0, 360)
            )
            if self.stand(scratch, ground, place, True, gap):
                return True
        return False


def ground_of(at: Placement, w: float, d: float) -> Placed:
    """The ground that a rectangle about a frame's origin takes, with nothing on it."""
    across = np.abs(at.axes[:2, :2]) @ np.array([w / 2, d / 2])
    x, y = at.origin[:2]
    return Placed(float(x - across[0]), float(x + across[0]), float(y - across[1]), float(y + across[1]), 0.0, False)


def top_of(piece: Solids) -> float:
    """Height of a piece [m]."""
    tops = [float(q[2] + max(0, q[5]) + max(0, q[8])) for q in piece.quads]
    return max(tops + [float(max(b[2], b[5])) for b in piece.bars] + [0.1])
