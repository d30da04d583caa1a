"""Kinds of random rooms: how large and how pale they are, what stands in them, from where they are seen."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """Ranges that chance may choose from.

    Attributes:
        name: as ``fastdepth rooms --kind`` takes it; pictures belong to the set ``computed-NAME``.
        width, length, height: of the room [m].
        windows: how wide they are at most [m].
        pale: share of rooms in which nearly everything is white.
        seats, desks: chairs, and desks or tables full of things, that are put in before all other furniture.
        sunny: share of rooms into which the sun shines.
        away: how far the camera stands from what it looks at [m].
        looks: share of pictures that look at one of those.
        near: this share of a picture ought to be nearer than 2.5 m.
        bright: share of pictures that are overexposed, by a stop or two.
        bare: whether walls and floor are those of a workplace: no wallpaper, no boards.
        holds: ``furniture``, ``racks``, ``doors``, or ``stairs`` or a ``kitchen`` with furniture.
        eyes: heights of the camera [m]; None takes those of somebody who stands, sits or carries it low.
        fields: horizontal fields of view [degrees].
        along: share of pictures that look along the room.
        shaky: share of pictures that are blurred by the camera's motion.
        dim: share of pictures in so little light that noise shows.
        glass: mirrors, and panes that stand free, that are put in before all other furniture.
    """

    name: str
    width: Range = (2.5, 6.0)
    length: Range = (2.8, 7.0)
    height: Range = (2.25, 3.1)
    windows: float = 2.6
    pale: float = 0.35
    seats: int = 0
    desks: int = 0
    sunny: float = 0.7
    away: Range = (0.8, 3.4)
    looks: float = 0.0
    near: float = 0.18
    bright: float = 0.18
    bare: bool = False
    holds: str = "furniture"
    eyes: Range | None = None
    fields: Range = (45.0, 75.0)
    along: float = 0.0
    shaky: float = 0.0
    dim: float = 0.0
    glass: int = 0

    @property
    def set_name(self) -> str:
        """The set that its pictures belong to."""
        return f"computed-{self.name}"


ROOMS = Kind("rooms")
"""Living rooms, offices, bedrooms, seen by somebody who stands in them."""

HALLS = Kind(
    "halls", (4.5, 11.0), (5.0, 14.0), (2.4, 4.2), windows=4.0, pale=0.25, away=(1.8, 6.5), near=0.04, bright=0.12
)
"""Open-plan offices, laboratories, halls: what is far away in them is far from every wall, too."""

SEATS = Kind("seats", (2.8, 5.0), (3.0, 5.5), pale=0.75, seats=4, sunny=0.85, away=(1.1, 2.9), looks=0.85, bright=0.4)
"""White chairs before white walls in hard sunlight: shapes that only their shading tells from what is behind them."""

DESKS = Kind("desks", (2.6, 5.0), (2.8, 5.5), desks=3, away=(0.4, 1.3), looks=0.9, near=0.85, bright=0.12)
"""Desks and tables full of things, from as near as one works at them."""

RACKS = Kind(
    "racks", (5.5, 11.0), (8.0, 15.0), (3.6, 6.5), windows=4.0, pale=0.0, sunny=0.3, away=(0.7, 6.0), near=0.1,
    bare=True, holds="racks", eyes=(0.3, 0.6), fields=(40.0, 100.0), along=0.35, shaky=0.2, dim=0.2,
)  # fmt: skip
"""Aisles between pallet racks, seen from the height of a small robot."""

CORRIDORS = Kind(
    "corridors", (1.4, 2.8), (6.0, 15.0), (2.25, 3.0), windows=1.4, sunny=0.25, away=(0.8, 6.0), near=0.1,
    bare=True, holds="doors", eyes=(0.3, 1.6), fields=(40.0, 100.0), along=0.7, shaky=0.2, dim=0.2,
)  # fmt: skip
"""Corridors with doors on both sides, most of them seen along."""

STAIRS = Kind(
    "stairs", (3.2, 6.0), (5.0, 9.0), (4.4, 6.0), looks=0.85, away=(0.8, 5.0), near=0.1, holds="stairs",
    eyes=(0.3, 1.7), fields=(40.0, 100.0), shaky=0.2, dim=0.2,
)  # fmt: skip
"""A flight of stairs up to a gallery, from below and from above."""

KITCHENS = Kind(
    "kitchens", (2.2, 4.5), (2.6, 5.5), windows=1.8, away=(0.45, 1.6), looks=0.9, near=0.7, bright=0.12,
    holds="kitchen", eyes=(0.7, 1.6), fields=(40.0, 100.0), shaky=0.2, dim=0.2,
)  # fmt: skip
"""Fitted kitchens, from as near as an arm works there."""

GLASS = Kind(
    "glass", (2.6, 7.0), (3.0, 8.0), glass=4, looks=0.85, away=(0.6, 3.5), near=0.3, eyes=(0.25, 1.6),
    fields=(40.0, 100.0), shaky=0.2, dim=0.2,
)  # fmt: skip
"""Mirrors at walls and on wardrobes, and walls of glass, whose depth is that of the glass."""

FURNISHED = (ROOMS, HALLS, SEATS, DESKS)
"""Kinds of dwellings and offices, which the shipped weights were trained on, all but desks."""

KINDS = {kind.name: kind for kind in (*FURNISHED, RACKS, CORRIDORS, STAIRS, KITCHENS, GLASS)}
