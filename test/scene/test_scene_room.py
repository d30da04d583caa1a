"""The room that stands in for a recording: the same every time, and its depth exact."""

import cv2
import numpy as np
import pytest

from fastdepth_ros.recording import Recording, find_camera
from fastdepth_ros.recording.depth import decode_depth
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA, FRAMES, room_recording, write_room
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import HEIGHT, LENGTH, WIDTH, build_room


@pytest.fixture(scope="module")
def renderer(atlas):
    return Renderer(build_room(), CAMERA, atlas)


def world(pose, depth):
    x, y = CAMERA.slopes()
    return pose.to_world(np.stack([x * depth, y * depth, depth], -1))


@pytest.mark.parametrize("progress", [0.0, 0.4, 1.0])
def test_every_pixel_sees_something_inside_the_room(renderer, progress):
    pose = pose_at(progress)
    depth = renderer.render(pose, 0).depth
    assert np.isfinite(depth).all()
    points = world(pose, depth)
    assert (points > -1e-3).all()
    assert (points < (WIDTH + 1e-3, LENGTH + 0.13, HEIGHT + 1e-3)).all()
    # Exact planes: the floor's pixels lie on it within the rounding of the slopes (float32), not just nearly.
    assert (np.abs(points[..., 2]) < 1e-6).mean() > 0.02


def test_it_looks_like_a_lit_furnished_room(renderer):
    frame = renderer.render(pose_at(0.5), 0)
    grey = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(grey, (2, 98))
    assert low < 60
    assert high > 200
    assert 80 < grey.mean() < 170
    steps = np.abs(np.diff(frame.depth, axis=1)) > 0.1
    assert steps.sum() > 2000, "there are edges of furniture"
    assert frame.depth.min() < 1.5
    assert frame.depth.max() > 5


def test_two_frames_see_the_same_points(renderer):
    first, second = pose_at(0.30), pose_at(0.42)
    depth, other = renderer.render(first, 0).depth, renderer.render(second, 0).depth
    points = second.to_camera(world(first, depth)).reshape(-1, 3)
    columns, rows = np.rint(CAMERA.project(points)).astype(int).T
    inside = (columns >= 0) & (columns < CAMERA.width) & (rows >= 0) & (rows < CAMERA.height) & (points[:, 2] > 0)
    assert inside.mean() > 0.8
    gap = np.abs(other[rows[inside], columns[inside]] - points[inside, 2])
    assert np.median(gap) < 0.003  # half a pixel on a slanted surface
    assert (gap < 0.03).mean() > 0.93, "but for what one of the two does not see"


@pytest.mark.slow
def test_the_recording_is_the_same_every_time_and_holds_the_exact_depth(tmp_path, renderer):
    write_room(tmp_path / "one", frames=3)
    again = room_recording(tmp_path, frames=3)
    assert room_recording(tmp_path, frames=3) == again, "made once"
    with Recording.open(tmp_path / "one") as one, Recording.open(again) as other:
        messages = list(one.messages())
        assert messages == list(other.messages())
        assert len(messages) == 9
        topics = find_camera(one)
        assert topics.image.name == "/camera/image_raw/compressed"
        assert topics.ground_truth is not None
        info = one.decode(messages[0])
        assert (info.k[0], info.k[4], info.k[2], info.k[5]) == (CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy)
        truths = [decode_depth(one.decode(m)) for m in messages if m.topic == topics.ground_truth]
        for index, truth in enumerate(truths):
            exact = renderer.render(pose_at(index / FRAMES), index).depth
            assert np.abs(truth - exact).max() <= 0.00051  # whole millimetres
