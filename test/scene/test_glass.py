"""Mirrors and panes of computed rooms: what is seen in them, what comes through, and their own depth."""

import numpy as np
import pytest
from furniture import check_that_it_stands_on_the_floor_and_keeps_to_its_ground

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.scene.rooms.cameras import random_camera
from fastdepth_ros.scene.rooms.cast import Body, PinholeView, cast
from fastdepth_ros.scene.rooms.glazing import SILVER, mirror_wardrobe, pane
from fastdepth_ros.scene.rooms.kinds import GLASS, KINDS
from fastdepth_ros.scene.rooms.light import Dim, Everywhere
from fastdepth_ros.scene.rooms.model import Placement, Solids
from fastdepth_ros.scene.rooms.optics import mirrored
from fastdepth_ros.scene.rooms.render import Scene, render
from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.rooms.writer import make_room
from fastdepth_ros.scene.shapes import Pose

CAMERA = Intrinsics(80, 60, 70.0, 70.0, 39.5, 29.5)
POSE = Pose(np.array([0, 0, 1.2]), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
"""Level, at the origin: x to the right, z up, y ahead."""

RED = Surface((1.0, 0.0, 0.0), glow=4.0)
PANE = Surface((0.5, 0.5, 0.5), mirror=0.08, clear=0.9)
DIM = Everywhere([], Dim(np.full(3, 0.1, np.float32), np.full(3, 0.1, np.float32)), (50.0, 50.0, 50.0))


def scene_of(solids):
    return Scene(Body(solids), [DIM])


def a_wall_of(surface, solids, y=3.0):
    Placement(solids).quad((-20, y, -20), (40, 0, 0), (0, 0, 40), surface)
    return solids


def red(light):
    return light[..., 0] > light[..., 1] + 1


def middle_of_the_red(light):
    rows, columns = np.nonzero(red(light))
    return columns.mean(), rows.mean(), len(rows)


def test_a_mirror_shows_what_is_behind_the_camera_where_its_image_stands_and_is_as_deep_as_itself():
    solids = a_wall_of(SILVER, Solids())
    Placement(solids).ball((0.6, -1.0, 1.6), (0.2, 0.2, 0.2), RED)
    light, depth = render(scene_of(solids), CAMERA, POSE)
    column, row, count = middle_of_the_red(light)
    # The image stands 4 m behind the mirror, 7 m from the camera.
    assert column == pytest.approx(39.5 + 70 * 0.6 / 7, abs=0.3)
    assert row == pytest.approx(29.5 - 70 * 0.4 / 7, abs=0.3)
    assert count == pytest.approx(np.pi * (70 * 0.2 / 7) ** 2, rel=0.35)
    assert light[..., 0].max() == pytest.approx(0.88 * 4, rel=0.03)
    assert np.abs(depth - 3).max() < 1e-4


def test_nothing_behind_a_mirror_is_seen_in_it():
    solids = a_wall_of(SILVER, Solids())
    Placement(solids).ball((0.6, 4.0, 1.6), (0.2, 0.2, 0.2), RED)
    assert not red(render(scene_of(solids), CAMERA, POSE)[0]).any()


def test_a_pane_lets_what_is_behind_it_be_seen_and_shows_a_little_of_what_is_before_it():
    solids = a_wall_of(PANE, Solids())
    Placement(solids).ball((0.0, 6.0, 1.2), (0.5, 0.5, 0.5), RED)
    light, depth = render(scene_of(solids), CAMERA, POSE)
    column, row, _ = middle_of_the_red(light)
    assert (column, row) == (pytest.approx(39.5, abs=0.3), pytest.approx(29.5, abs=0.3))
    assert light[30, 40, 0] == pytest.approx(0.92 * 0.9 * 4, rel=0.03)
    assert np.abs(depth - 3).max() < 1e-4

    before = a_wall_of(PANE, Solids())
    Placement(before).ball((0.0, -3.0, 1.2), (2.0, 0.2, 2.0), RED)
    assert render(scene_of(before), CAMERA, POSE)[0][30, 40, 0] == pytest.approx(0.08 * 4, abs=0.03)


def test_a_mirror_that_stands_askew_shows_what_a_camera_at_its_image_would_see():
    solids = Solids()
    Placement(solids).at(0.3, 2.5, 0.2, 35).quad((-1, 0, 0), (2, 0, 0), (0, 0, 2), SILVER)
    at = Placement(solids)
    for number, x in enumerate(np.linspace(1.5, 4.5, 7)):
        at.ball((x, 2.6 - 0.36 * x, 0.7 + 0.15 * number), (0.15, 0.1, 0.2), RED)
    light, _ = render(scene_of(solids), CAMERA, POSE)
    quad = Body(solids).quads[0]
    normal = np.cross(quad[3:6], quad[6:9])
    image = mirrored(POSE, quad[:3], normal / np.linalg.norm(normal))
    assert np.linalg.det(image.axes) == pytest.approx(1)
    x, y = (np.asarray(slopes.ravel(), np.float64) for slopes in CAMERA.slopes())
    body = Body(solids)
    _, number = cast(body, PinholeView(image, -x, y), np.arange(body.count) > 0)
    _, first = cast(body, PinholeView(POSE, x, y))
    wanted = (number > 0) & (first == 0)
    assert wanted.sum() > 20
    assert ((light[..., 0] > 1) == wanted)[first == 0].mean() > 0.98


def test_light_comes_through_a_pane_and_not_through_a_mirror():
    solids = a_wall_of(PANE, a_wall_of(SILVER, Solids(), 2.0))
    assert Body(solids).shade.tolist() == [True, False]


@pytest.mark.parametrize("make", [pane, mirror_wardrobe], ids=lambda make: make.__name__)
def test_what_is_made_of_glass_stands_on_the_floor_and_keeps_to_its_ground(make):
    check_that_it_stands_on_the_floor_and_keeps_to_its_ground(make)


def test_glass_stands_in_its_own_kind_alone():
    assert [name for name, kind in KINDS.items() if kind.glass] == ["glass"]


@pytest.mark.slow
def test_pictures_of_glass_show_some_and_depth_is_known_there():
    shares = []
    for index in range(2):
        room = make_room(5, index, GLASS)
        body = room.scene.body
        for number in range(3):
            rng = np.random.default_rng([5, index, 1 + number])
            camera, pose = random_camera(rng, room, GLASS)
            x, y = (np.asarray(slopes.ravel(), np.float64) for slopes in camera.slopes())
            seen = body.glass[cast(body, PinholeView(pose, x, y))[1]]
            _, depth = render(room.scene, camera, pose)
            assert (depth[seen] > 0).mean() > 0.99
            shares.append(seen.mean())
    assert sum(share > 0.05 for share in shares) >= 3
