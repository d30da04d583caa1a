"""One camera of the node: its topics, its calibration, its parameters, and the answers to its images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rclpy.node import Node

from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS
from fastdepth_ros.node.active import Active
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.camera_info import CameraInfoListener
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rclpy_ways.interface import Publisher, Way
from fastdepth_ros.node.topics import Topics
from fastdepth_ros.parameters import Parameters, calibration_of
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.engine import Engine


class OneCamera:
    """A camera through the node's lifecycle. Every method but :meth:`answers_of` is for the executor's thread.

    Args:
        node: whose camera it is.
        way: how rclpy is used.
        name: below which its topics are; empty where it is the only one.
        parameters: of it, in force.
        power: profile and governor.
        now: the time in the node's clock [s].
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        name: as above.
        parameters: as somebody set them; see :attr:`effective`.
        info: hears its calibration.
        publications: name of each output -> rclpy's publisher; none where the node is not configured.
        answers: to its images, as :meth:`answers_of` made them; None where no model is loaded.
        active: hears its images; None where the node is not active.
    """

    def __init__(
        self,
        node: Node,
        way: Way,
        name: str,
        parameters: Parameters,
        *,
        power: NodePower,
        now: Callable[[], float],
        log_failure: Callable[[Exception], None],
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.info = CameraInfoListener(node.get_logger())
        self.publications: Mapping[str, Any] = MappingProxyType({})
        self.answers: Answers | None = None
        self.active: Active | None = None
        self._publishers: Mapping[str, Publisher] = MappingProxyType({})
        self._node = node
        self._way = way
        self._topics = Topics(node, way, name)
        self._power = power
        self._now = now
        self._log_failure = log_failure
        self._rate = parameters.max_rate

    @property
    def effective(self) -> Parameters:
        """Its parameters, with the threads that profile and governor leave, and its share of the rate."""
        return self._power.leave(self.parameters, self._rate)

    def below(self, service: str) -> str:
        """The name of a service of the node's that is this camera's: ``~/front/calibrate_scale``."""
        return f"~/{self.name}/{service}" if self.name else f"~/{service}"

    def take_up(self, parameters: Parameters) -> None:
        """Have other parameters; those of its pictures hold with the next :meth:`enforce`."""
        self.parameters = parameters
        self.info.rectify(parameters.rectify, parameters.view_fov)
        self.info.take_file(calibration_of(parameters.camera_info_url))

    def enforce(self, rate: float) -> None:
        """Have the next image answered as parameters and power profile want it, and so many a second at most [Hz]."""
        self._rate = rate
        if self.active is not None:
            self.active.enforce(rate)
        if self.answers is not None:
            self.answers.apply(self.effective)

    def limit(self, rate: float) -> None:
        """Have so many images a second answered at most from now on [Hz]."""
        if rate != self._rate:
            self.enforce(rate)

    def sends(self, now: float) -> bool:
        """Whether its images come at present; ``now`` [s] is in the node's clock."""
        return self.active is not None and self.active.monitor.rate_in(now) > 0

    def keep_up(self) -> bool:
        """See what somebody publishes by now; to be called now and then.

        Returns:
            Whether there is more to be waited for beside its images.
        """
        return self.active is not None and self.active.keep_up()

    def anchor(self) -> None:
        """Hear what is measured besides, or not, as the parameters want it.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        if self.active is not None:
            self.active.anchor(self.parameters)

    def advertise(self) -> None:
        """Make the publishers of its outputs.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        self.publications = {output.name: self._topics.advertise(output) for output in OUTPUT_TOPICS}
        self._publishers = {name: self._way.publisher(publisher) for name, publisher in self.publications.items()}

    def answers_of(self, engine: Engine, manifest: Manifest) -> Answers:
        """Make its answers of a model, which several cameras may share. For the thread that answers."""
        return Answers(
            engine=engine,
            manifest=manifest,
            publishers=self._publishers,
            parameters=self.effective,
            calibration=lambda: self.info.calibration,
            noted=self._power.answered,
            now=self._now,
            log_failure=self._log_failure,
        )

    def activate(self) -> Active:
        """Subscribe to its topics.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        assert self.answers is not None
        self.active = Active(
            node=self._node,
            topics=self._topics,
            answers=self.answers,
            camera_info=self.info,
            parameters=self.effective,
            power=self._power,
            now=self._now,
            log_failure=self._log_failure,
        )
        return self.active

    def deactivate(self) -> None:
        """Unsubscribe. Nobody takes its images any more."""
        if self.active is not None:
            self.active.close()
        self.active = None

    def retract(self) -> None:
        """Give the outputs back. Nobody answers its images any more."""
        self.answers = None
        self._topics.retract()
        self.publications = self._publishers = MappingProxyType({})
