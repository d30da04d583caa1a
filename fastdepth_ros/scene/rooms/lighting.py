"""Lights of a random room: by day with or without sun, or in the evening."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms import light
from fastdepth_ros.scene.rooms.cast import Body, Floats
from fastdepth_ros.scene.rooms.light import Dim, Everywhere, Glow, Light, Soft
from fastdepth_ros.scene.rooms.model import Array
from fastdepth_ros.scene.rooms.shell import Shell
from fastdepth_ros.scene.rooms.style import Style


def light_room(style: Style, shell: Shell, middles: list[Array], body: Body, sunny_share: float) -> list[Light]:
    """Sun, windows, lamps, and light from everywhere.

    Args:
        style: where chance comes from.
        shell: the room with its windows.
        middles: of the furniture (3,) [m], on which the sun likes to fall.
        body: all solids.
        sunny_share: of the rooms, into which the sun shines.
    """
    middle = np.array(shell.size) / 2
    kind = style.rng.random()
    sunny, night = kind < sunny_share, kind > 0.9
    lights: list[Light] = []
    day = 0.04 if night else style.between(0.5, 2.2)
    cool = np.exp(style.rng.normal(0, 0.06))
    sky = np.array([1 / cool, 1.0, cool], np.float32)
    for opening in shell.openings[:2]:
        lights += _window_lights(body, shell.edges(opening), np.float32(day) * sky)
    if sunny and not night:
        lights += _sunshine(style, shell, middles, body)
    lamps = _lamps(body, shell.size[2])
    lights += lamps
    everywhere = style.between(0.12, 0.5) * (0.25 if night and lamps else 1.0)
    tint = np.array(shell.wall) ** 0.5
    tint /= tint.mean()
    radius = 0.5 * math.sqrt(sum(edge * edge for edge in shell.size))
    count, spin = 7, style.between(0, 2 * math.pi)
    sides: list[Soft] = []
    for index in range(count):
        rise = 0.12 + 0.85 * (index + 0.5) / count
        ring, angle = math.sqrt(1 - rise * rise), 2.4 * index + spin
        towards = np.array([ring * math.cos(angle), ring * math.sin(angle), rise])
        share = (2.0 / count * everywhere * tint).astype(np.float32)
        sides.append(light.distant(body, towards, middle, radius, share, blur=1.6))
    floor = np.array(shell.floor)
    below = (everywhere * (0.25 + 0.9 * floor)).astype(np.float32)
    return [*lights, Everywhere(sides, Dim((0.2 * everywhere * tint).astype(np.float32), below), shell.size)]


def _window_lights(body: Body, edges: Array, colour: Floats) -> list[Light]:
    corner, u, v = edges
    inwards = np.cross(u, v)
    inwards /= math.sqrt(float(inwards @ inwards))
    area = math.sqrt(float(u @ u) * float(v @ v))
    found: list[Light] = []
    shares = ((0.25, 0.3), (0.75, 0.3), (0.5, 0.75))
    for s, t in shares:
        position = corner + s * u + t * v + 0.02 * inwards
        each = np.asarray(colour * np.float32(area / len(shares)), np.float32)
        found.append(light.point(body, position, position + inwards, 3.2, each, 1.4, flat=True))
    return found


def _sunshine(style: Style, shell: Shell, middles: list[Array], body: Body) -> list[Light]:
    """The sun through a window onto furniture or the ground, and what the bright patch sends back."""
    edges = shell.edges(shell.openings[0])
    corner, u, v = edges
    inwards = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
    for _ in range(12):
        x, y = (style.between(0.1, 0.9) * edge for edge in shell.size[:2])
        target = np.array([x, y, style.between(0, 0.8)])
        if middles and style.chance(0.75):
            target = middles[int(style.rng.integers(len(middles)))]
        way = corner + style.between(0.2, 0.8) * u + style.between(0.3, 0.9) * v - target
        towards = way / math.sqrt(float(way @ way))
        if towards @ inwards < -0.2 and 0.1 < towards[2] < 0.85:
            break
    else:
        return []
    strength = style.between(3, 16)
    colour = np.array([1.08, 1.0, 0.88 - 0.3 * max(0.0, 0.4 - towards[2])], np.float32) * np.float32(strength)
    shine = light.sun(body, edges, towards, colour)
    area = math.sqrt(float(u @ u) * float(v @ v)) * abs(float(towards @ inwards))
    way_on = target - towards * (target[2] / towards[2])  # down to the ground
    patch = np.array(
        [*(min(max(0.3, float(p)), edge - 0.3) for p, edge in zip(way_on, shell.size[:2], strict=False)), 0.05]
    )
    back = (np.array(shell.floor) * strength * area * 0.16 * np.array([1.1, 1.0, 0.9])).astype(np.float32)
    return [shine, Glow(patch, np.array([0, 0, 1.0]), back)]


def _lamps(body: Body, height: float) -> list[Light]:
    """The first three things that glow and are not the world outside or a monitor."""
    found: list[Light] = []
    for index, surface in enumerate(body.surfaces):
        if surface.glow == 0 or surface.beyond or surface.texture == "desktop" or len(found) == 3:
            continue
        if body.first_bar <= index < body.first_ball:
            bar = body.bars[index - body.first_bar]
            centre = (bar[:3] + bar[3:6]) / 2
        elif index >= body.first_ball:
            centre = body.balls[index - body.first_ball, :3]
            if centre[2] < 0.8 * height - 0.5:
                continue  # the top of a table lamp's shade
        else:
            continue
        colour = np.array(surface.colour, np.float32) * np.float32(0.35 * surface.glow)
        found.append(light.point(body, centre, centre - np.array([0, 0, 1.0]), 3.2, colour, 1.2))
    return found
