"""Whatever comes in, the node names it and goes on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from made_weights import random_weights
from node_graph import camera_info_of, image_of
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from slowly import again, mostly_again, mostly_slow

from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime.bundle import Manifest, write_bundle

SCENE = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)

SPOILED = {
    "truncated data": (lambda m: m.data.pop(), "truncated"),
    "no data": (lambda m: m.data.__delitem__(slice(None)), "truncated"),
    "oversized data": (lambda m: m.data.extend(b"more"), "oversized"),
    "a short step": (lambda m: setattr(m, "step", 10), "step"),
    "an unknown encoding": (lambda m: setattr(m, "encoding", "rgb565"), "rgb565"),
    "a width of zero": (lambda m: setattr(m, "width", 0), "0x48"),
    "a height of zero": (lambda m: setattr(m, "height", 0), "64x0"),
    "a size that overflows": (lambda m: (setattr(m, "width", 2**32 - 1), setattr(m, "height", 2**32 - 1)), "step"),
    "an odd size": (lambda m: (setattr(m, "encoding", "nv12"), setattr(m, "height", 47)), "even"),
    "depth for colours": (lambda m: setattr(m, "encoding", "32FC1"), "depth image"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_bad_image_is_named_and_the_next_good_one_answered(graph, fault):
    spoil, word = SPOILED[fault]
    graph.read("depth")
    image = image_of(SCENE, graph.header())
    spoil(image)
    before = int(graph.values("input")["unreadable"])
    graph.show(image)
    graph.wait_for(lambda: int(graph.values("input")["unreadable"]) > before, "the image to be refused")
    assert word in graph.values("input")["last error"]
    assert graph.statuses["input"].level != DiagnosticStatus.OK
    assert word in graph.statuses["input"].message
    graph.ask(image_of(SCENE, graph.header()), "depth")


def test_a_node_that_reads_jpeg_survives_what_is_none(start):
    graph = start(image_transport="compressed")
    graph.read("depth")
    jpeg = cv2.imencode(".jpg", SCENE)[1].tobytes()
    for data, word in (
        (jpeg[: len(jpeg) // 2], "cut short"),
        (b"", "neither"),
        (b"\xff\xd8\xff" + bytes(99), "cut short"),
        (jpeg[: len(jpeg) // 2] + b"\xff\xd9", "premature end"),
        (jpeg[:1500] + bytes(100) + jpeg[1600:], "corrupt"),
        (jpeg[:1500] + jpeg[1500 + len(jpeg) // 3 :], "corrupt"),
        (jpeg[: jpeg.index(b"\xff\xc0") + 5] + b"\xff\xdc\xff\xdc" + jpeg[jpeg.index(b"\xff\xc0") + 9 :], "max_pixels"),
    ):
        image = CompressedImage(header=graph.header(), format="jpeg")
        image.data.frombytes(data)
        graph.show(image)
        graph.wait_for(lambda word=word: word in graph.values("input")["last error"], f"{word!r} in diagnostics")
    image = CompressedImage(header=graph.header(), format="jpeg")
    image.data.frombytes(jpeg)
    graph.ask(image, "depth")
    assert int(graph.values("input")["unreadable"]) >= 7
    assert "JPEG data" not in graph.log.read_text(), "libjpeg's words are the node's alone"


def test_an_encoding_of_a_megabyte_makes_no_such_diagnostics(graph):
    graph.read("depth")
    image = image_of(SCENE, graph.header())
    image.encoding = "x\n" * 500_000
    graph.show(image)
    graph.wait_for(
        lambda: "1000000 bytes is longer" in graph.values("input")["last error"], "the encoding to be refused"
    )
    assert len(graph.statuses["input"].message) < 1000


def test_an_image_larger_than_max_pixels_is_refused_while_the_node_runs(graph):
    graph.read("depth")
    assert graph.set("max_pixels", 64 * 48 - 1)[0]
    try:
        graph.show(image_of(SCENE, graph.header()))
        graph.wait_for(lambda: "max_pixels" in graph.values("input")["last error"], "the image to be refused")
        assert graph.set("max_pixels", 64 * 48)[0]
        graph.ask(image_of(SCENE, graph.header()), "depth")
    finally:  # or every test after this one fails as well
        graph.set("max_pixels", 64_000_000)


def test_an_image_larger_than_the_max_pixels_of_the_start_is_refused(start):
    graph = start(max_pixels=64 * 48 - 1)
    graph.read("depth")
    graph.show(image_of(SCENE, graph.header()))
    graph.wait_for(lambda: "max_pixels" in graph.values("input")["last error"], "the image to be refused")
    assert not graph.heard["depth"]


def test_the_bits_that_were_found_in_mono16_are_said(graph):
    words = (SCENE[..., 0].astype(np.uint16) * 16).clip(0, 4095)
    graph.ask(image_of(words, graph.header(), "mono16"), "depth")
    graph.wait_for(lambda: graph.values("inference").get("mono16_bits", "").startswith("12,"), "the bits to be said")
    assert graph.set("mono16_bits", 16)[0]
    graph.ask(image_of(words, graph.header(), "mono16"), "depth")
    graph.wait_for(lambda: "mono16_bits says" in graph.values("inference")["mono16_bits"], "what is given to be said")
    assert graph.set("mono16_bits", 0)[0]


NO_MESSAGES = [b"", b"\x00\x01\x00\x00", b"\x00\x01\x00\x00" + b"\xff" * 64, bytes(300)]
NO_MESSAGES += [b"\x00\x01\x00\x01", b"\x00\x00\x00\x03", b"\x00\x07\x00\x02", b"\x00\x01\x00\x01\x00"]


@pytest.mark.parametrize("data", mostly_again(NO_MESSAGES, 3))
def test_what_is_no_message_at_all_does_not_end_the_node(graph, data):
    graph.read("depth")
    for _ in range(3):
        graph.images.publish(data)
        graph.camera_infos.publish(data)
        graph.spin(0.05)
    graph.next_reports()
    graph.calibrate(camera_info_of(SCENE.shape[1], SCENE.shape[0]))
    graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_for(lambda: graph.says("calibration", DiagnosticStatus.OK, ""), "the camera to be known again")


def test_a_clock_that_tells_no_time_does_not_end_the_node(start):
    graph = start(use_sim_time=True)
    clock = graph.node.create_publisher(Clock, "/clock", 5)
    time = Clock()
    graph.read("depth")
    fitting = [data for data in NO_MESSAGES if len(data) <= 12]  # rmw sends no more of a type of one size
    for data in (*fitting, serialize_message(time)[:4] + b"\xff\xff\xff\xff" + bytes(4)):
        for _ in range(3):
            clock.publish(data)
            graph.spin(0.05)
    time.clock.sec = 1000
    publisher = graph.node.create_timer(0.05, lambda: clock.publish(time))
    graph.wait_for(lambda: graph.reported == 1000 * 10**9, "the node to go with the clock")
    graph.node.destroy_timer(publisher)


def test_names_that_are_no_text_do_not_end_the_node(graph):
    graph.read("depth")
    image = image_of(SCENE, graph.header("frame"))
    data = serialize_message(image).replace(b"frame", b"fr\xff\xfee").replace(b"rgb8", b"rg\xff8")
    for _ in range(3):
        graph.images.publish(data)
        graph.spin(0.05)
    graph.next_reports()
    graph.ask(image_of(SCENE, graph.header()), "depth")


@pytest.mark.parametrize(
    ("fields", "word"),
    mostly_slow(
        [
            ({"k": [0.0] * 9}, "not calibrated"),
            ({"k": [float("nan")] * 9}, "NaN"),
            ({"k": [1.0, 0.0, 5.0, 0.0, -1.0, 5.0, 0.0, 0.0, 1.0]}, "focal"),
            ({"width": 1280, "height": 960}, "1280x960"),
        ]
    ),
)
def test_without_a_valid_camera_there_is_depth_but_no_cloud_and_a_warning(start, fields, word):
    graph = start()
    graph.ask(image_of(SCENE, graph.header()), "depth", besides=("cloud", "camera_info"))
    graph.wait_for(
        lambda: graph.says("calibration", DiagnosticStatus.WARN, "depth without camera_info and cloud"), "the warning"
    )
    graph.calibrate(camera_info_of(64, 48, **fields))
    graph.ask(image_of(SCENE, graph.header()), "depth", besides=("cloud", "camera_info"))
    graph.wait_for(lambda: graph.says("calibration", DiagnosticStatus.WARN, word), f"{word!r} in diagnostics")
    assert not graph.heard["cloud"]
    assert not graph.heard["camera_info"]

    graph.calibrate(camera_info_of(64, 48))
    graph.ask(image_of(SCENE, graph.header()), "depth", "cloud", "camera_info")
    graph.wait_for(lambda: graph.says("calibration", DiagnosticStatus.OK, "64x48"), "the camera to be known")


def test_the_last_good_camera_stays_in_force(graph):
    graph.calibrate(camera_info_of(64, 48))
    graph.calibrate(camera_info_of(64, 48, k=[float("nan")] * 9))
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "NaN")
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "the last camera_info that was good stays in force")
    graph.ask(image_of(SCENE, graph.header()), "camera_info", "cloud")
    graph.calibrate(camera_info_of(64, 48, focal=1e308))
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "1e+308", "stays in force")
    graph.ask(image_of(SCENE, graph.header()), "camera_info", "cloud")
    graph.calibrate(camera_info_of(64, 48))
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK, "64x48")


@pytest.fixture(scope="module")
def trained(start, tmp_path_factory):
    """A node whose network knows the focal length of its training; its module is that of the tests' other one."""
    folder, manifest = (
        tmp_path_factory.mktemp("bundle") / "random",
        Manifest("random", PRUNED, training_focal=(200, 270)),
    )
    write_bundle(folder, manifest, random_weights(PRUNED), "# Random weights, for tests\n")
    return start(model=folder, max_depth=100.0, min_depth=0.0)


def test_depth_is_not_corrected_by_a_camera_that_cannot_be_believed(trained):
    graph = trained
    graph.calibrate(camera_info_of(64, 48, focal=210.0))
    (near,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    k = [52.5, 0.0, 15.5, 0.0, 52.5, 11.5, 0.0, 0.0, 1.0]
    graph.calibrate(camera_info_of(64, 48, k=k))
    (plain,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "not corrected for the focal length", "15.5")
    graph.calibrate(camera_info_of(64, 48, k=[52.5, 0.0, 31.5, 0.0, 105.0, 23.5, 0.0, 0.0, 1.0]))
    (same,) = graph.ask(image_of(SCENE, graph.header()), "depth", "cloud", "camera_info")[:1]
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "fy 105.0")
    assert plain.data == same.data != near.data
    graph.calibrate(camera_info_of(64, 48))


def test_a_picture_whose_distortion_is_not_known_is_that_of_k_and_said_to_be(trained):
    graph = trained
    graph.calibrate(camera_info_of(64, 48))
    (depth,) = graph.ask(image_of(SCENE, graph.header()), "depth")
    p = [26.25, 0.0, 31.5, 0.0, 0.0, 26.25, 23.5, 0.0, 0.0, 0.0, 1.0, 0.0]
    graph.calibrate(camera_info_of(64, 48, p=p, d=[-0.3, 0.1, 0.0, 0.0, 0.0], distortion_model="pinhole"))
    distorted, info = graph.ask(image_of(SCENE, graph.header()), "depth", "camera_info")
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, "not rectified", "pinhole is not known")
    assert distorted.data == depth.data
    assert (info.distortion_model, list(info.d)) == ("plumb_bob", [0.0] * 5)
    graph.calibrate(camera_info_of(64, 48))


def test_a_camera_info_of_another_frame_than_the_images_is_named(trained):
    graph = trained
    stranger = camera_info_of(64, 48)
    stranger.header.frame_id = "rear_eye"
    graph.calibrate(stranger)
    graph.ask(image_of(SCENE, graph.header()), "depth")
    words = "camera_info is of the frame 'rear_eye', the images of 'eye'"
    graph.wait_until_it_says("calibration", DiagnosticStatus.WARN, words, "Remap `camera_info`")
    stranger.header.frame_id = "eye"
    graph.calibrate(stranger)
    graph.wait_until_it_says("calibration", DiagnosticStatus.OK)


def test_silence_is_reported_with_its_likely_cause(start):
    graph = start(stale_after=0.5)
    topic = f"{graph.namespace}/image"
    publisher = graph.images
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.WARN, topic, "fastdds.xml"), "a silent publisher")
    graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.OK), "the camera to be well")
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.ERROR, topic, "fastdds.xml"), "a camera that stopped")
    assert "best effort" in graph.values("input")["publishers"]
    graph.node.destroy_publisher(publisher)
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.ERROR, topic, "no publisher"), "a camera that went")
    graph.images = graph.node.create_publisher(Image, "image", 5)
    graph.ask(image_of(SCENE, graph.header()), "depth")
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.OK, "Hz"), "the camera to be back")


def test_pictures_that_do_not_fit_into_shared_memory_are_told_the_size_that_they_need(start):
    graph = start(stale_after=0.5)
    graph.calibrate(camera_info_of(3840, 2160))
    graph.wait_for(
        lambda: graph.says("input", DiagnosticStatus.WARN, "24.9 MB", "64 MiB", "fastdds_large.xml"), "the size"
    )
    graph.calibrate(camera_info_of(64, 48))


@pytest.mark.parametrize(
    ("topic", "state"), [again("depth/points.publisher", "unconfigured"), ("image.subscription", "inactive")]
)
def test_a_qos_override_that_is_none_is_named(start, topic, state):
    namespace = f"/overridden_{state}"
    override = f"qos_overrides.{namespace}/{topic}.reliability:=perfect"
    graph = start("--ros-args", "-p", override, wait=False, namespace=namespace)
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "perfect", "best_effort"), "the refusal")
    assert graph.state == state


def test_qos_that_does_not_fit_is_named_and_can_be_overridden(start):
    namespace_topic = "image"
    reliable = start(stale_after=0.5)
    assert "best effort" in reliable.values("input")["subscription"]
    # An operator who insists on reliable images, and a driver that does not offer it.
    graph = start(
        "--ros-args",
        "-r",
        f"image:=/shared/{namespace_topic}",
        "-p",
        f"qos_overrides./shared/{namespace_topic}.subscription.reliability:=reliable",
        stale_after=0.5,
    )
    driver = graph.node.create_publisher(
        Image, f"/shared/{namespace_topic}", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    )
    graph.wait_for(
        lambda: graph.says("input", DiagnosticStatus.WARN, "QoS", "qos_overrides./shared/image"), "the misfit"
    )
    graph.node.destroy_publisher(driver)
    graph.images = graph.node.create_publisher(Image, f"/shared/{namespace_topic}", 5)
    graph.ask(image_of(SCENE, graph.header()), "depth")


def test_a_change_that_an_override_forbids_changes_nothing(start):
    namespace = "/forbidden"
    override = f"qos_overrides.{namespace}/range.subscription.reliability:=perfect"
    graph = start("--ros-args", "-p", override, namespace=namespace, anchoring="off")
    for _ in range(2):
        successful, reason = graph.set("anchoring", "auto")
        assert not successful
        assert "qos_override of range is not allowed" in reason
    assert graph.get("anchoring") == "off"
    assert graph.set("max_rate", 5.0) == (True, "")
    graph.wait_for(lambda: graph.node.count_subscribers(f"{namespace}/anchors") == 0, "what was subscribed to to go")
