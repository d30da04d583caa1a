"""The node's publishers and subscribers: made with a user's overrides of their QoS, and destroyed together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo

from fastdepth_ros.cameras import IMAGE
from fastdepth_ros.diagnostics.graph import publishers_of
from fastdepth_ros.messages.output_topics import OutputTopic
from fastdepth_ros.node.qos import hears_latched, keeps, latched, publisher_qos, qos_override, subscription_qos
from fastdepth_ros.node.rclpy_ways.interface import Subscriber, Way


class Topics:
    """Makes and destroys a node's publishers and subscribers, in the executor's thread.

    Args:
        node: whose they are.
        way: how rclpy is used.
        camera: name below which they are; empty where their names are plain.
    """

    def __init__(self, node: Node, way: Way, camera: str = "") -> None:
        self._node = node
        self._below = f"{camera}/" if camera else ""
        self._image = f"{camera}/{IMAGE}" if camera else "image"
        self._way = way
        self._advertised: list[Any] = []
        self._subscribers: list[Subscriber] = []

    @property
    def advertised(self) -> Sequence[Any]:
        """All publishers."""
        return tuple(self._advertised)

    def advertise(self, output: OutputTopic) -> Any:
        """Make the publisher of an output.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        topic = self._below + output.topic
        with qos_override(topic) as overridable:
            publisher = self._node.create_publisher(
                output.message, topic, publisher_qos(output.queue), qos_overriding_options=overridable
            )
        self._advertised.append(publisher)
        return publisher

    def subscribe(self, kind: type, topic: str, qos: QoSProfile | None = None) -> Subscriber:
        """Subscribe to a topic, below the camera's name unless it is absolute; by default as to the camera's.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        return self._subscribe_as_wanted(kind, topic if topic.startswith("/") else self._below + topic, qos)

    def subscribe_images(self, kind: type, transport: str = "", queue: int = 1) -> Subscriber:
        """Subscribe to the camera's images.

        Args:
            kind: of the messages.
            transport: name below that of the raw images; empty for these.
            queue: messages that wait at most.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        return self._subscribe_as_wanted(kind, self._image_topic(transport), subscription_qos(queue))

    def _subscribe_as_wanted(self, kind: type, topic: str, qos: QoSProfile | None = None) -> Subscriber:
        with qos_override(topic) as overridable:
            return self._subscribe(kind, topic, qos or subscription_qos(), qos_overriding_options=overridable)

    def subscribe_latched(self, kind: type, topic: str) -> Subscriber:
        """Subscribe once more to a topic, for what was published there before; its QoS is not overridden."""
        return self._subscribe(kind, topic, latched())

    def _subscribe(self, kind: type, topic: str, qos: QoSProfile, **options: Any) -> Subscriber:
        subscriber = self._way.subscriber(self._node, kind, topic, qos, **options)
        self._subscribers.append(subscriber)
        return subscriber

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Destroy what was subscribed to meanwhile if something is raised."""
        before = list(self._subscribers)
        try:
            yield
        except BaseException:
            self.unsubscribe([each for each in self._subscribers if each not in before])
            raise

    def publishers(self, topic: str) -> int:
        """Count the publishers of a topic."""
        return int(self._node.count_publishers(topic))

    def _image_topic(self, transport: str) -> str:
        """The image's topic; a remapping of ``image`` holds for ``image/compressed``, too, as with image_transport."""
        if not transport:
            return self._image
        remapped = self._node.resolve_topic_name(f"{self._image}/{transport}")
        if remapped != self._node.resolve_topic_name(f"{self._image}/{transport}", only_expand=True):
            return str(remapped)
        return str(self._node.resolve_topic_name(self._image)).removesuffix(f"/{transport}") + f"/{transport}"

    def unsubscribe(self, subscribers: Iterable[Subscriber] | None = None) -> None:
        """Destroy some subscribers, or all. Nobody takes their messages any more."""
        gone = list(self._subscribers if subscribers is None else subscribers)
        self._subscribers = [each for each in self._subscribers if each not in gone]
        for each in gone:
            each.destroy()

    def retract(self) -> None:
        """Destroy all publishers."""
        while self._advertised:
            self._node.destroy_publisher(self._advertised.pop())


class LatchedCameraInfo:
    """Finds a camera_info that was published once, for whoever comes later.

    A subscription that asks for what was published before does not fit a publisher that keeps nothing, as most do, and
    both ends would log that: so there is a second one only where a publisher keeps something.

    Args:
        node: that looks at the graph.
        topics: makes the second subscriber.
        camera_info: the first one's subscription.
    """

    def __init__(self, node: Node, topics: Topics, camera_info: Any) -> None:
        self._node = node
        self._topics = topics
        self._camera_info = camera_info
        self._publishers = 0
        self._found = hears_latched(camera_info.qos_profile)  # as overrides may want it

    def find(self) -> Subscriber | None:
        """A second subscriber, once; None where there is nothing to be found, or it was found already."""
        count = 0 if self._found else self._camera_info.get_publisher_count()
        if count == self._publishers:
            return None
        topic = self._camera_info.topic_name
        publishers = publishers_of(self._node, topic)
        if publishers is None:
            return None
        self._publishers = count
        if not any(keeps(publisher) for publisher in publishers):
            return None
        self._found = True
        return self._topics.subscribe_latched(CameraInfo, topic)
