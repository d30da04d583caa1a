"""Warehouses, corridors, stairs and kitchens: what stands in them, and from where cameras see it."""

import itertools

import numpy as np
import pytest
from furniture import check_that_it_stands_on_the_floor_and_keeps_to_its_ground

from fastdepth_ros.scene.rooms import kitchen, stairs, warehouse
from fastdepth_ros.scene.rooms.cameras import PITCH, random_camera
from fastdepth_ros.scene.rooms.kinds import CORRIDORS, FURNISHED, KINDS, KITCHENS, RACKS, STAIRS
from fastdepth_ros.scene.rooms.photo import Photo, develop, random_photo, rolled
from fastdepth_ros.scene.rooms.plan import Plan
from fastdepth_ros.scene.rooms.render import render
from fastdepth_ros.scene.rooms.shell import build_shell
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.writer import make_room

SEED = 5


def plan_of(kind, seed):
    style = Style(np.random.default_rng(seed), pale=False)
    return Plan(build_shell(style, kind), style)


def fields_of_view(kind, room, count=4):
    return [random_camera(np.random.default_rng([SEED, number]), room, kind) for number in range(count)]


@pytest.mark.parametrize("make", sorted(set(warehouse.FLOOR), key=lambda m: m.__name__), ids=lambda m: m.__name__)
def test_what_stands_in_aisles_stands_on_the_floor_and_keeps_to_its_ground(make):
    check_that_it_stands_on_the_floor_and_keeps_to_its_ground(make)


@pytest.mark.parametrize("seed", range(4))
def test_racks_leave_aisles_and_nothing_leaves_its_bay(seed):
    plan = plan_of(RACKS, seed)
    width, length, height = plan.shell.size
    shell = len(plan.shell.solids.quads)
    warehouse.furnish(plan)
    rows = [piece for piece in plan.placed if piece.back - piece.front > 2.5]
    assert rows
    assert all(row.left >= 0 and row.right <= width and row.front >= 0 and row.back <= length for row in rows)
    assert not any(one.overlaps(other, 0.05) for one in rows for other in rows if one is not other)
    between = [right.left - left.right for left, right in itertools.pairwise(rows)]
    assert all(gap == pytest.approx(0.1) or gap >= 1.5 for gap in between)  # back to back, or an aisle
    quads = np.array(plan.shell.solids.quads[shell:])
    tops = quads[:, 2] + np.maximum(quads[:, 5], 0) + np.maximum(quads[:, 8], 0)
    assert tops.max() < height


@pytest.mark.parametrize("seed", range(4))
def test_stairs_climb_by_one_rise_a_step_up_to_the_gallery(seed):
    plan = plan_of(STAIRS, seed)
    before = len(plan.shell.solids.quads)
    stairs.furnish(plan)
    flight = next(piece for piece in plan.placed if piece.wanted)
    (gallery,) = plan.upstairs
    quads = np.array(plan.shell.solids.quads[before:])
    # Upper faces of treads: level, as wide as the flight, below the gallery's own floor.
    level = (quads[:, 5] == 0) & (quads[:, 8] == 0) & (np.cross(quads[:, 3:6], quads[:, 6:9])[:, 2] > 0)
    wide = np.isclose(np.abs(quads[:, 3]) + np.abs(quads[:, 6]), flight.right - flight.left)
    heights = np.unique(np.round(quads[level & wide, 2], 6))
    heights = heights[heights <= flight.top + 1e-6]
    rises = np.diff(np.concatenate([[0.0], heights]))
    assert len(heights) >= 6
    assert np.allclose(rises, rises[0], atol=1e-5)
    assert 0.15 < rises[0] < 0.2
    assert heights[-1] == pytest.approx(gallery.top, abs=1e-5)
    assert gallery.top + stairs.HEAD <= plan.shell.size[2] + 1e-9
    assert flight.back == pytest.approx(gallery.front)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [RACKS, CORRIDORS, STAIRS, KITCHENS], ids=lambda kind: kind.name)
def test_cameras_are_where_the_kind_says_and_see_something(kind):
    for index in range(2):
        room = make_room(SEED, index, kind)
        for camera, pose in fields_of_view(kind, room):
            x, y, z = pose.position
            under = [
                place.top for place in room.upstairs if place.left < x < place.right and place.front < y < place.back
            ]
            eye = z - max([top for top in under if top < z], default=0.0)
            assert kind.eyes[0] - 1e-9 <= eye <= kind.eyes[1] + 1e-9
            assert 0 < x < room.size[0]
            assert 0 < y < room.size[1]
            assert PITCH[0] - 1e-6 <= np.degrees(np.arcsin(pose.axes[2, 2])) <= PITCH[1] + 1e-6
            width = np.degrees(2 * np.arctan(camera.width / 2 / camera.fx))
            assert kind.fields[0] - 1e-6 <= width <= kind.fields[1] + 1e-6
            _, depth = render(room.scene, camera, pose)
            assert (depth > 0).mean() > 0.5


@pytest.mark.slow
def test_some_cameras_look_down_the_stairs_and_some_look_up():
    room = make_room(SEED, 0, STAIRS)
    poses = [pose for _, pose in fields_of_view(STAIRS, room, 8)]
    above = [pose for pose in poses if pose.position[2] > room.upstairs[0].top]
    assert 0 < len(above) < len(poses)
    assert np.mean([pose.axes[2, 2] for pose in above]) < 0  # forward points down


@pytest.mark.slow
def test_corridors_are_narrow_and_most_pictures_look_along_them():
    far = []
    for index in range(3):
        room = make_room(SEED, index, CORRIDORS)
        assert room.size[0] < 2.9
        for camera, pose in fields_of_view(CORRIDORS, room, 3):
            _, depth = render(room.scene, camera, pose)
            far.append(float(depth.max()) > 1.3 * room.size[0])
    assert np.mean(far) > 0.6


def test_motion_blurs_along_its_own_way_and_keeps_the_light():
    light = np.zeros((60, 80, 3), np.float32)
    light[10:50, 38:42] = 1.0  # an upright bar
    camera, _ = random_camera(np.random.default_rng(0), make_room(SEED, 0, CORRIDORS), CORRIDORS)
    photo = random_photo(np.random.default_rng(1), CORRIDORS)

    def columns(motion):
        settings = {**vars(photo), "motion": motion, "noise": 0.0, "veil": 0.0, "quality": 0, "vignette": 0.0}
        settings |= {"key": 0.01, "stops": 0.0, "contrast": 1.0, "blur": 0.35}
        own = camera.__class__(80, 60, camera.fx, camera.fy, 39.5, 29.5)
        picture = develop(light, own, Photo(**settings)).astype(float)
        return int((picture[30, :, 0] > 5).sum()), int((picture[:, 40, 0] > 5).sum())

    still, across, down = columns((0.0, 0.0)), columns((9.0, 0.0)), columns((0.0, 9.0))
    assert across[0] >= still[0] + 6
    assert across[1] == pytest.approx(still[1], abs=2)
    assert down[1] >= still[1] + 6
    assert down[0] == pytest.approx(still[0], abs=2)


def test_a_rolling_shutter_shears_the_picture_and_its_depth_alike():
    light, depth = np.zeros((60, 80, 3), np.float32), np.full((60, 80), 4.0, np.float32)
    light[:, 38:42], depth[:, 38:42] = 1.0, 2.0  # an upright bar before a wall
    seen, deep = rolled(light, depth, 12.0)
    for row in range(60):
        middle = np.flatnonzero(deep[row] == 2.0).mean()
        assert middle == pytest.approx(39.5 + 12 * ((row + 0.5) / 60 - 0.5), abs=1.0)
        assert (seen[row, :, 0] * np.arange(80)).sum() / seen[row, :, 0].sum() == pytest.approx(middle, abs=1.0)
    assert set(np.unique(deep)) == {0.0, 2.0, 4.0}  # no depth between two, and none from beside the picture
    assert rolled(light, depth, 0.0)[1] is depth


@pytest.mark.parametrize("seed", range(4))
def test_kitchens_have_cupboards_that_keep_to_their_wall(seed):
    plan = plan_of(KITCHENS, seed)
    before = len(plan.shell.solids.quads)
    kitchen.furnish(plan)
    width, length, height = plan.shell.size
    rows = [piece for piece in plan.placed if piece.wanted]
    assert len(rows) >= 2
    quads = np.array(plan.shell.solids.quads[before:])
    corners = np.concatenate([quads[:, :3] + i * quads[:, 3:6] + j * quads[:, 6:9] for i in (0, 1) for j in (0, 1)])
    assert (corners > -0.02).all()
    assert (corners < np.array([width, length, height]) + 0.02).all()
    assert not any(
        one.overlaps(other, -0.15) for index, one in enumerate(rows) for other in rows[index + 1 :]
    )  # fronts of two rows that meet in a corner leave each other's way


def test_only_robots_pictures_are_shaken_and_kinds_that_were_there_stay_as_they_were():
    assert {kind.name for kind in FURNISHED} == {"rooms", "halls", "seats", "desks"}
    assert all(not kind.shaky and not kind.dim and not kind.along and kind.eyes is None for kind in FURNISHED)
    moved = {
        name: sum(random_photo(np.random.default_rng(seed), kind).motion != (0.0, 0.0) for seed in range(60))
        for name, kind in KINDS.items()
    }
    assert all((count > 0) == (KINDS[name].shaky > 0) for name, count in moved.items())
