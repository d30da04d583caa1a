"""Video is answered: every packet is decoded, the newest picture answered, nothing made of what is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import depth_of
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from robot import BOTH_WAYS, Robot
from sensor_msgs.msg import CameraInfo, CompressedImage
from std_msgs.msg import Header
from videos import encoded, film

from fastdepth_ros.codec.video import NoKeyFrameError
from fastdepth_ros.diagnostics.monitor import Drop, Monitor
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.video import VideoUnpacker, packet_type
from fastdepth_ros.node.newest_image import NewestImage
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline
from fastdepth_ros.runtime.engines import open_engine

GOP = 6
FILM = film(GOP, 240, 320)
KEEP_ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture(scope="module")
def packets():
    return encoded(FILM, "h264", GOP)


def message_of(packet: bytes, number: int, sec: int = 1000) -> CompressedImage:
    header = Header(frame_id="camera")
    header.stamp.sec, header.stamp.nanosec = sec, number
    message = CompressedImage(header=header, format="h264")
    message.data.frombytes(packet)
    return message


def decoded(packets) -> list[np.ndarray]:
    """The pictures of packets, as a reader gives them that got each at once."""
    from rclpy.serialization import serialize_message

    unpacker, reader = VideoUnpacker("video"), PictureReader()
    found = []
    for number, packet in enumerate(packets):
        video = unpacker.unpack(serialize_message(message_of(packet, number)))
        unpacker.hand_over(video)
        found.append(reader.read(video).pixels.copy())
    return found


def test_a_camera_that_sends_video_is_answered(start, bundle, module, packets):
    pipeline = Pipeline(open_engine(module), bundle.manifest)
    wanted = [pipeline.run(Picture(pixels, "rgb")).depth.copy() for pixels in decoded(packets)]
    graph = start(image_transport="video")
    graph.read("depth")
    seen: set[int] = set()
    turns = iter(range(10**6))

    def several_are_answered() -> bool:
        sec = 1000 + next(turns)
        for number, packet in enumerate(packets):
            graph.compressed.publish(message_of(packet, number, sec))
            graph.spin(0.03)
        for depth in graph.heard["depth"]:
            number = depth.header.stamp.nanosec
            np.testing.assert_array_equal(depth_of(depth), wanted[number])
            seen.add(number)
        graph.heard["depth"].clear()
        return len(seen - {0}) >= 2

    graph.wait_for(several_are_answered, "answers to pictures that are not key frames")
    graph.end()


def test_packets_without_a_key_frame_are_named_and_not_answered(start, packets):
    graph = start(image_transport="video")
    graph.read("depth")

    def said() -> bool:
        graph.compressed.publish(message_of(packets[1], 1))
        graph.spin(0.05)
        return int(graph.values("inference").get("dropped: before a key frame of the video", 0)) > 0

    graph.wait_for(said, "the node to say what it lacks")
    assert not graph.heard["depth"]
    graph.end()


def test_without_the_messages_package_the_node_says_what_to_install(start):
    try:
        packet_type("ffmpeg")
    except Exception:
        graph = start(wait=False, image_transport="ffmpeg")
        words = ("ffmpeg_image_transport_msgs is not installed", "Install ros-")
        graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, *words), "the reason and the remedy")
        graph.end()
    else:
        pytest.skip("it is installed here")


@pytest.fixture
def power(tmp_path) -> Iterator[NodePower]:
    power = NodePower(Parameters(board_root=str(tmp_path)), time.time)
    yield power
    power.close()


class Trial:
    """What the node takes of a camera that sends video."""

    def __init__(self, robot: Robot, power: NodePower, qos: QoSProfile, rate: float = 0.0) -> None:
        self._robot = robot
        self._images = robot.subscriber(CompressedImage, "image/compressed", qos)
        self._publisher = robot.publisher(self._images.subscription)
        self.monitor, self.reader = Monitor(0.0), PictureReader()
        self._newest = NewestImage(
            self._images,
            robot.subscriber(CameraInfo, "camera_info", NEWEST),
            compressed=False,
            hear=lambda _: None,
            monitor=self.monitor,
            limit=RateLimit(rate),
            power=power,
            now=time.time,
            video=VideoUnpacker("video"),
        )

    def send(self, packets, *numbers: int) -> None:
        messages = [message_of(packets[number % GOP], number * 33_000_000) for number in numbers]
        self._robot.deliver(self._images, self._publisher, *messages)

    def take(self) -> np.ndarray | None:
        """The picture that is to be answered."""
        image = self._newest.take(time.time_ns())
        return None if image is None else self.reader.read(image.message).pixels


@pytest.mark.parametrize("way", BOTH_WAYS, indirect=True)
class TestTaking:
    def test_what_waited_is_decoded_and_the_newest_answered(self, robot, power, packets):
        trial, pictures = Trial(robot, power, KEEP_ALL), decoded(packets)
        for numbers in ((0,), (1, 2, 3), (4, 5, 6, 7)):
            trial.send(packets, *numbers)
            np.testing.assert_array_equal(trial.take(), pictures[numbers[-1] % GOP])
        assert trial.monitor.report(time.time()).dropped == {Drop.REPLACED: 5}

    def test_what_max_rate_holds_back_is_decoded_with_the_next(self, robot, power, packets):
        trial, pictures = Trial(robot, power, KEEP_ALL, rate=10.0), decoded(packets)
        answered = []
        for number in range(GOP):
            trial.send(packets, number)
            picture = trial.take()
            if picture is not None:
                np.testing.assert_array_equal(picture, pictures[number])
                answered.append(number)
        assert answered == [0, 3]

    def test_nothing_is_made_of_packets_after_one_that_is_lost(self, robot, power, packets):
        trial = Trial(robot, power, NEWEST)
        trial.send(packets, 0)
        assert trial.take() is not None
        trial.send(packets, 1, 2, 3)
        with pytest.raises(NoKeyFrameError):
            trial.take()
        trial.send(packets, GOP)
        np.testing.assert_array_equal(trial.take(), decoded(packets)[0])
