"""The light that a camera in a random room receives, and exact depth.

Every pixel is four rays. A surface that they meet is shaded once per pixel and solid, so that edges are smooth for the
price of little more than one ray.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.scene.rooms.cast import NOTHING, Body, Floats, PinholeView, cast
from fastdepth_ros.scene.rooms.light import Light, Lit, Soft, total
from fastdepth_ros.scene.rooms.model import Array, dots
from fastdepth_ros.scene.rooms.optics import Numbers, with_glass
from fastdepth_ros.scene.rooms.surfaces import INDEX, look_up
from fastdepth_ros.scene.shapes import Pose

SAME = 0.01
"""Four rays that meet several solids, but whose depths differ by less than this share, might as well meet one."""


@dataclass(frozen=True)
class Scene:
    """Everything that can be photographed.

    Attributes:
        body: the solids.
        lights: all lights.
    """

    body: Body
    lights: list[Light]


@dataclass(frozen=True)
class _Points:
    """Surface points: where, normals, tile coordinates, each (n, ...), the normals towards the camera."""

    points: Array
    normals: Array
    s: Array
    t: Array


def render(scene: Scene, camera: Intrinsics, pose: Pose) -> tuple[Floats, Floats]:
    """Linear light (h, w, 3), 1 for white paper in good light, and depth z (h, w) [m], 0 where it is not known.

    The depth of a pixel is that at its centre where its four rays meet one surface (1/z is affine there, so the mean of
    the four is exact), else the second nearest of the four: a surface that covers about half of it. A mirror or a pane
    is as deep as it stands there, whatever is seen in it or behind it.
    """
    x = (np.arange(2 * camera.width) / 2 - 0.25 - camera.cx) / camera.fx
    y = (np.arange(2 * camera.height) / 2 - 0.25 - camera.cy) / camera.fy
    view = PinholeView(pose, x, y)
    inverse, number = cast(scene.body, view)
    # The four rays of every pixel, side by side: (h, w, 4).
    own, deep = _fours(number), _fours(inverse)
    shades = np.where(own == own[..., :1], 0, np.arange(4))
    shades[..., 3] = np.where(own[..., 3] == own[..., 1], shades[..., 1], shades[..., 3])
    wanted = shades == np.arange(4)
    rows, columns, rays = np.nonzero(wanted)
    place = np.zeros(own.shape, np.int64)
    place[rows, columns, rays] = np.arange(len(rows))
    down, across, met = 2 * rows + rays // 2, 2 * columns + rays % 2, own[wanted].astype(np.int64)
    shade = partial(_shade, scene, camera.fx)
    light = shade(pose, met, deep[wanted], x[across], y[down])
    if scene.body.glass.any():
        light = with_glass(scene.body, view, (down, across), met, light, shade)
    # A bright pixel stays bright where an edge crosses it, but no brighter than a sensor's well holds.
    received = np.minimum(light, 6)[np.take_along_axis(place, shades, 2)].mean(2)
    return np.asarray(received, np.float32), _depth(scene, own, deep)


def _fours(grid: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width = grid.shape
    return grid.reshape(height // 2, 2, width // 2, 2).transpose(0, 2, 1, 3).reshape(height // 2, width // 2, 4)


def _depth(scene: Scene, own: npt.NDArray[Any], deep: npt.NDArray[Any]) -> Floats:
    known = np.array([not surface.beyond for surface in scene.body.surfaces] + [False], np.bool_)
    ordered = np.sort(np.where(known[own], deep, 0), axis=2)
    near, far = ordered[..., 3], ordered[..., 0]
    one = (own == own[..., :1]).all(2) | (far > near * (1 - SAME))
    best = np.where(one, ordered.mean(2), ordered[..., 2])
    with np.errstate(divide="ignore"):
        return np.where(best > 0, 1 / best, 0).astype(np.float32)


def _shade(scene: Scene, focal: float, pose: Pose, own: Numbers, deep: Floats, x: Array, y: Array) -> Floats:
    """Light (n, 3) that leaves the solids ``own`` towards the camera along rays of slopes x and y."""
    body = scene.body
    met = np.flatnonzero(own != NOTHING)
    z = 1 / deep[met].astype(np.float64)
    rays = np.stack([x[met], y[met], np.ones(len(met))], 1) @ pose.axes
    points = pose.position + z[:, None] * rays
    found = _surface_points(body, own[met], points)
    towards = -rays / np.sqrt(dots(rays, rays))[:, None]
    facing = dots(found.normals, towards)
    normals = np.where(facing[:, None] < 0, -found.normals, found.normals)
    colour = np.array([surface.colour for surface in body.surfaces], np.float32)[own[met]]
    scale = np.array([surface.scale for surface in body.surfaces])[own[met]]
    texture = np.array([INDEX[surface.texture] for surface in body.surfaces])[own[met]]
    glow = np.array([surface.glow for surface in body.surfaces], np.float32)[own[met]]
    gloss = np.array([surface.gloss for surface in body.surfaces], np.float32)[own[met]]
    tile = np.where(scale > 0, scale, 1)
    step = np.where(scale > 0, z / focal / tile, z / focal) / np.sqrt(np.maximum(np.abs(facing), 0.1))
    # Every metric texture begins somewhere else on every solid.
    shift = np.where(scale > 0, own[met] * 0.618, 0)
    s, t = ((value / tile + shift).astype(np.float32) for value in (found.s, found.t))
    albedo = colour * look_up(texture, s, t, step.astype(np.float32))
    light = np.empty((len(own), 3), np.float32)
    light[own == NOTHING] = 0.02
    lit = Lit(points, normals)
    received = total(scene.lights, lit)
    shine = np.flatnonzero(gloss > 0)
    sent = np.minimum(albedo, 0.92) * received
    if len(shine):
        sent[shine] += _mirrored(scene, Lit(points[shine], normals[shine]), towards[shine], gloss[shine])
    light[met] = np.where(glow[:, None] > 0, albedo * glow[:, None], sent)
    return light


def _mirrored(scene: Scene, lit: Lit, towards: Array, gloss: Floats) -> Floats:
    """The window's blurred image on glossy surfaces; Fresnel's share by C. Schlick (1994)."""
    facing = np.maximum(dots(lit.normals, towards), 0)
    ray = 2 * facing[:, None] * lit.normals - towards
    share = (gloss * (0.04 + 0.96 * (1 - facing) ** 5)).astype(np.float32)
    light = np.zeros((len(share), 3), np.float32)
    for source in scene.lights:
        if isinstance(source, Soft) and source.near:
            way = source.view.pose.position - lit.points
            square = dots(way, way)
            cosine = dots(way, ray) / np.sqrt(square)
            lobe = np.where(cosine > 0, cosine, 0) ** (30 + 160 * gloss)
            light += (5 * share * lobe * np.minimum(1, 2 / np.sqrt(square))).astype(np.float32)[:, None] * source.colour
    return light


def _surface_points(body: Body, own: Numbers, points: Array) -> _Points:
    """Normals and tile coordinates [m, or 0..1 where the texture is stretched] of points on solids."""
    normals, s, t = np.empty_like(points), np.empty(len(points)), np.empty(len(points))
    stretched = np.array([surface.scale == 0 for surface in body.surfaces])
    grained = np.array([surface.texture.startswith("wood") for surface in body.surfaces])

    chosen = np.flatnonzero(own < body.first_bar)
    quad = body.quads[own[chosen]]
    u, v = quad[:, 3:6], quad[:, 6:9]
    normal = np.cross(u, v)
    length_u, length_v = (np.sqrt(dots(edge, edge)) for edge in (u, v))
    offset = points[chosen] - quad[:, :3]
    square = dots(normal, normal)
    along = dots(np.cross(v, normal), offset) / square
    across = dots(np.cross(normal, u), offset) / square
    whole = stretched[own[chosen]]
    normals[chosen] = normal / np.sqrt(square)[:, None]
    along, across = np.where(whole, along, along * length_u), np.where(whole, across, across * length_v)
    upright = grained[own[chosen]] & (length_v > length_u)  # the grain of wood runs along a board
    s[chosen], t[chosen] = np.where(upright, across, along), np.where(upright, along, across)

    chosen = np.flatnonzero((own >= body.first_bar) & (own < body.first_ball))
    bar = body.bars[own[chosen] - body.first_bar]
    axis = bar[:, 3:6] - bar[:, :3]
    length = np.sqrt(dots(axis, axis))
    axis /= length[:, None]
    offset = points[chosen] - bar[:, :3]
    level = dots(offset, axis)
    out = offset - level[:, None] * axis
    radius = np.sqrt(dots(out, out))[:, None]
    slope = (bar[:, 7] - bar[:, 6]) / length
    raw = out / np.maximum(radius, 1e-9) - slope[:, None] * axis
    normals[chosen] = raw / np.sqrt(dots(raw, raw))[:, None]
    side = np.cross(axis, np.where(np.abs(axis[:, 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)))
    side /= np.sqrt(dots(side, side))[:, None]
    angle = np.arctan2(dots(np.cross(axis, side), out), dots(side, out))
    around, upright = angle * np.maximum(bar[:, 6], bar[:, 7]), grained[own[chosen]]
    s[chosen], t[chosen] = np.where(upright, level, around), np.where(upright, around, level)

    chosen = np.flatnonzero(own >= body.first_ball)
    ball = body.balls[own[chosen] - body.first_ball]
    half = ball[:, 3:].reshape(-1, 3, 3)
    offset = points[chosen] - ball[:, :3]
    unit = half / (half * half).sum(2, keepdims=True)
    local = np.einsum("nij,nj->ni", unit, offset)
    raw = np.einsum("nij,ni->nj", unit, local)
    normals[chosen] = raw / np.sqrt(dots(raw, raw))[:, None]
    sizes = np.sqrt((half * half).sum(2))
    s[chosen], t[chosen] = local[:, 0] * sizes[:, 0], (local[:, 2] + local[:, 1]) * np.maximum(sizes[:, 1], sizes[:, 2])
    return _Points(points, normals, s, t)
