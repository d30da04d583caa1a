"""Parts of an active node: it hears the camera, and what is measured."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fastdepth_ros.codec.video import check_installed
from fastdepth_ros.diagnostics.monitor import Monitor
from fastdepth_ros.messages.video import TYPES, VideoUnpacker, packet_type
from fastdepth_ros.node.anchor_echo import Loops
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.camera_info import CameraInfoListener
from fastdepth_ros.node.newest_image import NewestImage
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.node.topics import LatchedCameraInfo, Topics
from fastdepth_ros.parameters import Parameters

KINDS = {"raw": Image, "compressed": CompressedImage}
"""Transport of pictures -> its messages."""

SUFFIXES = {"raw": "", "video": "compressed"}
"""Transport -> what its topic is called below that of the raw images, where that is not its own name."""

VIDEO_QUEUE = 60
"""Packets of a video that wait to be taken: of two seconds, in which the node may be busy."""


class Active:
    """Subscribes, and has a worker's images taken from there. Every method is for the executor's thread.

    Args:
        node: that subscribes.
        topics: its subscribers.
        answers: to the images.
        camera_info: hears the camera's calibration.
        parameters: in force.
        power: counts the images.
        now: the time in the node's clock [s].
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        images: takes the camera's messages.
        image, camera_info: rclpy's subscriptions, for reports.
        monitor: takes notes of what becomes of the images.

    Raises:
        SettingError: a QoS override is not allowed, or what decodes or names the camera's messages is not installed.
    """

    def __init__(
        self,
        *,
        node: Node,
        topics: Topics,
        answers: Answers,
        camera_info: CameraInfoListener,
        parameters: Parameters,
        power: NodePower,
        now: Callable[[], float],
        log_failure: Callable[[Exception], None],
    ) -> None:
        self._logger = node.get_logger()
        self._topics = topics
        self._answers = answers
        self._now = now
        self._anchors: AnchorSources | None = None
        self._images: NewestImage | None = None
        self._robot = RobotFrames(topics.subscribe)
        self._loops = Loops(node, lambda: topics.advertised)
        transport = parameters.image_transport
        monitor = self.monitor = Monitor(now())
        video = video_of(transport)
        try:
            images = topics.subscribe_images(
                packet_type(transport) if video is not None else KINDS[transport],
                SUFFIXES.get(transport, transport),
                VIDEO_QUEUE if video is not None else 1,
            )
            camera_infos = topics.subscribe(CameraInfo, "camera_info")
            self.anchor(parameters)
        except BaseException:
            self.close()
            raise
        self.image, self.camera_info = images.subscription, camera_infos.subscription
        self._latched = LatchedCameraInfo(node, topics, self.camera_info)
        answers.derived.robot = self._robot
        camera_info.watch(self.image.topic_name)
        answers.watch(monitor)
        self._limit = RateLimit(parameters.max_rate)
        self.images = self._images = NewestImage(
            images,
            camera_infos,
            compressed=transport == "compressed",
            hear=camera_info.hear,
            monitor=monitor,
            limit=self._limit,
            power=power,
            now=now,
            log_failure=log_failure,
            video=video,
            left_over=answers.left_over,
        )
        self.images.aside = self._anchors

    def enforce(self, rate: float) -> None:
        """Let so many images a second through [Hz]; 0 is all of them."""
        self._limit.rate = rate

    def anchor(self, parameters: Parameters) -> None:
        """Hear what is measured besides, or not, as the parameters want it. An inbox of its images is opened anew then.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        if parameters.anchoring == "off" and self._anchors is not None:
            self._answers.anchor(None)
            self._topics.unsubscribe([*self._anchors.subscribers, *self._robot.release()])
            self._anchors = None
        elif parameters.anchoring == "auto" and self._anchors is None:
            with self._topics.all_or_none():
                self._anchors = AnchorSources(
                    self._topics.subscribe,
                    self._topics.publishers,
                    parameters,
                    self._now,
                    self._logger,
                    self._robot,
                    self._loops.find,
                )
        elif self._anchors is not None:
            self._anchors.apply(parameters)
        self._answers.anchor(self._anchors)
        self._answers.derived.made = self._anchors.derived if self._anchors is not None else None
        if self._images is not None:
            self._images.aside = self._anchors

    def keep_up(self) -> bool:
        """See what somebody publishes by now; to be called now and then.

        Returns:
            Whether there is more to be waited for beside the images: an inbox of theirs is to be opened anew.
        """
        before = self.images.besides
        if self._anchors is not None:
            self._anchors.keep_up()
        self._robot.keep_up()
        latched = self._latched.find()
        if latched is not None:
            self.images.hear_also(latched)
        return self.images.besides != before

    def close(self) -> None:
        """Unsubscribe. Nobody takes images from here any more."""
        self._answers.anchor(None)
        self._answers.derived.robot = self._answers.derived.made = None
        if self._images is not None:
            self._images.aside = None
        self._topics.unsubscribe()


def video_of(transport: str) -> VideoUnpacker | None:
    """Who unpacks a camera's packets of video; None where it sends pictures.

    Raises:
        SettingError: nothing that decodes them is installed.
    """
    if transport not in TYPES:
        return None
    check_installed()
    return VideoUnpacker(transport)
