"""Checks of whatever stands in a computed room."""

import numpy as np

from fastdepth_ros.scene.rooms.model import Placement, Solids
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import TEXTURES


def check_that_it_stands_on_the_floor_and_keeps_to_its_ground(make):
    for seed in range(8):
        solids = Solids()
        w, d = make(Placement(solids), Style(np.random.default_rng(seed), pale=False))
        corners = [q[:3] + i * q[3:6] + j * q[6:9] for q in solids.quads for i in (0, 1) for j in (0, 1)]
        corners += [bar[k : k + 3] for bar in solids.bars for k in (0, 3)] + [ball[:3] for ball in solids.balls]
        low, high = np.min(corners, 0), np.max(corners, 0)
        assert -0.02 < low[2] < 0.13
        assert (high[:2] - low[:2] < np.array([w, d]) + 0.35).all()
        assert {surface.texture for kind in solids.surfaces for surface in kind} <= set(TEXTURES)
