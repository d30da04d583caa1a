"""Frames as the page shows them: points where the depth is, with the colours of what is there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image

from fastdepth_ros.view.listener import Heard
from fastdepth_ros.view.moment import DEPTH, MOST_POINTS, PICTURE, UNCERTAINTY, Maker

WIDTH, HEIGHT, FOCAL = 320, 240, 260.0


def image(pixels: np.ndarray, encoding: str) -> bytes:
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    message.step = pixels[0].nbytes
    message.data.frombytes(np.ascontiguousarray(pixels).tobytes())
    return serialize_message(message)


def info(width: int, height: int, scale: float = 1.0, d: tuple[float, ...] = (0.0,) * 5) -> bytes:
    fx, cx, cy = FOCAL * scale, scale * WIDTH / 2 - 0.5, scale * HEIGHT / 2 - 0.5
    k = [fx, 0.0, cx, 0.0, fx, cy, 0.0, 0.0, 1.0]
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=list(d), k=k)
    message.p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    return serialize_message(message)


def halves(width: int, height: int) -> np.ndarray:
    """Red on the left, blue on the right; as rgb."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0], pixels[:, width // 2 :, 2] = 255, 255
    return pixels


def heard(depth: np.ndarray, encoding: str = "32FC1", **more) -> Heard:
    return Heard(1, image(depth, encoding), 0.01, **more)


def test_points_lie_where_depth_and_camera_info_say_in_the_picture_s_colours():
    """Depth of half the picture's size: its pixels look their colours up."""
    depth = np.full((HEIGHT // 2, WIDTH // 2), 2.0, np.float32)
    depth[0, 0] = np.nan
    pictured = {"image": image(halves(WIDTH, HEIGHT), "rgb8"), "picture_info": info(WIDTH, HEIGHT)}
    seen = Maker().make(heard(depth, depth_info=info(WIDTH // 2, HEIGHT // 2, 0.5), **pictured))
    assert seen.complaint == ""
    assert len(seen.points) == depth.size - 1
    np.testing.assert_allclose(seen.points[:, 2], 2.0)
    assert np.abs(seen.points[:, 0]).max() == pytest.approx(2.0 * (WIDTH / 2 - 1) / FOCAL, rel=1e-3)
    left = seen.points[:, 0] < -0.1
    np.testing.assert_array_equal(seen.colours[left], np.tile([255, 0, 0], (left.sum(), 1)))
    assert set(seen.pictures) == {PICTURE, DEPTH}


def test_depth_in_millimetres_has_the_same_points():
    metres, millimetres = np.full((48, 64), 1.5, np.float32), np.full((48, 64), 1500, np.uint16)
    millimetres[3, 4] = 0
    metres[3, 4] = np.inf
    camera = {"depth_info": info(64, 48, 0.2)}
    one, other = Maker().make(heard(metres, **camera)), Maker().make(heard(millimetres, "16UC1", **camera))
    np.testing.assert_allclose(one.points, other.points, rtol=1e-6)
    assert len(one.points) == 64 * 48 - 1


def test_a_large_depth_image_has_no_more_points_than_a_browser_draws():
    seen = Maker().make(heard(np.full((480, 640), 1.0, np.float32), depth_info=info(640, 480, 2.0)))
    assert MOST_POINTS / 2 < len(seen.points) <= MOST_POINTS


def test_every_point_of_a_large_depth_image_has_the_picture_s_colour():
    pictured = {"image": image(halves(WIDTH, HEIGHT), "rgb8"), "picture_info": info(WIDTH, HEIGHT)}
    seen = Maker().make(heard(np.full((480, 640), 1.0, np.float32), depth_info=info(640, 480, 2.0), **pictured))
    assert set(map(tuple, seen.colours)) == {(255, 0, 0), (0, 0, 255)}


def test_points_of_a_raw_grid_follow_its_lens():
    bent = (-0.3, 0.1, 0.0, 0.0, 0.0)
    seen = Maker().make(heard(np.full((HEIGHT, WIDTH), 1.0, np.float32), depth_info=info(WIDTH, HEIGHT, d=bent)))
    straight = Maker().make(heard(np.full((HEIGHT, WIDTH), 1.0, np.float32), depth_info=info(WIDTH, HEIGHT)))
    assert np.abs(seen.points[:, 0]).max() > 1.05 * np.abs(straight.points[:, 0]).max()


def test_without_camera_info_there_are_pictures_and_a_reason():
    seen = Maker().make(heard(np.full((48, 64), 1.5, np.float32)))
    assert not len(seen.points)
    assert "no camera_info" in seen.complaint
    assert DEPTH in seen.pictures


def test_points_can_show_how_sure_they_are():
    depth, sigma = np.full((48, 64), 1.5, np.float32), np.full((48, 64), 0.01, np.float32)
    sigma[:, 32:] = 1.0
    told = heard(depth, depth_info=info(64, 48, 0.2), uncertainty=image(sigma, "32FC1"))
    seen = Maker().make(told, UNCERTAINTY)
    sure = seen.points[:, 0] < 0
    assert seen.colours[sure].max() < 30
    assert seen.colours[~sure].max() > 200
    assert UNCERTAINTY in seen.pictures


def test_a_camera_that_sees_nearly_nothing_across_makes_no_picture_without_end():
    told = CameraInfo(width=64, height=48, distortion_model="plumb_bob", d=[0.0] * 5)
    told.k = [1e5, 0.0, 31.5, 0.0, 0.01, 23.5, 0.0, 0.0, 1.0]
    seen = Maker().make(heard(np.full((48, 64), 1.5, np.float32), depth_info=serialize_message(told)))
    assert seen.pictures[DEPTH].nbytes < 10_000_000


def test_messages_that_were_spoilt_end_nothing():
    """Anybody may publish on these topics."""
    rng = np.random.default_rng(0)
    whole = {
        "depth": image(rng.uniform(0.5, 5, (24, 32)).astype(np.float32), "32FC1"),
        "image": image(rng.integers(0, 256, (24, 32, 3), np.uint8), "rgb8"),
        "depth_info": info(32, 24, 0.1),
        "picture_info": info(32, 24, 0.1),
        "uncertainty": image(rng.uniform(0.1, 1, (24, 32)).astype(np.float32), "32FC1"),
    }
    maker, shown = Maker(), 0
    for number in range(3000):
        messages = {name: bytearray(message) for name, message in whole.items()}
        spoilt = messages[list(messages)[number % len(messages)]]
        for _ in range(rng.integers(1, 4)):
            at = 4 * int(rng.integers(0, min(len(spoilt), 400) // 4))
            spoilt[at : at + 4] = rng.choice([b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0", rng.bytes(4)])
        if not number % 7:
            del spoilt[int(rng.integers(0, len(spoilt))) :]
        seen = maker.make(
            Heard(1, age=0.0, **{name: bytes(message) for name, message in messages.items()}), UNCERTAINTY
        )
        assert np.isfinite(seen.points.astype(np.float16)).all()
        assert len(seen.points) == len(seen.colours)
        shown += bool(len(seen.points))
    assert shown > 500


@pytest.mark.parametrize(
    "wrong",
    [
        image(np.zeros((4, 4, 3), np.uint8), "rgb8"),
        b"\x00\x01\x00\x01",
        image(np.zeros((4, 4), np.float32), "32FC1")[:80],
    ],
)
def test_what_is_no_depth_image_is_told(wrong):
    seen = Maker().make(Heard(1, wrong, 0.0))
    assert seen.complaint
    assert not seen.pictures
