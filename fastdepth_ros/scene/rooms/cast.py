"""First solid that every ray of a view meets, and how deep.

A rectangle's inverse depth and its surface coordinates over depth are affine in the pixel's slopes (perspective-correct
interpolation, J. Blinn 1992), so that a rectangle costs a few additions and comparisons per pixel of its bounding box.
Bars and ellipsoids are quadratic equations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene.rooms.model import Array, Solids
from fastdepth_ros.scene.shapes import Pose

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NEAR = 0.03
"""Nothing nearer than this is seen [m]."""

NOTHING = -1


@dataclass(frozen=True)
class PinholeView:
    """A pinhole camera at a pose.

    Attributes:
        pose: where it is.
        x, y: slopes of its columns (w,) and rows (h,).
    """

    pose: Pose
    x: Array
    y: Array

    def place(self, points: Array) -> tuple[Array, Array, Array]:
        """Column and row (whole at pixel centres) and depth z of world points (..., 3), for even slopes."""
        cam = (points - self.pose.position) @ self.pose.axes.T
        z = np.asarray(np.where(np.abs(cam[..., 2]) < 1e-6, 1e-6, cam[..., 2]), np.float64)
        column: Array = (cam[..., 0] / z - self.x[0]) / (self.x[1] - self.x[0])
        row: Array = (cam[..., 1] / z - self.y[0]) / (self.y[1] - self.y[0])
        return column, row, cam[..., 2]


class Body:
    """Solids as arrays: quads first, then bars, then balls, numbered through.

    Attributes:
        quads: (n, 10), bars: (n, 8), balls: (n, 12), see `Solids`.
        surfaces: what each is made of.
        shade: (quads + bars + balls,) whether each keeps light away: not the room's shell, and nothing that glows or is
            clear.
        glass: (quads + bars + balls,) rectangles that are mirrors or panes.
    """

    def __init__(self, solids: Solids) -> None:
        self.quads = np.array(solids.quads, np.float64).reshape(-1, 10)
        self.bars = np.array(solids.bars, np.float64).reshape(-1, 8)
        self.balls = np.array(solids.balls, np.float64).reshape(-1, 12)
        self.surfaces = [surface for kind in solids.surfaces for surface in kind]
        shell = np.zeros(len(self.surfaces), np.bool_)
        shell[: len(self.quads)] = solids.shell
        dark = [surface.glow == 0 and surface.clear == 0 for surface in self.surfaces]
        self.shade = ~shell & np.array(dark, np.bool_)
        self.glass = np.array([surface.mirror > 0 or surface.clear > 0 for surface in self.surfaces], np.bool_)
        self.glass[len(self.quads) :] = False
        self.first_bar = len(self.quads)
        self.first_ball = self.first_bar + len(self.bars)
        self.count = self.first_ball + len(self.balls)


def cast(body: Body, view: PinholeView, chosen: Mask | None = None) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Inverse depth 1/z (h, w), 0 where nothing is, and the number of the solid that is seen, or `NOTHING`.

    Args:
        body: what is there.
        view: rows and columns of rays.
        chosen: (count,) which solids to cast; default all.
    """
    shape = (len(view.y), len(view.x))
    inverse, number = np.zeros(shape, np.float32), np.full(shape, NOTHING, np.int32)
    wanted = np.ones(body.count, np.bool_) if chosen is None else chosen
    _cast_quads(body, view, wanted[: body.first_bar], inverse, number)
    _cast_bars(body, view, wanted[body.first_bar : body.first_ball], inverse, number)
    _cast_balls(body, view, wanted[body.first_ball :], inverse, number)
    return inverse, number


def _cast_quads(body: Body, view: PinholeView, wanted: Mask, inverse: Floats, number: npt.NDArray[np.int32]) -> None:
    axes, origin = view.pose.axes, view.pose.position
    corner = (body.quads[:, :3] - origin) @ axes.T
    u, v = body.quads[:, 3:6] @ axes.T, body.quads[:, 6:9] @ axes.T
    normal = np.cross(u, v)
    reach = (normal * corner).sum(1)
    faces = (reach < 0) | (body.quads[:, 9] > 0)
    scale = np.sqrt((normal * normal).sum(1))
    rows = np.flatnonzero(wanted & faces & (np.abs(reach) > 1e-7 * scale))
    corner, u, v, normal, reach = corner[rows], u[rows], v[rows], normal[rows], reach[rows]
    boxes = _polygon_boxes(np.stack([corner, corner + u, corner + u + v, corner + v], 1), view)
    square = (scale[rows] ** 2)[:, None]
    w = normal / reach[:, None]
    dual_u, dual_v = np.cross(v, normal) / square, np.cross(normal, u) / square
    s = dual_u - (dual_u * corner).sum(1, keepdims=True) * w
    t = dual_v - (dual_v * corner).sum(1, keepdims=True) * w
    terms = np.stack([w, s, t], 1).astype(np.float32)
    xs, ys = view.x.astype(np.float32)[None, :], view.y.astype(np.float32)[:, None]
    for index in np.argsort(-boxes[:, 4], kind="stable"):
        left, right, top, bottom = (int(edge) for edge in boxes[index, :4])
        if left >= right or top >= bottom:
            continue
        part = (slice(top, bottom), slice(left, right))
        x, y, best = xs[:, left:right], ys[top:bottom], inverse[part]
        (w0, w1, w2), (s0, s1, s2), (t0, t1, t2) = terms[index]
        deep = w0 * x + (w1 * y + w2)
        seen = deep > best
        if not seen.any():
            continue
        along = s0 * x + (s1 * y + s2)
        seen &= along >= 0
        seen &= along <= deep
        along = t0 * x + (t1 * y + t2)
        seen &= along >= 0
        seen &= along <= deep
        np.copyto(best, deep, where=seen)
        np.copyto(number[part], rows[index], where=seen)


def _cast_bars(body: Body, view: PinholeView, wanted: Mask, inverse: Floats, number: npt.NDArray[np.int32]) -> None:
    """Solve |q|^2 - (q a)^2 = (r0 + slope q a)^2 for q = z ray - base, with the unit axis a."""
    axes, origin = view.pose.axes, view.pose.position
    base, end = (body.bars[:, :3] - origin) @ axes.T, (body.bars[:, 3:6] - origin) @ axes.T
    radius = body.bars[:, 6:8].max(1)
    corners = np.stack([point + side for point in (base, end) for side in _cube(radius)], 1)
    boxes = _hull_boxes(corners, view)
    for row in np.flatnonzero(wanted & (boxes[:, 0] < boxes[:, 1]) & (boxes[:, 2] < boxes[:, 3])):
        part, x, y = _rays(boxes[row], view)
        length = math.sqrt(float(((end[row] - base[row]) ** 2).sum()))
        axis, start = (end[row] - base[row]) / length, base[row]
        first, last = body.bars[row, 6:8]
        slope = (last - first) / length
        level = float(axis @ start)
        foot = first - slope * level
        ahead = x * axis[0] + (y * axis[1] + axis[2])
        quadratic = (x * x + 1) + y * y - (1 + slope * slope) * ahead * ahead
        linear = (x * start[0] + (y * start[1] + start[2])) - (level - foot * slope) * ahead
        constant = float(start @ start) - level * level - foot * foot
        root = linear * linear - quadratic * constant
        hit = root >= 0
        if not hit.any():
            continue
        z = (linear - np.sqrt(np.where(hit, root, 0))) / np.where(np.abs(quadratic) < 1e-12, 1e-12, quadratic)
        height = z * ahead - level
        hit &= (z > NEAR) & (height >= 0) & (height <= length)
        _keep(part, hit, z, body.first_bar + int(row), inverse, number)


def _cast_balls(body: Body, view: PinholeView, wanted: Mask, inverse: Floats, number: npt.NDArray[np.int32]) -> None:
    """Solve |q| = 1 in the frame in which the ellipsoid is the unit ball."""
    axes, origin = view.pose.axes, view.pose.position
    centre = (body.balls[:, :3] - origin) @ axes.T
    half = body.balls[:, 3:].reshape(-1, 3, 3) @ axes.T
    signs = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float64)
    boxes = _hull_boxes(centre[:, None, :] + np.einsum("ij,njk->nik", signs, half), view)
    unit = half / (half * half).sum(2, keepdims=True)
    for row in np.flatnonzero(wanted & (boxes[:, 0] < boxes[:, 1]) & (boxes[:, 2] < boxes[:, 3])):
        part, x, y = _rays(boxes[row], view)
        start = unit[row] @ centre[row]
        ray = [x * a + (y * b + c) for a, b, c in unit[row]]
        quadratic = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
        linear = ray[0] * start[0] + ray[1] * start[1] + ray[2] * start[2]
        root = linear * linear - quadratic * (float(start @ start) - 1)
        hit = root >= 0
        z = (linear - np.sqrt(np.where(hit, root, 0))) / quadratic
        hit &= z > NEAR
        _keep(part, hit, z, body.first_ball + int(row), inverse, number)


def _keep(
    part: tuple[slice, slice], hit: Mask, z: Array, own: int, inverse: Floats, number: npt.NDArray[np.int32]
) -> None:
    with np.errstate(divide="ignore"):
        near = np.where(hit, 1 / z, 0).astype(np.float32)
    seen = near > inverse[part]
    np.copyto(inverse[part], near, where=seen)
    np.copyto(number[part], own, where=seen)


def _rays(box: Array, view: PinholeView) -> tuple[tuple[slice, slice], Array, Array]:
    left, right, top, bottom = (int(edge) for edge in box[:4])
    return (slice(top, bottom), slice(left, right)), view.x[None, left:right], view.y[top:bottom, None]


def _cube(radius: Array) -> list[Array]:
    return [np.stack([i * radius, j * radius, k * radius], 1) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]


def _polygon_boxes(points: Array, view: PinholeView) -> Array:
    """Boxes (n, 5) around polygons (n, 4, 3), clipped at the near plane: left, right, top, bottom, greatest 1/z."""
    after = np.roll(points, -1, 1)
    z, z_after = points[..., 2], after[..., 2]
    crosses = (z > NEAR) != (z_after > NEAR)
    share = (NEAR - z) / np.where(np.abs(z_after - z) < 1e-12, 1e-12, z_after - z)
    cuts = points + np.where(crosses, share, 0)[..., None] * (after - points)
    both = np.concatenate([points, cuts], 1)
    return _boxes(both, np.concatenate([z > NEAR, crosses], 1), view)


def _hull_boxes(corners: Array, view: PinholeView) -> Array:
    """Boxes around convex hulls; where one reaches behind the camera, the whole picture."""
    valid = corners[..., 2] > NEAR
    boxes = _boxes(corners, valid, view)
    cut = valid.any(1) & ~valid.all(1)
    boxes[cut, :4] = (0, len(view.x), 0, len(view.y))
    return boxes


def _boxes(points: Array, valid: Mask, view: PinholeView) -> Array:
    z = np.where(valid, np.maximum(points[..., 2], NEAR), 1)
    boxes = np.zeros((len(points), 5))
    for axis, slopes in ((0, view.x), (1, view.y)):
        place = (points[..., axis] / z - slopes[0]) / (slopes[1] - slopes[0])
        low, high = np.where(valid, place, np.inf).min(1), np.where(valid, place, -np.inf).max(1)
        boxes[:, 2 * axis] = np.clip(np.floor(low), 0, len(slopes))
        boxes[:, 2 * axis + 1] = np.clip(np.ceil(high) + 1, 0, len(slopes))
    boxes[:, 4] = np.where(valid, 1 / z, 0).max(1)
    return boxes
