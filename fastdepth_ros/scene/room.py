"""The furnished room: 4.8 m wide (x), 5.8 m long (y), 2.6 m high (z), with a window at its far end."""

from __future__ import annotations

from fastdepth_ros.scene import furniture as fu
from fastdepth_ros.scene import textures as tx
from fastdepth_ros.scene.builder import Builder, Scene

WIDTH, LENGTH, HEIGHT = 4.8, 5.8, 2.6

WINDOW_LEFT, WINDOW_RIGHT, WINDOW_SILL, WINDOW_TOP = 1.45, 3.35, 0.92, 2.22
"""The opening in the far wall [m]."""

PLASTER = tx.plain((0.66, 0.63, 0.56), 0.03)
SAGE = tx.plain((0.38, 0.45, 0.38), 0.04)


def build_room() -> Scene:
    """The room and all that is in it, the same at every call."""
    builder = Builder(Scene())
    _shell(builder)
    _window(builder)
    _far_end(builder)
    _left_side(builder)
    _right_side(builder)
    _middle(builder)
    return builder.scene


def _shell(at: Builder) -> None:
    """Floor, ceiling, the four walls and their skirting boards."""
    at.panel((0, 0, 0), (WIDTH, 0, 0), (0, LENGTH, 0), tx.planks((0.40, 0.235, 0.115), 34, 4), texel=0.005)
    at.panel((0, LENGTH, HEIGHT), (WIDTH, 0, 0), (0, -LENGTH, 0), tx.plain((0.80, 0.80, 0.78), 0.015), texel=0.02)
    at.panel((0, 0, 0), (0, LENGTH, 0), (0, 0, HEIGHT), PLASTER, texel=0.01)  # left
    paper = tx.stripes((0.55, 0.50, 0.42), (0.62, 0.58, 0.50), 44)
    at.panel((WIDTH, LENGTH, 0), (0, -LENGTH, 0), (0, 0, HEIGHT), paper, texel=0.01)  # right
    at.panel((WIDTH, 0, 0), (-WIDTH, 0, 0), (0, 0, HEIGHT), PLASTER, texel=0.02)  # behind the camera
    # The far wall, around its window.
    for left, right, low, high in (
        (0.0, WINDOW_LEFT, 0.0, HEIGHT),
        (WINDOW_RIGHT, WIDTH, 0.0, HEIGHT),
        (WINDOW_LEFT, WINDOW_RIGHT, 0.0, WINDOW_SILL),
        (WINDOW_LEFT, WINDOW_RIGHT, WINDOW_TOP, HEIGHT),
    ):
        at.panel((left, LENGTH, low), (right - left, 0, 0), (0, 0, high - low), SAGE, texel=0.01)
    board = tx.plain(fu.WHITE)
    at.box((0, LENGTH - 0.015, 0), (WIDTH, LENGTH, 0.09), board, skip="bottom back left right", shade=False)
    at.box((0, 0, 0), (0.015, LENGTH, 0.09), board, skip="bottom back left front", shade=False)
    at.box((WIDTH - 0.015, 0, 0), (WIDTH, LENGTH, 0.09), board, skip="bottom back right front", shade=False)


def _window(at: Builder) -> None:
    """Reveal, frame, mullions, sill, curtains and what is seen outside."""
    left, right, low, high = WINDOW_LEFT, WINDOW_RIGHT, WINDOW_SILL, WINDOW_TOP
    deep, white = 0.12, tx.plain(fu.WHITE)
    at.panel((left, LENGTH, low), (0, deep, 0), (0, 0, high - low), white)
    at.panel((right, LENGTH + deep, low), (0, -deep, 0), (0, 0, high - low), white)
    at.panel((left, LENGTH, low), (right - left, 0, 0), (0, deep, 0), white)
    at.panel((left, LENGTH + deep, high), (right - left, 0, 0), (0, -deep, 0), white)
    at.panel((left, LENGTH + deep, low), (right - left, 0, 0), (0, 0, high - low), tx.garden, texel=0.005, glow=1.5)
    bar, face, middle = 0.05, LENGTH + deep - 0.04, (left + right) / 2
    for x0, x1, z0, z1 in (
        (left, left + bar, low, high),
        (right - bar, right, low, high),
        (middle - bar / 2, middle + bar / 2, low + bar, high - bar),
        (left + bar, right - bar, low, low + bar),
        (left + bar, right - bar, high - bar, high),
        (left + bar, right - bar, 1.78, 1.815),
    ):
        at.box((x0, face, z0), (x1, LENGTH + deep, z1), white, skip="back", shade=False)
    at.box((left - 0.08, LENGTH - 0.16, low - 0.035), (right + 0.08, LENGTH, low), white, skip="back")
    rail = LENGTH - 0.10
    at.box((left - 0.55, rail - 0.015, 2.36), (right + 0.55, rail + 0.015, 2.39), tx.wood(fu.WALNUT), skip="")
    for x in (left - 0.5, right - 0.02):
        fu.curtain(at.at(x, rail, 0.04), 0.52, 2.32, 5, (0.46, 0.30, 0.20))


def _far_end(at: Builder) -> None:
    """Radiator, armchair and plant under and beside the window."""
    metal = tx.plain(fu.WHITE)
    at.box((1.75, LENGTH - 0.13, 0.14), (3.05, LENGTH - 0.03, 0.74), {"front": tx.fins(fu.WHITE, 26), "rest": metal})
    fu.sofa(at.at(0.95, 4.55, 0, 38), 0.95, (0.50, 0.30, 0.07), ((0.62, 0.58, 0.48),))
    fu.plant(at.at(4.28, 5.25), 1.75, 5)
    pot = at.at(1.85, LENGTH - 0.08, WINDOW_SILL)
    pot.tube((0, 0, 0), 0.05, 0.065, 0.11, tx.plain((0.16, 0.22, 0.34)))
    pot.cushion((0, 0, 0.17), (0.10, 0.07, 0.09), tx.cloth(fu.GREEN, 0.5))


def _left_side(at: Builder) -> None:
    """Bookshelf, sideboard with a television, pictures and a clock, from the window to the camera."""
    wall = at.at(0, 0, 0, 90)  # its x runs along +y, its y into the wall
    fu.bookshelf(wall.at(3.35, -0.33), 1.25, 2.05, 6, 3)
    board = wall.at(1.75, -0.45)
    fu.sideboard(board, 1.6, 0.55, 4)
    board.box(
        (-0.52, 0.24, 0.64), (0.52, 0.275, 1.24), {"front": tx.screen, "rest": tx.plain((0.02, 0.02, 0.02))}, skip=""
    )
    board.box((-0.16, 0.18, 0.58), (0.16, 0.34, 0.60), tx.plain((0.03, 0.03, 0.03)))
    board.box((-0.03, 0.25, 0.60), (0.03, 0.27, 0.66), tx.plain((0.03, 0.03, 0.03)), skip="top bottom")
    fu.vase(board.at(0.68, 0.22, 0.58), (0.45, 0.15, 0.10), 4)
    fu.books_flat(board.at(-0.66, 0.2, 0.58), 2)
    dunes = tx.landscape((0.75, 0.50, 0.32), ((0.45, 0.22, 0.12), (0.26, 0.12, 0.10), (0.12, 0.07, 0.08)))
    fu.picture(wall.at(4.75, 0, 1.62), 0.75, 0.55, dunes, fu.WALNUT)
    wall.box((2.05, -0.04, 1.72), (2.37, 0, 2.04), {"front": tx.dial, "rest": tx.plain((0.1, 0.08, 0.07))}, skip="back")


def _right_side(at: Builder) -> None:
    """Sofa under pictures, floor lamp, door, and a dining table near the camera."""
    wall = at.at(WIDTH, LENGTH, 0, -90)  # its x runs along -y, its y into the wall
    fu.sofa(wall.at(2.15, -0.93), 2.1, (0.13, 0.20, 0.30), ((0.62, 0.32, 0.08), (0.60, 0.57, 0.50), (0.42, 0.10, 0.09)))
    sea = tx.landscape((0.40, 0.58, 0.78), ((0.14, 0.32, 0.42), (0.10, 0.24, 0.30), (0.55, 0.47, 0.32)))
    hills = tx.landscape((0.62, 0.70, 0.72), ((0.22, 0.34, 0.30), (0.16, 0.28, 0.14), (0.30, 0.36, 0.10)))
    fu.picture(wall.at(1.65, 0, 1.62), 0.85, 0.62, sea, fu.WHITE)
    fu.picture(wall.at(2.65, 0, 1.62), 0.62, 0.62, hills, (0.05, 0.04, 0.04))
    fu.floor_lamp(wall.at(0.92, -0.32), 1.62)
    door = tx.panels((0.60, 0.58, 0.53), (1.25, 1), 2)
    wall.box((3.72, -0.02, 0), (4.56, 0, 2.04), door, skip="back bottom", shade=False)
    for left, right, high in ((3.64, 3.72, 2.12), (4.56, 4.64, 2.12)):
        wall.box((left, -0.03, 0), (right, 0, high), tx.plain(fu.WHITE), skip="back bottom", shade=False)
    wall.box((3.72, -0.03, 2.04), (4.56, 0, 2.12), tx.plain(fu.WHITE), skip="back", shade=False)
    wall.box((3.79, -0.07, 1.0), (3.91, -0.045, 1.02), tx.plain(fu.STEEL), skip="", shade=False)


def _middle(at: Builder) -> None:
    """Rug, coffee table, dining table with chairs, and the lamp over them."""
    carpet = at.at(2.55, 3.75, 0, 4)
    pattern = tx.rug((0.36, 0.07, 0.06), (0.07, 0.10, 0.20), (0.62, 0.50, 0.30))
    edge = tx.cloth((0.3, 0.07, 0.06))
    carpet.box((-0.85, -1.15, 0), (0.85, 1.15, 0.012), {"top": pattern, "rest": edge}, shade=False, texel=0.005)
    coffee = at.at(2.6, 3.75, 0.012, 96)
    fu.table(coffee, 1.1, 0.6, 0.40, tx.wood(fu.WALNUT))
    coffee.box((-0.42, -0.22, 0.12), (0.42, 0.22, 0.14), tx.wood(fu.WALNUT), skip="")
    fu.bowl_of_fruit(coffee.at(0.22, 0.05, 0.40))
    fu.books_flat(coffee.at(-0.28, -0.06, 0.40, 15), 5)
    fu.mug(coffee.at(-0.02, 0.17, 0.40), (0.60, 0.58, 0.55))
    dining = at.at(3.45, 1.75, 0, -6)
    fu.table(dining, 1.05, 0.8, 0.74, tx.wood(fu.OAK))
    fu.chair(dining.at(0.05, 0.58, 0, 8), tx.wood(fu.OAK), tx.cloth((0.45, 0.42, 0.36)))
    fu.chair(dining.at(-0.68, 0.05, 0, 97), tx.wood(fu.OAK), tx.cloth((0.45, 0.42, 0.36)))
    fu.vase(dining.at(0.22, 0.08, 0.74), (0.08, 0.22, 0.34), 9)
    fu.mug(dining.at(-0.25, -0.12, 0.74), (0.50, 0.12, 0.08))
    fu.books_flat(dining.at(0.1, -0.2, 0.74, 30), 7)
    fu.pendant(at.at(2.55, 3.6, HEIGHT), 0.55)
