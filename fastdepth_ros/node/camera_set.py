"""The cameras of the node, as its parameters name them: one without a name, or several that share rate and network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from fastdepth_ros.errors import FastDepthError, SettingError
from fastdepth_ros.node.one_camera import OneCamera
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rclpy_ways.interface import Way
from fastdepth_ros.node.turns import shares
from fastdepth_ros.parameters import Parameters


class CameraSet:
    """Cameras that come and go with the parameter ``cameras``, and their services. For the executor's thread.

    Args:
        node: whose cameras they are.
        way: how rclpy is used.
        power: profile and governor.
        now: the time in the node's clock [s].
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        all: of them, in the parameter's order.
    """

    def __init__(
        self,
        node: Node,
        way: Way,
        *,
        power: NodePower,
        now: Callable[[], float],
        log_failure: Callable[[Exception], None],
    ) -> None:
        self.all: list[OneCamera] = []
        self._services: list[Any] = []
        self._node = node
        self._power = power
        self._now = now
        self._make = partial(OneCamera, node, way, power=power, now=now, log_failure=log_failure)

    def take_up(self, each: Mapping[str, Parameters]) -> None:
        """Have the cameras of these names, with these parameters; those of pictures hold with :meth:`enforce`."""
        if [camera.name for camera in self.all] != list(each):
            for service in self._services:
                self._node.destroy_service(service)
            self.all = [self._make(name, own) for name, own in each.items()]
            self._services = [
                self._node.create_service(Trigger, camera.below("calibrate_scale"), partial(self._calibrate, camera))
                for camera in self.all
            ]
        for camera in self.all:
            camera.take_up(each[camera.name])

    def enforce(self) -> None:
        """Have the next image of each answered as parameters and power profile want it."""
        for camera, rate in zip(self.all, self._shares(), strict=True):
            camera.enforce(rate)

    def share(self) -> None:
        """Divide the rate anew: one that fell silent takes nothing from the others."""
        if len(self.all) > 1:
            for camera, rate in zip(self.all, self._shares(), strict=True):
                camera.limit(rate)

    def keep_up(self) -> bool:
        """See what somebody publishes by now; to be called now and then.

        Returns:
            Whether there is more to be waited for beside the images.
        """
        changed = [camera.keep_up() for camera in self.all]
        return any(changed)

    def deactivate(self) -> None:
        """Unsubscribe. Nobody takes their images any more."""
        for camera in self.all:
            camera.deactivate()

    def retract(self) -> None:
        """Give the outputs back. Nobody answers their images any more."""
        for camera in self.all:
            camera.retract()

    def _shares(self) -> list[float]:
        """Images a second that each may have answered [Hz]."""
        limits = [camera.parameters.max_rate for camera in self.all]
        now = self._now()
        return shares(self._power.decision.rate, limits, [camera.sends(now) for camera in self.all])

    def _calibrate(self, camera: OneCamera, request: Any, response: Any) -> Any:  # noqa: ARG002
        """Answer ``~/calibrate_scale``: set depth_scale by the frames of late, or say why that cannot be."""
        try:
            if camera.answers is None or camera.active is None:
                raise SettingError("the node is not active", "Activate it, and ask again.")
            found = camera.answers.scale.find(camera.parameters, self._now())
            own = f"{camera.name}.depth_scale" if camera.name else "depth_scale"
            result = self._node.set_parameters([Parameter(own, value=found.scale)])[0]
            response.success = bool(result.successful)
            response.message = str(found) if result.successful else str(result.reason)
        except FastDepthError as error:
            response.success, response.message = False, str(error)
        return response
