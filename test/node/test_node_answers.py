"""A camera's images are answered with depth, its camera_info and a cloud."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import Graph, camera_info_of, depth_of, image_of
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from slowly import mostly_again
from std_msgs.msg import Header

from fastdepth_ros.camera import PAPER_VIEW, Intrinsics, View
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.engines import open_engine

WIDTH, HEIGHT = 640, 480
rng = np.random.default_rng(7)
SCENE = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 20) * 4


@pytest.fixture(scope="module")
def direct(bundle, module):
    """The same network, without ROS: what the node has to answer."""
    pipeline = Pipeline(open_engine(module), bundle.manifest)

    def run(picture, camera=None, **settings):
        pipeline.settings = Settings(**settings)
        frame = pipeline.run(picture, camera)
        return frame.depth.copy()

    return run


@pytest.mark.usefixtures("graph")
def test_this_camera_has_shared_memory_for_its_images():
    """Fast DDS reads its profile once a process; without it large images are lost now and then, and tests with them."""
    maps = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    segments = {Path(name) for name in maps if re.fullmatch(r"/dev/shm/fastdds_[0-9a-f]{16}", name)}
    if not segments:  # the node's is among them
        pytest.skip("this process has no segment of Fast DDS")
    assert min(segment.stat().st_size for segment in segments) > 16 * 2**20


def test_depth_keeps_the_stamp_and_the_frame_of_its_image(graph: Graph, direct):
    image = image_of(SCENE, graph.header("left_eye"))
    (depth,) = graph.ask(image, "depth")
    assert depth.header == image.header
    assert (depth.width, depth.height, depth.encoding) == (224, 224, "32FC1")
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(SCENE, "rgb")))


@pytest.mark.parametrize(
    ("encoding", "order", "padding"),
    [("bgr8", "bgr", 0), ("bgra8", "bgra", 6), ("mono8", "grey", 3), ("rgb8", "rgb", 7)],
)
def test_the_node_reads_what_the_camera_sends(graph: Graph, direct, encoding, order, padding):
    pixels = {
        "bgr8": SCENE[..., ::-1],
        "rgb8": SCENE,
        "bgra8": cv2.cvtColor(SCENE, cv2.COLOR_RGB2BGRA),
        "mono8": SCENE[..., 1],
    }[encoding]
    pixels = np.ascontiguousarray(pixels)
    (depth,) = graph.ask(image_of(pixels, graph.header(), encoding, padding), "depth")
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(pixels, order)))


def test_the_size_of_the_images_may_change(graph: Graph, direct):
    small = np.ascontiguousarray(SCENE[::2, ::2])
    (depth,) = graph.ask(image_of(small, graph.header()), "depth")
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(small, "rgb")))
    (depth,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(SCENE, "rgb")))


def test_camera_info_is_that_of_the_depth_map(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    image = image_of(SCENE, graph.header())
    depth, info = graph.ask(image, "depth", "camera_info")
    expected = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224).intrinsics(
        Intrinsics(WIDTH, HEIGHT, 525, 525, 319.5, 239.5)
    )
    assert (info.width, info.height) == (depth.width, depth.height) == (expected.width, expected.height)
    assert list(info.k) == pytest.approx([expected.fx, 0, expected.cx, 0, expected.fy, expected.cy, 0, 0, 1])
    assert info.header == image.header
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK, "640x480")


def test_a_new_camera_info_goes_out_before_its_depth_and_a_known_one_behind(graph: Graph):
    """A consumer that knows none would else skip the first image, and one that knows it waits for depth alone."""
    sent: dict[str, dict[tuple[int, int], int]] = {"camera_info": {}, "depth/image_rect": {}}

    def note(kind: type, topic: str):
        def take(message, info):
            stamp = message.header.stamp
            sent[topic][stamp.sec, stamp.nanosec] = info["source_timestamp"]

        return graph.node.create_subscription(kind, f"depth/{topic.removeprefix('depth/')}", take, 10)

    def leads(image: Image):
        graph.ask(image, "depth", "camera_info")
        stamp = image.header.stamp.sec, image.header.stamp.nanosec
        graph.wait_for(lambda: all(stamp in times for times in sent.values()), "a pair of camera_info and depth")
        return sent["camera_info"][stamp] < sent["depth/image_rect"][stamp]

    subscriptions = [note(CameraInfo, "camera_info"), note(Image, "depth/image_rect")]
    for focal in (525.0, 530.0, 525.0):
        graph.calibrate(camera_info_of(WIDTH, HEIGHT, focal))
        assert leads(image_of(SCENE, graph.header()))
        assert not leads(image_of(SCENE, graph.header()))
    for subscription in subscriptions:
        graph.node.destroy_subscription(subscription)


def test_who_wants_only_camera_info_gets_it(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    (info,) = graph.ask(image_of(SCENE, graph.header()), "camera_info")
    assert info.width == 224


def test_a_camera_that_is_calibrated_again_is_followed(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT, 525.0))
    (before,) = graph.ask(image_of(SCENE, graph.header()), "camera_info")
    graph.calibrate(camera_info_of(WIDTH, HEIGHT, 1050.0))
    (after,) = graph.ask(image_of(SCENE, graph.header()), "camera_info")
    assert after.k[0] == pytest.approx(2 * before.k[0])
    graph.calibrate(camera_info_of(WIDTH, HEIGHT, 525.0))


@pytest.mark.parametrize("output_size", mostly_again(["camera", "native"]))
def test_a_stranger_finds_every_point_on_its_pixel(graph: Graph, output_size):
    assert graph.set("output_size", output_size)[0]
    assert graph.set("cloud", "xyzrgb")[0]
    graph.read()
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    # Its own environment: nothing of the project can be imported there.
    order = [sys.executable, "-I", str(Path(__file__).with_name("stranger.py")), graph.namespace]
    environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    stranger = subprocess.Popen(order, stdout=subprocess.PIPE, text=True, env=environment)
    while stranger.poll() is None:
        graph.images.publish(image_of(SCENE, graph.header("eye")))
        graph.spin(0.1)
    assert stranger.returncode == 0
    saw = json.loads(stranger.stdout.read())
    size = [224, 224] if output_size == "native" else [WIDTH, HEIGHT]
    assert saw["sizes"] == [size] * 3
    assert saw["frames"] == ["eye"] * 3
    assert saw["fields"] == ["x", "y", "z", "rgb"]
    assert saw["known"] > 0.2
    assert saw["same_known"]
    assert saw["off_pixels"] < 0.01
    assert saw["off_metres"] == 0
    assert graph.set("output_size", "native")[0]
    assert graph.set("cloud", "xyz")[0]


def test_settings_take_hold_with_the_next_image(graph: Graph, direct):
    camera = Intrinsics(WIDTH, HEIGHT, 525, 525, 319.5, 239.5)
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    graph.ask(image_of(SCENE, graph.header()), "depth")
    assert graph.set("depth_encoding", "16UC1")[0]
    (depth,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    assert depth.encoding == "16UC1"
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(SCENE, "rgb"), camera, depth_encoding="16UC1"))
    assert graph.set("cloud_stride", 3)[0]
    (cloud,) = graph.ask(image_of(SCENE, graph.header()), "cloud")
    assert (cloud.width, cloud.height, cloud.point_step, cloud.is_dense) == (75, 75, 12, False)
    assert graph.set("threads", 1)[0]
    graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_for(lambda: graph.values("inference")["threads"] == "1", "one thread")
    for name, value in (("depth_encoding", "32FC1"), ("cloud_stride", 1), ("threads", 0)):
        assert graph.set(name, value)[0]


def test_a_picture_that_is_published_again_with_the_same_stamp_is_answered_under_a_limit_too(graph: Graph):
    """As an operator does with one picture, and as these tests do until somebody who subscribes late has got it."""
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    assert graph.set("max_rate", 5.0)[0]
    image = image_of(SCENE, graph.header())
    (first,) = graph.ask(image, "depth")
    (again,) = graph.ask(image, "depth")  # a reader of the first answer is not enough: what was heard was forgotten
    np.testing.assert_array_equal(depth_of(first), depth_of(again))
    graph.ask(image, "depth", "cloud")
    assert graph.set("max_rate", 0.0)[0]


def test_nothing_is_computed_without_subscribers(graph: Graph):
    graph.read()
    graph.next_reports()  # an image of before may still be answered, or wait
    name = "dropped: no subscribers"
    before, answers = int(graph.values("inference").get(name, 0)), graph.values("outputs")["answers"]
    broken = image_of(SCENE, graph.header(), "no_encoding")  # would be refused if anybody looked at it
    unreadable = graph.values("input")["unreadable"]
    graph.show(broken)
    graph.wait_for(lambda: int(graph.values("inference").get(name, 0)) > before, "the image to be dropped")
    assert graph.values("outputs")["answers"] == answers
    assert graph.values("input")["unreadable"] == unreadable


def test_a_cloud_that_is_off_is_not_published(graph: Graph):
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    assert graph.set("cloud", "off")[0]
    graph.ask(image_of(SCENE, graph.header()), "depth", besides=("cloud",))
    graph.next_reports()
    assert not graph.heard["cloud"]
    assert graph.set("cloud", "xyz")[0]


def test_an_image_that_waits_is_replaced_by_a_newer_one_and_counted(graph: Graph):
    graph.ask(image_of(SCENE, graph.header()), "depth")
    small = SCENE[:48, :64]  # so that many come at once

    def images():
        return int(graph.values("input")["images"])

    def replaced():
        return int(graph.values("inference").get("dropped: replaced by a newer image", 0))

    def accounted_for():
        dropped = [int(n) for name, n in graph.values("inference").items() if name.startswith("dropped: ")]
        return int(graph.values("outputs")["answers"]) + int(graph.values("input")["unreadable"]) + sum(dropped)

    for _ in range(20):
        before = images()
        for _ in range(60):
            graph.images.publish(image_of(small, graph.header()))
        graph.wait_for(lambda before=before: images() > before, "the images to come")
        graph.wait_for(lambda: images() == accounted_for(), "each image to be answered or counted")
        if replaced():
            break
    assert replaced() > 0


def test_max_rate_lets_the_rest_go(graph: Graph):
    graph.ask(image_of(SCENE, graph.header()), "depth")
    assert graph.set("max_rate", 10)[0]  # a whole number does
    assert graph.get("max_rate") == 10
    graph.next_reports()
    answers = int(graph.values("outputs")["answers"])
    before = int(graph.values("inference").get("dropped: beyond max_rate", 0))  # the first image, where it came twice
    replaced = int(graph.values("inference").get("dropped: replaced by a newer image", 0))
    again, thirds = 0, []

    def answered() -> list[int]:
        return sorted({heard.header.stamp.nanosec for heard in graph.heard["depth"] if heard.header.stamp.sec == 1000})

    def is_answered(image: Image) -> bool:
        """Where the node has not taken the image before, that takes its place in the subscription: it comes again."""
        nonlocal again, due
        if image.header.stamp.nanosec in answered():
            return True
        if time.monotonic() > due:
            graph.images.publish(image)
            again, due = again + 1, time.monotonic() + 1
        return False

    due = time.monotonic()
    for i in range(30):  # one second of a 30 Hz camera, by its stamps; after a pause it goes on no faster
        while time.monotonic() < due:
            graph.spin()
        stamp = Time(sec=1000, nanosec=i * 33_333_333)
        image = image_of(SCENE[:48, :64], Header(stamp=stamp, frame_id="eye"))
        graph.images.publish(image)
        if i % 3 == 0:
            due = time.monotonic() + 1
            thirds.append(stamp.nanosec)
            graph.wait_for(lambda image=image: is_answered(image), "the answer to every third image")
        due = time.monotonic() + 1 / 30
    graph.next_reports()
    assert answered() == thirds, "and no other one, however often one of them came"
    assert 10 <= int(graph.values("outputs")["answers"]) - answers <= 10 + again
    kept_back = int(graph.values("inference")["dropped: beyond max_rate"]) - before
    lost = int(graph.values("input")["lost on the way"])  # two at once, where the subscription has room for one
    late = int(graph.values("inference").get("dropped: replaced by a newer image", 0)) - replaced
    assert 0 < kept_back <= 20 + again
    assert kept_back + lost + late >= 20
    assert graph.set("max_rate", 0.0)[0]


@pytest.mark.parametrize(
    "remapping", mostly_again(["image:=seen", "", "image:=seen/compressed", "image/compressed:=seen/compressed"])
)
def test_compressed_images_are_found_as_image_transport_names_them(start, remapping):
    graph = start(*(("--ros-args", "-r", remapping) if remapping else ()), image_transport="compressed")
    graph.wait_for(lambda: "input" in graph.statuses, "diagnostics of the input")
    assert graph.values("input")["topic"] == f"{graph.namespace}/{'seen' if remapping else 'image'}/compressed"


def test_compressed_images_are_answered(start, direct):
    graph = start(image_transport="compressed")
    message = CompressedImage(header=graph.header(), format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", SCENE[..., ::-1])[1].tobytes())
    (depth,) = graph.ask(message, "depth")
    # Half of 480 rows are as many as the network sees: no more of them are decoded.
    decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    np.testing.assert_array_equal(depth_of(depth), direct(Picture(decoded, "bgr", 2, (WIDTH, HEIGHT))))


def test_the_depth_of_a_reduced_picture_has_the_camera_of_what_was_cut_out_of_it(start):
    graph = start(image_transport="compressed", cloud="xyzrgb")
    graph.calibrate(camera_info_of(WIDTH, HEIGHT))
    message = CompressedImage(header=graph.header(), format="jpeg")
    message.data.frombytes(cv2.imencode(".jpg", SCENE[..., ::-1])[1].tobytes())
    info, cloud = graph.ask(message, "camera_info", "cloud")
    camera = Intrinsics(WIDTH, HEIGHT, 525.0, 525.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    seen = View.of(PAPER_VIEW, WIDTH, HEIGHT, 224, 224, reduction=2).intrinsics(camera)
    np.testing.assert_allclose(np.array(info.k), [seen.fx, 0, seen.cx, 0, seen.fy, seen.cy, 0, 0, 1])
    assert (cloud.width, cloud.height) == (224, 224)


def test_a_camera_that_changes_its_frame_is_answered_in_the_new_one(graph, direct):
    wanted = direct(Picture(SCENE, "rgb"))
    for frame_id in ("one", "a_much_longer_name", "one"):
        image = image_of(SCENE, graph.header())
        image.header.frame_id = frame_id
        (depth,) = graph.ask(image, "depth")
        assert depth.header == image.header
        np.testing.assert_array_equal(depth_of(depth), wanted)
