"""Hits of rays, held against the equations of the shapes."""

import numpy as np
import pytest

from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.shapes import Cone, Ellipsoid, Pose, Quad

X = (np.arange(160) - 79.5)[None, :] / 130
Y = (np.arange(120) - 59.5)[:, None] / 130


def looking_at(target, start=(0.3, -2.0, 0.8)) -> Pose:
    forward = np.array(target, float) - start
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    return Pose(np.array(start), np.stack([right, np.cross(forward, right), forward]))


def points_of(pose: Pose, depth: np.ndarray) -> np.ndarray:
    """World points (h, w, 3) of a depth map: pixel slopes times depth, as the node's cloud is made."""
    camera = np.stack([X * depth, Y * depth, depth], -1)
    return pose.to_world(camera)


def hit_points(shape, pose):
    hit = shape.cast(pose, X, Y)
    seen = np.isfinite(hit.depth)
    assert 100 < seen.sum() < seen.size
    return hit, seen, points_of(pose, np.where(seen, hit.depth, 0.0))[seen]


def test_depth_of_a_wall_seen_head_on_is_its_distance_and_not_the_length_of_the_ray():
    pose = Pose(np.zeros(3), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
    wall = Quad(np.array([-9.0, 2.5, -9]), np.array([18.0, 0, 0]), np.array([0, 0, 18.0]))
    assert np.abs(wall.cast(pose, X, Y).depth - 2.5).max() < 1e-12


def test_points_on_a_tilted_rectangle_lie_in_its_plane_and_inside_its_edges():
    shape = Quad(np.array([-0.5, 0.2, 0.1]), np.array([1.0, 0.3, 0.0]), np.array([-0.06, 0.2, 0.7]))
    hit, seen, points = hit_points(shape, looking_at((0, 0.3, 0.4)))
    assert np.abs((points - shape.corner) @ shape.normal).max() < 1e-12
    again = shape.corner + hit.s[seen][:, None] * shape.a + hit.t[seen][:, None] * shape.b
    assert np.abs(points - again).max() < 1e-9


def test_a_rectangle_is_not_seen_from_behind():
    shape = Quad(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
    assert shape.faces(np.array([0.5, -1.0, 0.5]))
    assert not shape.faces(np.array([0.5, 1.0, 0.5]))


@pytest.mark.parametrize(("lower", "upper"), [(0.3, 0.3), (0.4, 0.15), (0.1, 0.35)])
def test_points_on_a_cone_have_its_radius_at_their_height(lower, upper):
    shape = Cone(np.array([0.1, 0.2, 0.1]), lower, upper, 0.8)
    pose = looking_at((0.1, 0.2, 0.5))
    _, _, points = hit_points(shape, pose)
    local = points - shape.base
    wanted = lower + (upper - lower) * local[:, 2] / 0.8
    assert np.abs(np.hypot(local[:, 0], local[:, 1]) - wanted).max() < 1e-9
    assert local[:, 2].min() > -1e-3
    assert local[:, 2].max() < 0.801


def test_points_on_an_ellipsoid_fulfil_its_equation_and_face_the_camera():
    axes = np.diag([0.5, 0.2, 0.3]) @ looking_at((1, 1, 0)).axes
    shape = Ellipsoid(np.array([0.0, 0.1, 0.5]), axes)
    pose = looking_at((0, 0.1, 0.5))
    hit, seen, points = hit_points(shape, pose)
    local = (points - shape.centre) @ (axes / (axes**2).sum(1, keepdims=True)).T
    assert np.abs((local**2).sum(1) - 1).max() < 1e-9
    _, normals = shape.sample(hit.s[seen], hit.t[seen])
    assert (((pose.position - points) * normals).sum(1) > -1e-9).all()


@pytest.mark.parametrize(
    "shape",
    [
        Quad(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0])),
        Cone(np.zeros(3), 0.4, 0.2, 1.0),
        Ellipsoid(np.zeros(3), np.diag([0.3, 0.4, 0.5])),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_a_surface_point_is_found_again_by_the_ray_through_it(shape):
    pose = looking_at((0.2, 0, 0.4))
    points, normals = shape.sample(np.full((1,), 0.8), np.full((1,), 0.4))
    assert abs((normals**2).sum() - 1) < 1e-12
    x, y, z = pose.to_camera(points)[0]
    hit = shape.cast(pose, np.array([[x / z]]), np.array([[y / z]]))
    if ((pose.position - points) * normals).sum() > 0:
        assert hit.depth[0, 0] == pytest.approx(z, abs=1e-9)
        assert (hit.s[0, 0], hit.t[0, 0]) == pytest.approx((0.8, 0.4), abs=1e-6)
    else:
        assert hit.depth[0, 0] < z


def test_the_camera_stands_upright_and_moves_steadily():
    for progress in np.linspace(0, 1, 31):
        pose, after = pose_at(float(progress)), pose_at(float(progress) + 1 / 75)
        assert np.abs(pose.axes @ pose.axes.T - np.eye(3)).max() < 1e-12
        assert np.linalg.det(pose.axes) == pytest.approx(1)
        assert pose.axes[1, 2] < -0.9  # down is down
        assert np.linalg.norm(after.position - pose.position) < 0.05
