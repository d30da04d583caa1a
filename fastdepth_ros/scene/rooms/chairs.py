"""Chairs and other seats, each centred on the origin of its frame, standing on z = 0 with its front towards -y.

Each function returns how much ground it takes: width and depth [m].
"""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.style import Style

Ground = tuple[float, float]


def dining_chair(at: Placement, style: Style) -> Ground:
    """Four legs, a seat, a back of slats, rungs or one board, some with arms."""
    frame = style.wood() if style.chance(0.7) else style.metal()
    seat = style.cloth() if style.chance(0.5) else frame
    w, d, h, top = (
        style.between(0.18, 0.23),
        style.between(0.19, 0.23),
        style.between(0.43, 0.48),
        style.between(0.78, 1.05),
    )
    thick, lean = style.between(0.011, 0.024), style.between(0.02, 0.12)
    for x in (-w, w):
        if style.chance(0.5) and thick > 0.016:
            at.box((x - thick, -d, 0), (x + thick, -d + 2 * thick, h), frame, skip="bottom top")
        else:
            at.bar((x, -d + thick, 0), (x * 0.95, -d + thick + 0.02, h), 0.7 * thick, frame, thick)
        at.bar((x, d + 0.04, 0), (x, d, h), thick, frame)
        at.pipe([(x, d, h), (x, d + lean, top)], thick, frame)
    if seat is frame:
        at.box((-w - 0.02, -d - 0.02, h - 0.02), (w + 0.02, d + 0.01, h + 0.015), seat)
    else:
        at.pad((-w - 0.03, -d - 0.03, h - 0.02), (w + 0.03, d + 0.01, h + 0.04), seat)
    back = at.at(0, d, h, tilt=math.degrees(math.atan2(lean, top - h)))
    length = math.hypot(lean, top - h)
    kind = style.rng.integers(3)
    if kind == 0:
        for level in np.linspace(0.35, 0.92, int(style.rng.integers(2, 5))) * length:
            back.box((-w, -0.01, level - 0.03), (w, 0.01, level + 0.03), frame)
    elif kind == 1:
        back.box((-w, -0.012, length - 0.07), (w, 0.012, length), frame)
        for x in np.linspace(-w, w, int(style.rng.integers(5, 8)))[1:-1]:
            back.bar((x, 0, 0), (x, 0, length - 0.07), 0.009, frame)
    else:
        back.pad((-w, -0.02, 0.3 * length), (w, 0.02, length), seat)
    if style.chance(0.25):
        for x in (-w - 0.02, w + 0.02):
            at.pipe([(x, -d + 0.03, h), (x, -d + 0.03, h + 0.2), (x, d, h + 0.22)], thick, frame)
    return 2 * w + 0.1, 2 * d + 0.2


def shell_chair(at: Placement, style: Style) -> Ground:
    """A moulded shell on four splayed legs."""
    shell, legs = style.lacquer(), style.wood() if style.chance(0.6) else style.metal()
    h, w = style.between(0.42, 0.46), style.between(0.42, 0.5)
    lean = style.between(0.08, 0.2)
    at.band(
        [(-0.24, h - 0.03), (-0.19, h), (0.1, h - 0.02), (0.19, h + 0.05), (0.22 + lean, h + 0.4)], w, 0.012, shell, 3
    )
    for side in (-1, 1):
        edge = [
            (side * w / 2, -0.15, h),
            (side * (w / 2 + 0.03), 0.1, h + 0.1),
            (side * w / 2, 0.2 + 0.7 * lean, h + 0.3),
        ]
        if style.chance(0.5):
            at.pipe(edge, 0.016, shell, 3)
        for front in (-1, 1):
            at.bar((side * 0.24, front * 0.23, 0), (side * 0.12, front * 0.12, h), 0.011, legs, 0.016)
    return 0.56, 0.62


def easy_chair(at: Placement, style: Style) -> Ground:
    """An easy chair between two bent frames, of tube or wood: on rockers, on a cantilever, or on legs."""
    frame = style.metal() if style.chance(0.5) else style.wood()
    cover = style.cloth() if style.chance(0.85) else frame
    w, h = style.between(0.25, 0.32), style.between(0.36, 0.46)
    radius, arm = style.between(0.011, 0.024), style.between(0.17, 0.26)
    lean, tall = style.between(18, 38), style.between(0.5, 0.85)
    drop = style.between(4, 14)
    reach = tall * math.sin(math.radians(lean))
    kind = style.rng.integers(3)
    for x in (-w - radius, w + radius):
        if kind == 0:  # runners, arms that bend down to them
            curve = [(x, -0.55, 0.09), (x, -0.3, 0.025), (x, 0.05, radius), (x, 0.4, 0.03), (x, 0.7, 0.14)]
            at.pipe(curve, radius, frame, 4)
            at.pipe(
                [(x, -0.3, 0.03), (x, -0.34, h + arm - 0.07), (x, -0.26, h + arm), (x, 0.3, h + arm - 0.02)],
                radius,
                frame,
                4,
            )
            at.pipe([(x, 0.3, 0.03), (x, 0.3, h + arm - 0.02)], radius, frame)
        elif kind == 1:  # one tube: ground, front, arm
            course = [
                (x, 0.36, radius),
                (x, -0.24, radius),
                (x, -0.33, 0.08),
                (x, -0.33, h + arm - 0.1),
                (x, -0.24, h + arm),
            ]
            at.pipe([*course, (x, 0.1, h + arm), (x, 0.34, h + arm - 0.04)], radius, frame, 4)
        else:  # splayed legs and a flat arm
            at.bar((x, -0.32, 0), (x, -0.24, h + arm), radius, frame)
            at.bar((x, 0.4, 0), (x, 0.26, h + arm), radius, frame)
            at.box((x - 0.03, -0.34, h + arm), (x + 0.03, 0.34, h + arm + 0.022), frame, skip="")
        at.pipe([(x, -0.32, h - 0.04), (x, 0.2, h - 0.1)], radius, frame)
    at.bar((-w, 0.25, h - 0.1), (w, 0.25, h - 0.1), radius, frame)
    at.bar((-w, -0.3, h - 0.05), (w, -0.3, h - 0.05), radius, frame)
    seat = at.at(0, -0.32, h - 0.04, tilt=drop)
    back = at.at(0, 0.2, h - 0.1, tilt=lean)
    thick = style.between(0.02, 0.14)
    if style.chance(0.7):
        seat.pad((-w, 0, 0), (w, 0.56, thick), cover)
        back.pad((-w, -thick, 0.03), (w, 0, tall), cover)
        if style.chance(0.5):
            back.pad((-w * 0.8, -thick - 0.05, tall - 0.22), (w * 0.8, -thick + 0.02, tall - 0.03), cover)
    else:  # slats
        for y in np.linspace(0, 0.5, 7):
            seat.box((-w, y, 0), (w, y + 0.05, 0.015), cover, skip="")
        for z in np.linspace(0.06, tall - 0.06, 8):
            back.box((-w, -0.015, z), (w, 0, z + 0.05), cover, skip="")
    for x in (-w, w):
        back.pipe([(x, 0, -0.05), (x, 0.02, tall)], radius, frame)
    return 2 * w + 0.15, 1.15 + 0.5 * reach


def bentwood_chair(at: Placement, style: Style) -> Ground:
    """A lounge chair of two bent wooden bands with a long cushion, swinging freely."""
    wood, cover = style.wood(), style.cloth()
    w, h = style.between(0.27, 0.33), style.between(0.36, 0.42)
    tall = style.between(0.9, 1.05)
    for x in (-w - 0.025, w + 0.025):
        side = at.at(x, 0)
        side.band(
            [(0.38, 0.032), (-0.2, 0.032), (-0.36, 0.08), (-0.38, 0.3), (-0.33, 0.52), (-0.22, 0.57), (0.28, 0.5)],
            0.05,
            0.025,
            wood,
            3,
        )
        side.band(
            [(-0.36, h), (-0.1, h - 0.05), (0.2, h - 0.08), (0.3, h), (0.36, h + 0.2), (0.52, tall)],
            0.045,
            0.022,
            wood,
            3,
        )
    thick = style.between(0.05, 0.12)
    at.at(0, -0.36, h + 0.02, tilt=9).pad((-w, 0, 0), (w, 0.6, thick), cover)
    back = at.at(0, 0.24, h - 0.04, tilt=20)
    for low, high in ((0.0, 0.32), (0.33, tall - h + 0.05)):
        back.pad((-w, -thick, low), (w, 0, high), cover)
    return 2 * w + 0.16, 1.0


def armchair(at: Placement, style: Style) -> Ground:
    """Upholstered, with arms to the ground or on legs; one to three seats wide."""
    return _upholstered(at, style, 1, style.between(0.5, 0.62))


def sofa(at: Placement, style: Style) -> Ground:
    """A sofa: two or three seats wide, with pillows."""
    seats = int(style.rng.integers(2, 4))
    return _upholstered(at, style, seats, style.between(0.55, 0.7))


def _upholstered(at: Placement, style: Style, seats: int, each: float) -> Ground:
    cloth, legs = style.cloth(), style.wood()
    arm, deep, h = style.between(0.08, 0.24), style.between(0.7, 0.95), style.between(0.36, 0.46)
    clear = float(style.rng.choice([0.02, 0.1, 0.16]))
    high, rest, inner = style.between(0.65, 1.0), style.between(0.52, 0.66), seats * each / 2
    outer, front, behind = inner + arm, -deep / 2, deep / 2
    for x in (-outer + 0.06, outer - 0.06):
        for y in (front + 0.06, behind - 0.06):
            at.bar((x, y, 0), (x, y, clear + 0.02), 0.018, legs, 0.025)
    at.box((-inner, front + 0.03, clear), (inner, behind - 0.05, h - 0.14), cloth, skip="")
    back = at.at(0, behind - 0.2, h - 0.14, tilt=style.between(4, 14))
    back.box((-outer + 0.01, 0, -0.1), (outer - 0.01, 0.14, high - h + 0.1), cloth)
    for side in (-1, 1):
        low, top = sorted((side * inner, side * outer))
        if style.chance(0.5):
            at.box((low, front, clear), (top, behind - 0.1, rest), cloth, skip="")
        else:
            at.box((low + 0.01, front + 0.01, clear), (top - 0.01, behind - 0.1, rest - arm / 2), cloth, skip="top")
            at.bar(
                (side * (inner + arm / 2), front, rest - arm / 2),
                (side * (inner + arm / 2), behind - 0.1, rest - arm / 2),
                arm / 2,
                cloth,
            )
            at.ball((side * (inner + arm / 2), front, rest - arm / 2), (arm / 2, 0.015, arm / 2), cloth)
    for index in range(seats):
        left = -inner + index * each
        at.pad((left + 0.005, front - 0.01, h - 0.15), (left + each - 0.005, behind - 0.2, h), cloth)
        back.pad(
            (left + 0.01, -0.15, 0.12), (left + each - 0.01, 0.01, high - h + 0.1 + style.between(-0.05, 0.06)), cloth
        )
    for _ in range(int(style.rng.integers(0, 2 + seats))):
        size = style.between(0.17, 0.25)
        pillow = at.at(
            style.between(-inner + 0.2, inner - 0.2), behind - 0.42, h + size * 0.8, style.between(-30, 30), 25
        )
        pillow.ball((0, 0, 0), (size, 0.09, size), style.cloth())
    return 2 * outer, deep + 0.06


def office_chair(at: Placement, style: Style) -> Ground:
    """A swivel chair on a star of five castors."""
    plastic = style.lacquer() if style.chance(0.4) else style.toned(style.metal(), 0.3)
    cover, h = style.cloth(), style.between(0.43, 0.54)
    turn = style.between(0, 72)
    for index in range(5):
        angle = math.radians(turn + 72 * index)
        x, y = 0.31 * math.cos(angle), 0.31 * math.sin(angle)
        at.bar((0, 0, 0.12), (x, y, 0.07), 0.026, plastic, 0.014)
        at.ball((x, y, 0.03), (0.03, 0.03, 0.03), style.toned(plastic, 0.4))
    at.bar((0, 0, 0.08), (0, 0, h - 0.06), 0.026, plastic)
    at.pad((-0.25, -0.25, h - 0.06), (0.25, 0.23, h + 0.03), cover)
    back = at.at(0, 0.24, h, tilt=style.between(4, 18))
    at.bar((0, 0.1, h - 0.05), (0, 0.29, h), 0.02, plastic)
    back.bar((0, 0.05, -0.02), (0, 0.04, 0.3), 0.02, plastic)
    tall = style.between(0.4, 0.72)
    back.pad((-0.22, -0.04, 0.12), (0.22, 0.04, tall), cover)
    if style.chance(0.7):
        for x in (-0.28, 0.28):
            at.pipe([(x * 0.8, 0, h - 0.03), (x, 0, h), (x, 0.02, h + 0.2)], 0.014, plastic)
            at.box((x - 0.03, -0.14, h + 0.2), (x + 0.03, 0.12, h + 0.23), plastic, skip="")
    return 0.68, 0.68


def stool(at: Placement, style: Style) -> Ground:
    """A stool, a bar stool or a pouf."""
    surface, kind = style.solid(), style.rng.integers(3)
    if kind == 0:
        size, h = style.between(0.2, 0.3), style.between(0.32, 0.45)
        at.bar((0, 0, 0), (0, 0, h - 0.04), size, style.cloth())
        at.ball((0, 0, h - 0.05), (size, size, 0.07), style.cloth())
        return 2 * size, 2 * size
    h = style.between(0.42, 0.48) if kind == 1 else style.between(0.62, 0.8)
    at.bar((0, 0, h - 0.035), (0, 0, h), 0.17, surface)
    at.ball((0, 0, h), (0.17, 0.17, 0.012), surface)
    for angle in np.radians([45, 135, 225, 315]):
        x, y = math.cos(angle), math.sin(angle)
        at.bar((0.2 * x, 0.2 * y, 0), (0.12 * x, 0.12 * y, h - 0.03), 0.013, surface, 0.016)
    ring = [(0.17 * math.cos(a), 0.17 * math.sin(a), 0.2) for a in np.linspace(0, 2 * math.pi, 9)]
    at.pipe(ring, 0.008, surface)
    return 0.42, 0.42


def bench(at: Placement, style: Style) -> Ground:
    """A bench, some with a cushion."""
    surface, w, d, h = style.solid(), style.between(0.8, 1.4), style.between(0.3, 0.4), style.between(0.4, 0.47)
    at.box((-w / 2, -d / 2, h - 0.04), (w / 2, d / 2, h), surface, skip="")
    for x in (-w / 2 + 0.08, w / 2 - 0.12):
        at.box((x, -d / 2 + 0.02, 0), (x + 0.04, d / 2 - 0.02, h - 0.04), surface, skip="bottom top")
    if style.chance(0.5):
        at.pad((-w / 2, -d / 2, h), (w / 2, d / 2, h + 0.06), style.cloth())
    return w, d


CHAIRS = (dining_chair, shell_chair, easy_chair, bentwood_chair, armchair, office_chair)
"""Seats that stand alone, in any place."""
