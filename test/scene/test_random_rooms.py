"""Pictures of random rooms: the same for a seed, their depth exact, their files readable as training data."""

import json

import numpy as np
import pytest
from furniture import check_that_it_stands_on_the_floor_and_keeps_to_its_ground

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import open_source
from fastdepth_ros.scene.rooms import light
from fastdepth_ros.scene.rooms.cameras import PITCH, random_camera
from fastdepth_ros.scene.rooms.cast import Body, PinholeView, cast
from fastdepth_ros.scene.rooms.chairs import CHAIRS, bench, sofa, stool
from fastdepth_ros.scene.rooms.kinds import DESKS, HALLS, KINDS, ROOMS, SEATS
from fastdepth_ros.scene.rooms.light import Dim, Everywhere, Lit
from fastdepth_ros.scene.rooms.model import Placement, Solids
from fastdepth_ros.scene.rooms.render import Scene, render
from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.rooms.tables import bed, bedside, coffee_table, desk, table
from fastdepth_ros.scene.rooms.writer import make_room, photograph, write_rooms
from fastdepth_ros.scene.shapes import Cone, Ellipsoid, Pose

CAMERA = Intrinsics(80, 60, 70.0, 70.0, 39.5, 29.5)
WHITE = Surface((0.8, 0.8, 0.8))
GREY = Everywhere([], Dim(np.full(3, 0.5, np.float32), np.full(3, 0.5, np.float32)), (50.0, 50.0, 50.0))


def looking_along_y(height: float = 1.2) -> Pose:
    """A level camera at the origin: x to the right, z up, y ahead."""
    return Pose(np.array([0, 0, height]), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))


def scene_of(solids: Solids) -> Scene:
    return Scene(Body(solids), [GREY])


@pytest.fixture(scope="module")
def halls():
    return [make_room(5, index, HALLS) for index in range(4)]


@pytest.fixture(scope="module")
def seats():
    return [make_room(5, index, SEATS) for index in range(4)]


@pytest.fixture(scope="module")
def rooms():
    return [make_room(5, index) for index in range(4)]


def test_a_picture_is_the_same_for_its_seed_and_another_for_another():
    room = make_room(5, 0)
    picture, depth, camera = photograph(room, 5, 0)
    again, depth_again, camera_again = photograph(make_room(5, 0), 5, 0)
    assert np.array_equal(picture, again)
    assert np.array_equal(depth, depth_again)
    assert camera == camera_again
    assert not np.array_equal(picture, photograph(room, 5, 1)[0])
    assert not np.array_equal(picture, photograph(make_room(6, 0), 6, 0)[0])


def test_depth_of_a_wall_and_a_floor_is_that_of_their_planes():
    solids = Solids()
    at = Placement(solids)
    at.quad((-20, 3.5, -20), (40, 0, 0), (0, 0, 40), WHITE)  # a wall 3.5 m ahead
    at.quad((-20, -20, 0), (40, 0, 0), (0, 40, 0), WHITE)
    _, depth = render(scene_of(solids), CAMERA, looking_along_y())
    _, y = CAMERA.slopes()
    floor = np.where(y > 0, 1.2 / np.maximum(y, 1e-6), np.inf)
    wanted = np.broadcast_to(np.minimum(floor, 3.5), depth.shape)
    assert np.abs(depth / wanted - 1)[np.abs(floor[:, 0] - 3.5) > 0.2].max() < 1e-5


def test_bars_and_balls_are_where_the_shapes_of_the_demo_s_room_are():
    solids = Solids()
    Placement(solids).bar((0.2, 2, 0.4), (0.2, 2, 1.6), 0.3, WHITE, 0.15)
    Placement(solids).at(-0.4, 1.8, 1.0, 30).ball((0, 0, 0), (0.2, 0.3, 0.25), WHITE)
    x, y = (np.asarray(slopes.ravel(), np.float64) for slopes in CAMERA.slopes())
    pose = looking_along_y()
    inverse, number = cast(Body(solids), PinholeView(pose, x, y))
    turn = np.array([[np.cos(np.pi / 6), np.sin(np.pi / 6), 0], [-np.sin(np.pi / 6), np.cos(np.pi / 6), 0], [0, 0, 1]])
    shapes = [
        Cone(np.array([0.2, 2, 0.4]), 0.3, 0.15, 1.2),
        Ellipsoid(np.array([-0.4, 1.8, 1.0]), turn * np.array([0.2, 0.3, 0.25])[:, None]),
    ]
    wanted = np.stack([shape.cast(pose, x[None, :], y[:, None]).depth for shape in shapes])
    found = np.isfinite(wanted.min(0))
    assert found.sum() > 300
    # The demo's cone is open and shows its inside past its rims; bars have no inside.
    assert (found == (inverse > 0)).mean() > 0.98
    both = found & (inverse > 0)
    assert np.abs(inverse[both] * wanted.min(0)[both] - 1).max() < 1e-5
    assert (number[both] == wanted.argmin(0)[both]).all()


def test_the_edge_of_a_thing_before_a_wall_is_never_between_the_two():
    solids = Solids()
    Placement(solids).quad((-5, 4, -5), (10, 0, 0), (0, 0, 10), WHITE)
    Placement(solids).bar((0, 1.5, 0.2), (0.4, 1.5, 2.2), 0.02, WHITE)
    _, depth = render(scene_of(solids), CAMERA, looking_along_y())
    assert ((np.abs(depth - 4) < 1e-3) | (depth < 1.53)).all()
    assert 20 < (depth < 1.53).sum() < 200


def test_what_is_outside_the_window_has_no_depth():
    solids = Solids()
    Placement(solids).quad((-5, 4, -5), (10, 0, 0), (0, 0, 10), Surface((1, 1, 1), glow=3.0, beyond=True))
    picture, depth = render(scene_of(solids), CAMERA, looking_along_y())
    assert (depth == 0).all()
    assert picture.min() > 2


def test_the_sun_leaves_a_hard_shadow_where_geometry_says():
    solids = Solids()
    at = Placement(solids)
    at.box((-0.5, 1.9, 0), (0.5, 2.1, 1), WHITE)
    opening = np.array([[-3.0, 0.0, 0.0], [6.0, 0, 0], [0, 0, 8.0]])
    towards = np.array([0.0, -1.0, 1.0]) / np.sqrt(2)  # the shadow of a height of 1 m is 1 m long
    shine = light.sun(Body(solids), opening, towards, np.ones(3, np.float32))
    floor = np.array([[0, 1.7, 0], [0, 2.2, 0], [0, 3.05, 0], [0, 3.2, 0], [0.8, 2.5, 0], [0, -1.0, 0]])
    lit = shine.on(Lit(floor, np.tile((0.0, 0, 1), (6, 1))))[:, 0]
    assert lit[[1, 2, 5]].tolist() == [0, 0, 0]
    assert lit[[0, 3, 4]] == pytest.approx(np.sqrt(0.5), abs=1e-5)


@pytest.mark.parametrize(
    "make", [*CHAIRS, sofa, stool, bench, table, coffee_table, desk, bedside, bed], ids=lambda m: m.__name__
)
def test_furniture_stands_on_the_floor_and_keeps_to_its_ground(make):
    check_that_it_stands_on_the_floor_and_keeps_to_its_ground(make)


@pytest.mark.slow
def test_furniture_does_not_stand_in_other_furniture_or_in_the_wall(rooms, halls, seats):
    for room in rooms + halls + seats:
        assert len(room.placed) >= 3
        for index, piece in enumerate(room.placed):
            assert piece.left >= 0
            assert piece.right <= room.size[0]
            assert piece.front >= 0
            assert piece.back <= room.size[1]
            assert not any(piece.overlaps(other, -0.09) for other in room.placed[index + 1 :])


@pytest.mark.slow
def test_cameras_stand_in_the_room_upright_and_see_near_things(rooms):
    near = []
    for index, room in enumerate(rooms):
        for camera_index in range(3):
            camera, pose = random_camera(np.random.default_rng([index, camera_index]), room)
            assert (pose.position > 0.15).all()
            assert (pose.position < np.array(room.size) - 0.15).all()
            assert np.abs(pose.axes @ pose.axes.T - np.eye(3)).max() < 1e-12
            assert np.linalg.det(pose.axes) == pytest.approx(1)
            assert PITCH[0] - 1e-6 <= np.degrees(np.arcsin(pose.axes[2, 2])) <= PITCH[1] + 1e-6
            assert 45 <= np.degrees(2 * np.arctan(160 / camera.fx)) <= 75
            _, depth = render(room.scene, camera, pose)
            assert (depth > 0).mean() > 0.5
            assert depth.max() < 10
            near.append(((depth > 0) & (depth < 2.5)).mean())
    assert np.mean(near) > 0.3
    assert min(near) > 0.05


@pytest.mark.slow
def test_pictures_have_light_and_shade_and_some_are_clipped(rooms):
    pictures = [photograph(room, 5, 6 * index + k)[0] for index, room in enumerate(rooms) for k in range(3)]
    assert all(picture.std() > 8 for picture in pictures)
    means = [picture.mean() for picture in pictures]
    assert min(means) < 100
    assert max(means) > 150
    assert any((picture == 255).all(2).mean() > 0.05 for picture in pictures)


@pytest.mark.slow
def test_halls_are_wider_and_their_cameras_see_farther(rooms, halls):
    def far(kind, places):
        views = [photograph(room, 5, 6 * index + k, kind)[1] for index, room in enumerate(places) for k in range(3)]
        return float(np.median([np.median(depth[depth > 0]) for depth in views]))

    for hall in halls:
        assert all(
            low <= edge <= high for edge, (low, high) in zip(hall.size[:2], (HALLS.width, HALLS.length), strict=True)
        )
    assert far(HALLS, halls) > 1.25 * far(ROOMS, rooms)


@pytest.mark.slow
def test_a_picture_of_seats_shows_a_chair_before_a_wall(seats):
    for index, room in enumerate(seats):
        chairs = [piece for piece in room.placed if piece.wanted]
        assert 2 <= len(chairs) <= SEATS.seats
        looked = 0
        for k in range(4):
            camera, pose = random_camera(np.random.default_rng([index, k]), room, SEATS)
            seen = [pose.axes @ (chair.middle() - pose.position) for chair in chairs]
            looked += any(p[2] > 0.5 and abs(p[0]) < 0.5 * p[2] and abs(p[1]) < 0.5 * p[2] for p in seen)
            assert camera.width == 320
        assert looked >= 3
    assert not any(piece.wanted for piece in make_room(5, 0).placed)


@pytest.mark.slow
def test_a_picture_of_desks_shows_things_from_near():
    for index in range(2):
        room = make_room(5, index, DESKS)
        assert any(piece.wanted for piece in room.placed)
        depths = [photograph(room, 5, 6 * index + k, DESKS)[1] for k in range(3)]
        assert np.mean([((depth > 0) & (depth < 2.0)).mean() for depth in depths]) > 0.5
        assert min(depth[depth > 0].min() for depth in depths) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_is_written_as_a_set_of_its_own(tmp_path, kind):
    assert main(["rooms", "--kind", kind.name, "--out", str(tmp_path), "--count", "1"]) == 0
    (sample,) = open_source(tmp_path)
    assert (sample.name, sample.set) == (f"{kind.name}-00000-0", f"computed-{kind.name}")
    depth = sample.read().depth
    assert (depth > 0).mean() > 0.5


@pytest.mark.slow
def test_the_files_are_training_data_and_a_second_run_keeps_them(tmp_path):
    assert write_rooms(tmp_path, 2, 3) == 2
    samples = open_source(tmp_path)
    assert [sample.name for sample in samples] == ["rooms-00000-0", "rooms-00000-1"]
    picture, depth, camera = photograph(make_room(3, 0), 3, 1)
    frame = samples[1].read()
    assert samples[1].set == "computed-rooms"
    assert frame.camera == camera
    assert np.abs(frame.depth - depth).max() <= 0.00051  # whole millimetres
    assert np.abs(frame.pixels.astype(int) - picture).mean() < 6  # but for JPEG
    about = json.loads((tmp_path / "rooms-00000-1.json").read_text())
    assert about["permissive"] is True
    assert about["rendered"] is True

    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    (tmp_path / "rooms-00000-0.jpg").rename(tmp_path / "lost")
    assert main(["rooms", "--out", str(tmp_path), "--count", "3", "--seed", "3"]) == 0
    assert (tmp_path / "rooms-00000-0.jpg").read_bytes() == (tmp_path / "lost").read_bytes()
    kept = tmp_path / "rooms-00000-1.jpg"
    assert kept.stat().st_mtime_ns == before[kept]
    assert (tmp_path / "rooms-00000-2.jpg").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="cannot be written"):
        write_rooms(tmp_path / "file", 1, 1)
