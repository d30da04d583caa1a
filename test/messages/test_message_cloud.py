"""The coloured cloud as readers of other projects take it: no point is lost for its colour."""

import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cloud import RGB, SIGMA, XYZ, CloudMaker
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.picture import CHANNELS, Picture

WIDTH, HEIGHT = 64, 48
CAMERA = Intrinsics(WIDTH, HEIGHT, 60.0, 60.0, 31.5, 23.5)
RED_GREEN_BLUE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
RED_GREEN_BLUE[0] = (255, 255, 255)
RED_GREEN_BLUE[1] = (128, 0, 0)
DEPTH = np.full((HEIGHT, WIDTH), 2.0, np.float32)
DEPTH[:, ::4] = np.nan
KNOWN = int(np.isfinite(DEPTH).sum())


CODES = {
    "bgr": cv2.COLOR_RGB2BGR,
    "rgba": cv2.COLOR_RGB2RGBA,
    "bgra": cv2.COLOR_RGB2BGRA,
    "grey": cv2.COLOR_RGB2GRAY,
}


def picture(order):
    return Picture(cv2.cvtColor(RED_GREEN_BLUE, CODES[order]) if order in CODES else RED_GREEN_BLUE, order)


def cloud_message(order, stride):
    """The message as the node publishes it, deserialized by ROS."""
    maker = CloudMaker(CAMERA, stride, (*XYZ, RGB))
    outputs = OutputMessages("eye")
    room = outputs.allocate("cloud", maker.shape, np.float32, maker.fields)
    maker.write(DEPTH, picture(order), room)
    return deserialize_message(bytes(outputs["cloud"]), PointCloud2)


@pytest.mark.parametrize("order", CHANNELS)
@pytest.mark.parametrize("stride", [1, 3])
def test_no_colour_is_nan_and_its_fourth_byte_is_zero(order, stride):
    cloud = cloud_message(order, stride)
    points = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, 4)
    assert np.isfinite(points[..., 3]).all()
    colours = points[..., 3].copy().view(np.uint8).reshape(cloud.height, cloud.width, 4)
    assert not colours[..., 3].any()
    pixels = picture(order).pixels[::stride, ::stride]
    wanted = np.repeat(pixels[..., None], 3, 2) if order == "grey" else RED_GREEN_BLUE[::stride, ::stride]
    np.testing.assert_array_equal(colours[..., 2::-1], wanted)


@pytest.mark.parametrize("order", CHANNELS)
def test_a_standard_reader_that_skips_nan_keeps_every_point_with_depth(order):
    reader = pytest.importorskip("sensor_msgs_py.point_cloud2", reason="ROS 2's sensor_msgs_py is not installed")
    points = reader.read_points(cloud_message(order, 1), skip_nans=True)
    assert len(points) == KNOWN
    np.testing.assert_allclose(points["z"], 2.0)


@pytest.mark.parametrize("fields", [XYZ, (*XYZ, RGB), (*XYZ, SIGMA), (*XYZ, RGB, SIGMA)], ids="-".join)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("known", ["every pixel", "some"])
def test_points_are_written_into_the_message_s_own_bytes(fields, stride, known):
    depth = np.random.default_rng(1).uniform(0.5, 5.0, (HEIGHT, WIDTH)).astype(np.float32)
    if known == "some":
        depth[::6, ::5], depth[1::6, ::5], depth[2::6, ::5] = np.nan, np.inf, -np.inf
    before, sigma = depth.copy(), depth / 10
    maker, outputs = CloudMaker(CAMERA, stride, fields), OutputMessages("eye")
    room = outputs.allocate("cloud", maker.shape, np.float32, maker.fields)
    for _ in range(2):  # what was there before is written over
        maker.write(depth, picture("rgb"), room, sigma)
    np.testing.assert_array_equal(depth, before)
    points = np.frombuffer(deserialize_message(bytes(outputs["cloud"]), PointCloud2).data, np.float32)
    found = dict(zip(fields, np.moveaxis(points.reshape(maker.shape), -1, 0), strict=True))
    rows, columns = np.mgrid[0:HEIGHT:stride, 0:WIDTH:stride]
    z = np.where(np.isfinite(depth), depth, np.nan)[::stride, ::stride]
    np.testing.assert_array_equal(found["z"], z)
    np.testing.assert_allclose(found["x"], z * (columns - CAMERA.cx) / CAMERA.fx, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found["y"], z * (rows - CAMERA.cy) / CAMERA.fy, rtol=1e-6, atol=1e-6)
    if SIGMA in fields:
        np.testing.assert_array_equal(found[SIGMA], sigma[::stride, ::stride])
