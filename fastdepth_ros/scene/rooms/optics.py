"""Light that comes off mirrors and through panes: what a second ray meets, from the mirrored camera or straight on.

A plane mirror shows what a camera behind it would see that is the first one's image, so that a mirror costs a second
cast over the rows and columns that it takes, and no more. Other glass is left out of it: there is no third ray.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene.rooms.cast import Body, Floats, Mask, PinholeView, cast
from fastdepth_ros.scene.rooms.model import Array, dots
from fastdepth_ros.scene.shapes import Pose

Numbers = npt.NDArray[np.int64]
Shade = Callable[[Pose, Numbers, Floats, Array, Array], Floats]
"""Light (n, 3) that solids send to a pose: the pose, solids, 1/z there, slopes x and y."""

BEFORE = 1e-3
"""Solids that do not come out this far before a mirror are not seen in it [m]."""


def with_glass(
    body: Body, view: PinholeView, rays: tuple[Numbers, Numbers], own: Numbers, light: Floats, shade: Shade
) -> Floats:
    """Light (n, 3) of rays where those that meet glass have what is seen in it and behind it.

    Reflected is the surface's share, and more at a slant (C. Schlick 1994); of the rest, its share comes through.

    Args:
        body: what is there.
        view: the camera's.
        rays: rows and columns (n,) of the rays in the view.
        own: (n,) the solid that each meets first.
        light: (n, 3) what these send themselves.
        shade: what solids send.
    """
    found = light.copy()
    for pane in np.unique(own[(own >= 0) & body.glass[own]]):
        met = np.flatnonzero(own == pane)
        rows, columns = rays[0][met], rays[1][met]
        corner, normal = _plane(body, int(pane), view.pose)
        slopes = np.stack([view.x[columns], view.y[rows], np.ones(len(met))], 1) @ view.pose.axes
        facing = np.abs(slopes @ normal) / np.sqrt(dots(slopes, slopes))
        surface = body.surfaces[pane]
        share = np.float32(surface.mirror) + np.float32(1 - surface.mirror) * (1 - facing).astype(np.float32) ** 5
        rest = light[met] * np.float32(1 - surface.clear)
        if surface.clear:
            rest += np.float32(surface.clear) * _second(body, view, (rows, columns), ~body.glass, shade)
        image = PinholeView(mirrored(view.pose, corner, normal), -view.x, view.y)
        chosen = ~body.glass & _before(body, corner, normal)
        seen = _second(body, image, (rows, columns), chosen, shade)
        found[met] = share[:, None] * seen + (1 - share)[:, None] * rest
    return found


def mirrored(pose: Pose, corner: Array, normal: Array) -> Pose:
    """The pose's image in a plane, whose columns run the other way so that it turns as a camera does.

    Args:
        pose: the camera's.
        corner, normal: a point (3,) of the plane and its unit normal (3,).
    """
    position = pose.position - 2 * ((pose.position - corner) @ normal) * normal
    axes = pose.axes - 2 * np.outer(pose.axes @ normal, normal)
    return Pose(position, axes * np.array([[-1.0], [1.0], [1.0]]))


def _plane(body: Body, pane: int, pose: Pose) -> tuple[Array, Array]:
    """A corner of a rectangle, and its unit normal on the camera's side."""
    quad = body.quads[pane]
    normal = np.cross(quad[3:6], quad[6:9])
    normal /= np.sqrt(normal @ normal)
    return quad[:3], normal if (pose.position - quad[:3]) @ normal > 0 else -normal


def _before(body: Body, corner: Array, normal: Array) -> Mask:
    """Whether each solid reaches out before a plane (count,)."""
    quads = (body.quads[:, :3] - corner) @ normal
    quads += np.maximum(body.quads[:, 3:6] @ normal, 0) + np.maximum(body.quads[:, 6:9] @ normal, 0)
    ends = [(body.bars[:, first : first + 3] - corner) @ normal for first in (0, 3)]
    bars = np.maximum(*ends) + body.bars[:, 6:8].max(1, initial=0)
    half = body.balls[:, 3:].reshape(-1, 3, 3) @ normal
    balls = (body.balls[:, :3] - corner) @ normal + np.sqrt((half * half).sum(1))
    return np.asarray(np.concatenate([quads, bars, balls]) > BEFORE)


def _second(body: Body, view: PinholeView, rays: tuple[Numbers, Numbers], chosen: Mask, shade: Shade) -> Floats:
    """Light (n, 3) of what rays of a view meet among the chosen solids."""
    parts = []
    for numbers, count in zip(rays, (len(view.y), len(view.x)), strict=True):
        first = min(int(numbers.min()), count - 2)  # two at least, for a view's slopes are told by their step
        parts.append(slice(first, max(int(numbers.max()) + 1, first + 2)))
    part = PinholeView(view.pose, view.x[parts[1]], view.y[parts[0]])
    inverse, number = cast(body, part, chosen)
    place = rays[0] - parts[0].start, rays[1] - parts[1].start
    return shade(view.pose, number[place].astype(np.int64), inverse[place], view.x[rays[1]], view.y[rays[0]])
