"""Pallet racks with aisles between them: uprights, beams, pallets and what lies on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.plan import Placed, Plan
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

BEAM = 0.1
"""Height of a beam [m]."""

DECK = 0.144
"""Height of a pallet [m], EN 13698-1."""

CARDBOARD = (0.42, 0.28, 0.16)
PINE = (0.46, 0.33, 0.19)


@dataclass(frozen=True)
class _Look:
    """Sizes and paints that all racks of a warehouse share [m].

    ``levels`` are the heights of beams' upper edges.
    """

    bay: float
    deep: float
    levels: tuple[float, ...]
    top: float
    posts: Surface
    beams: Surface


def furnish(plan: Plan) -> None:
    """Racks in rows along the room, pallets and cartons in the aisles, lamps above."""
    style, (w, d, h) = plan.style, plan.shell.size
    look = _look(style, h)
    x, aisles = style.between(0.15, 0.9), []
    while x + look.deep < w - 0.15:
        _row(plan, look, x)
        x += look.deep
        if style.chance(0.5) and x + 0.1 + look.deep < w - 0.15:
            _row(plan, look, x + 0.1)  # back to back
            x += 0.1 + look.deep
        aisle = style.between(1.5, 3.2)
        aisles.append((x, min(x + aisle, w)))
        x += aisle
    for left, right in aisles:
        _mark(plan, left, right)
    _gate(plan)
    for _ in range(int(style.rng.integers(3, 9))):
        plan.try_anywhere(FLOOR[int(style.rng.integers(len(FLOOR)))], gap=0.1)
    tube = Surface((0.95, 1.0, 1.0), glow=style.between(1.5, 4))
    for left, right in aisles[:2] or [(0.0, w)]:
        for y in (0.3 * d, 0.7 * d):
            Placement(plan.shell.solids).bar(
                ((left + right) / 2, y - 0.7, h - 0.25), ((left + right) / 2, y + 0.7, h - 0.25), 0.035, tube
            )


def _gate(plan: Plan) -> None:
    """A large door at one end, of slats."""
    style = plan.style
    frame, length = plan.shell.walls[2 * int(style.rng.integers(2))]
    paint, x = style.lacquer(), style.between(1.6, length - 1.6)
    at = Placement(plan.shell.solids, frame.axes, frame.origin)
    slats = style.stretched("fins", paint.colour)
    at.box((x - 1.4, -0.03, 0), (x + 1.4, 0, style.between(2.6, 3.2)), paint, slats, skip="back")


def _look(style: Style, height: float) -> _Look:
    first, step, top = style.between(1.1, 1.7), style.between(0.9, 1.6), height - style.between(0.3, 0.8)
    levels = tuple(float(level) for level in np.arange(first, top - 0.3, step))
    posts = ((0.05, 0.12, 0.35), (0.10, 0.22, 0.14), (0.30, 0.31, 0.32), (0.62, 0.62, 0.60))
    beams = ((0.80, 0.20, 0.03), (0.85, 0.55, 0.05), (0.70, 0.07, 0.04), (0.55, 0.55, 0.54))
    return _Look(
        bay=style.between(1.8, 2.8),
        deep=style.between(0.85, 1.15),
        levels=levels,
        top=min(top, levels[-1] + style.between(0.2, 1.0)),
        posts=Surface(posts[int(style.rng.integers(len(posts)))], gloss=0.3),
        beams=Surface(beams[int(style.rng.integers(len(beams)))], gloss=0.3),
    )


def _row(plan: Plan, look: _Look, left: float) -> None:
    """A row of bays from one end of the room to the other, but for a way past both ends."""
    style, length = plan.style, plan.shell.size[1]
    start, end = (style.between(0.2, 1.8) for _ in range(2))
    bays = int((length - start - end) / look.bay)
    at = Placement(plan.shell.solids).at(left + look.deep / 2, start, 0, 90)  # x along the row
    for number in range(bays + 1):
        _frame(at.at(number * look.bay, 0), look)
    for number in range(bays):
        _bay(at.at((number + 0.5) * look.bay, 0), style, look)
    back = start + bays * look.bay
    plan.placed.append(Placed(left, left + look.deep, start, back, look.top, True))


def _frame(at: Placement, look: _Look) -> None:
    """Two posts and the braces between them."""
    y = look.deep / 2
    for side in (-y, y - 0.07):
        at.box((-0.045, side, 0), (0.045, side + 0.07, look.top), look.posts)
    zs = [float(z) for z in np.arange(0.15, look.top - 0.3, 0.9)]
    for number, z in enumerate(zs):
        ends = (-y + 0.05, y - 0.05) if number % 2 else (y - 0.05, -y + 0.05)
        at.bar((0, ends[0], z), (0, ends[1], min(z + 0.9, look.top)), 0.014, look.posts)


def _bay(at: Placement, style: Style, look: _Look) -> None:
    """Beams, and on each level up to three loads."""
    half, y = look.bay / 2 - 0.05, look.deep / 2
    for level in look.levels:
        for side in (-y + 0.01, y - 0.06):
            at.box((-half, side, level - BEAM), (half, side + 0.05, level), look.beams, skip="left right")
    boards = style.chance(0.25)
    tops = (*look.levels, look.levels[-1] + 1.0)
    for index, low in enumerate((0.0, *look.levels)):
        free = tops[index] - low - (BEAM if index < len(look.levels) else 0.0) - 0.08
        if index and boards:
            at.box((-half, -y, low), (half, y, low + 0.02), Surface(PINE, "boards", 1.5), skip="left right")
        places = 2 if look.bay < 2.3 or style.chance(0.4) else 3
        for place in range(places):
            x = -half + (place + 0.5) * 2 * half / places
            wide = min(2 * half / places - 0.08, 1.2)
            _load(at.at(x, style.between(-0.05, 0.05), low), style, (wide, min(look.deep + 0.1, 1.2), free), index < 2)


def _load(at: Placement, style: Style, most: tuple[float, float, float], near: bool) -> None:
    """A pallet with something on it, at most so wide, deep and high; some places stay empty.

    ``near`` is seen from near: a pallet shows its boards.
    """
    if style.chance(0.14):
        return
    wide, deep, high = most
    if style.chance(0.85):
        _pallet(at, wide, deep, near)
        at, high = at.at(0, 0, DECK), high - DECK
    tall = high * style.between(0.35, 1.0)
    kind = style.rng.random()
    if kind < 0.12 or tall < 0.1:
        return
    if kind < 0.62:
        _cartons(at, style, (0.95 * wide, 0.95 * deep, tall), near)
    elif kind < 0.82:  # wrapped in film
        film = Surface(
            style.white() if style.chance(0.6) else style.colour(0.5), "plain", gloss=style.between(0.3, 0.9)
        )
        at.box((-0.46 * wide, -0.46 * deep, 0), (0.46 * wide, 0.46 * deep, tall), film, skip="bottom")
    elif kind < 0.93:
        _drums(at, style, wide, deep, min(tall, 0.9))
    else:
        _crates(at, style, wide, deep, tall)


def _pallet(at: Placement, w: float, d: float, near: bool) -> None:
    """A pallet of boards on three runners, w along x; from afar its deck is one board."""
    pine, x, y = Surface(PINE, "wood", 0.7), w / 2, d / 2
    for left in (-x, -0.05, x - 0.1):
        at.box((left, -y, 0), (left + 0.1, y, DECK - 0.022), pine, skip="top bottom")
    count = 5 if near else 1
    board = w / count
    for number in range(count):
        left = -x + number * board
        gap = 0.25 * board if near and number < count - 1 else 0.0
        at.box((left, -y, DECK - 0.022), (left + board - gap, y, DECK), pine, skip="")


def _cartons(at: Placement, style: Style, most: tuple[float, float, float], near: bool = True) -> None:
    """Cartons in layers, the uppermost not always full; few large ones where nobody is near."""
    wide, deep, high = most
    paper = Surface(CARDBOARD if style.chance(0.75) else style.white(), "rough", 0.5)
    across, back = int(style.rng.integers(1, 4 if near else 3)), int(style.rng.integers(1, 3)) if near else 1
    layers = max(1, min(3 if near else 2, round(high / style.between(0.25, 0.5))))
    x, y, z = wide / across, deep / back, high / layers
    for layer in range(layers):
        for i in range(across):
            for j in range(back):
                if layer and layer == layers - 1 and style.chance(0.25):
                    continue
                left, front = -wide / 2 + i * x + style.between(0, 0.02), -deep / 2 + j * y + style.between(0, 0.02)
                own = style.toned(paper, style.between(0.85, 1.15))
                at.box(
                    (left, front, layer * z), (left + x - 0.02, front + y - 0.02, (layer + 1) * z), own, skip="bottom"
                )


def _drums(at: Placement, style: Style, wide: float, deep: float, tall: float) -> None:
    """Four drums."""
    paint, r = style.lacquer(), min(wide, deep) / 4 - 0.01
    for x in (-wide / 4, wide / 4):
        for y in (-deep / 4, deep / 4):
            at.bar((x, y, 0), (x, y, tall), r, paint)
            at.ball((x, y, tall), (r, r, 0.01), paint)
            at.bar((x, y, 0.5 * tall - 0.02), (x, y, 0.5 * tall + 0.02), r + 0.01, paint)


def _crates(at: Placement, style: Style, wide: float, deep: float, tall: float) -> None:
    """Two piles of plastic crates, whose rims show."""
    paint, each = style.lacquer(), 0.28
    for x in (-wide / 4, wide / 4):
        for number in range(max(1, min(4, int(tall / each * style.between(0.5, 1.0))))):
            z, half, back = number * each, 0.21 * wide, 0.44 * deep
            at.box((x - half, -back, z), (x + half, back, z + each - 0.05), paint, skip="top bottom")
            at.box((x - half - 0.02, -back - 0.02, z + each - 0.05), (x + half + 0.02, back + 0.02, z + each), paint)


def loaded_pallet(at: Placement, style: Style) -> Ground:
    """A pallet on the floor."""
    w, d = (1.2, 0.8) if style.chance(0.5) else (0.8, 1.2)
    _pallet(at, w, d, True)
    high = style.between(0.3, 1.5)
    if style.chance(0.75):
        _cartons(at.at(0, 0, DECK), style, (0.95 * w, 0.95 * d, high))
    return w, d


def pallets(at: Placement, style: Style) -> Ground:
    """Empty pallets on each other."""
    for number in range(int(style.rng.integers(1, 7))):
        _pallet(at.at(style.between(-0.03, 0.03), style.between(-0.03, 0.03), number * DECK), 1.2, 0.8, True)
    return 1.26, 0.86


def pallet_truck(at: Placement, style: Style) -> Ground:
    """A hand pallet truck: two forks, and a handle that leans."""
    paint, black = (
        Surface(((0.8, 0.35, 0.03), (0.75, 0.06, 0.04))[int(style.rng.integers(2))]),
        Surface((0.03, 0.03, 0.03)),
    )
    for x in (-0.19, 0.19):
        at.box((x - 0.08, -0.75, 0.05), (x + 0.08, 0.4, 0.1), paint, skip="")
        at.bar((x - 0.05, -0.65, 0.04), (x + 0.05, -0.65, 0.04), 0.04, black)
    at.box((-0.2, 0.4, 0.08), (0.2, 0.55, 0.45), paint, skip="")
    at.bar((-0.06, 0.5, 0.09), (0.06, 0.5, 0.09), 0.09, black)
    lean = style.between(0.05, 0.6)
    at.pipe([(0, 0.5, 0.4), (0, 0.5 + lean, 1.2)], 0.02, paint)
    at.pipe([(-0.18, 0.5 + lean, 1.22), (0.18, 0.5 + lean, 1.22)], 0.022, black)
    return 0.55, 2.0


def carton(at: Placement, style: Style) -> Ground:
    """A carton that somebody left there."""
    w, d, h = style.between(0.25, 0.6), style.between(0.2, 0.5), style.between(0.15, 0.5)
    _cartons(at, style, (w, d, h))
    return w, d


def post(at: Placement, style: Style) -> Ground:
    """A yellow post that protects a corner."""
    at.bar((0, 0, 0), (0, 0, style.between(0.4, 1.1)), style.between(0.04, 0.09), Surface((0.85, 0.6, 0.03)))
    return 0.2, 0.2


FLOOR = (loaded_pallet, loaded_pallet, pallets, pallet_truck, carton, carton, post)
"""Things that stand in aisles."""


def _mark(plan: Plan, left: float, right: float) -> None:
    """Lines on the floor at both sides of an aisle."""
    if not plan.style.chance(0.6):
        return
    yellow, length = Surface((0.8, 0.6, 0.05), "rough", 0.7), plan.shell.size[1]
    at = Placement(plan.shell.solids, shell=True)
    for x in (left + 0.1, right - 0.18):
        if 0.05 < x < plan.shell.size[0] - 0.1:
            at.quad((x, 0.05, 0.003), (0.08, 0, 0), (0, length - 0.1, 0), yellow)
