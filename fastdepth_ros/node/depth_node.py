"""The node: its lifecycle, its parameters, and what is done now and then.

    image (or image/compressed), camera_info  ->  depth/image_rect, depth/camera_info, depth/points, /diagnostics
    anchors, scan, range, anchor_depth, imu, tf  ->  the same, anchored; depth/uncertainty

With several ``cameras``, each has these topics below its name, and they take turns at one engine.

A thread of its own waits for images and answers them (:mod:`fastdepth_ros.node.configured`). Everything else is the
executor's thread's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from fastdepth_ros.errors import FastDepthError, SettingError
from fastdepth_ros.node.camera_set import CameraSet
from fastdepth_ros.node.careful_node import CarefulNode
from fastdepth_ros.node.clock import NodeClock
from fastdepth_ros.node.configured import Configured, OpenEngine
from fastdepth_ros.node.parameter_files import unheard
from fastdepth_ros.node.parameters import NodeParameters
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.process import TRIM_PERIOD, give_memory_back, trim
from fastdepth_ros.node.rclpy_ways.choice import choose
from fastdepth_ros.node.rclpy_ways.interface import Way
from fastdepth_ros.node.report_timer import ReportTimer
from fastdepth_ros.node.reports import Reporter
from fastdepth_ros.node.transitions import ACTIVE, FAILURE, SUCCESS, UNCONFIGURED, transition
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.power.sampler import USUAL, Periods
from fastdepth_ros.runtime.engines import open_engine as open_any_engine

JUDGE_PERIOD = 0.5
"""Period in which the governor is asked whether it wants something else [s]."""


class DepthNode(CarefulNode):
    """Answers the newest image of a camera, or of several in turn, with depth, its camera_info and a cloud.

    With ``autostart`` it configures and activates itself; if it cannot, it stays unconfigured, says why in the log and
    on /diagnostics, and can be configured again.

    Args:
        is_to_end: whether the process was told to end: then nothing is waited for.
        open_engine: opens the engine of a compiled module, on so many threads.
        way: how rclpy is used, and why so; by default it is chosen.
        judge_period: how often the governor is asked whether it wants something else [s].
        power_periods: of the looks at the machine.
        command_line: of the process; a parameter file in it that names other nodes alone is reported.
        arguments: rclpy's.

    Attributes:
        state: label of the lifecycle state, as ``active``.
    """

    def __init__(
        self,
        is_to_end: Callable[[], bool] = lambda: False,
        *,
        open_engine: OpenEngine = open_any_engine,
        way: tuple[Way, str] | None = None,
        judge_period: float = JUDGE_PERIOD,
        power_periods: Periods = USUAL,
        command_line: Sequence[str] = (),
        **arguments: Any,
    ) -> None:
        self.state = UNCONFIGURED
        self._configured: Configured | None = None
        self.way, words = way or choose()
        super().__init__("fastdepth", self.way, **arguments)
        self._is_to_end = is_to_end
        self._open_engine = open_engine
        self._now = NodeClock(self.get_clock()).now
        self._reporter = Reporter(self, {"rclpy": words})
        self._settings = NodeParameters(self, self._on_change, self.way.parameter_overrides(self))
        for name, error in self.strange.items():
            self._settings.refuse(name, error)
        self._reporter.name_unknown(self._settings.unknown(every_topic=False))
        self._reporter.name_unheard(unheard(command_line, self.get_fully_qualified_name()))
        self._power = NodePower(self._settings.whole, self._now, power_periods)
        self._cameras = CameraSet(self, self.way, power=self._power, now=self._now, log_failure=self.faults.log)
        self._cameras.take_up(self._settings.each)
        self._enforce()
        # Diagnostics go on while /clock stands still; their windows are in the node's clock all the same.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._reports = ReportTimer(self, steady, self.parameters.diagnostics_period, self._report)
        self.create_timer(judge_period, self._judge, clock=steady)
        self.create_timer(TRIM_PERIOD, trim, clock=steady)
        if self.parameters.autostart:
            self._start_timer = self.create_timer(0.0, self._autostart, clock=steady)

    @property
    def parameters(self) -> Parameters:
        """The values in force; of several cameras, those that none has a value of its own of."""
        return self._settings.current

    # Lifecycle: a transition's SUCCESS leads to its state; an ERROR is a fault of the node, and on_error follows.

    def _autostart(self) -> None:
        self.destroy_timer(self._start_timer)
        if self.state != UNCONFIGURED:
            return  # somebody was faster
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    @transition
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Open the bundle, have it compiled where it never was on this machine, and load it.

        Returns:
            SUCCESS: the node is inactive: its outputs are advertised, it hears no images yet.
            FAILURE: the node stays unconfigured: a parameter or QoS override is not allowed, the model is missing or
                altered, or cannot be compiled or loaded. The log and /diagnostics say which; then configure it again.
        """
        if self._settings.refused:
            first, *others = self._settings.refused.values()
            for error in others:
                self.get_logger().error(str(error))
            self.fail(f"not configured: {first}")
            return FAILURE
        started = time.monotonic()
        try:
            for camera in self._cameras.all:
                camera.advertise()
            self._configured = Configured(
                parameters=self.parameters,
                power=self._power,
                cameras=self._cameras.all,
                inbox=self.way.inbox(self.context),
                open_engine=self._open_engine,
                now=self._now,
                say=self.get_logger().warning,
                about=self._reporter.about,
            )
            self._configured.wait(min(1.0, self.parameters.diagnostics_period), self._preparing)
        except (FastDepthError, ExternalShutdownException) as error:
            self._release()
            self.fail(f"not configured: {error}")
            return FAILURE
        parameters, took = self.parameters, time.monotonic() - started
        self.get_logger().info(f"{parameters.model} for {parameters.target}, ready after {took:.2f} s")
        self._reporter.problem = ""
        return SUCCESS

    @transition
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Subscribe to the cameras.

        Returns:
            SUCCESS: the node is active and answers images.
            FAILURE: the node stays inactive: a QoS override is not allowed.
        """
        assert self._configured is not None
        try:
            active = [camera.activate() for camera in self._cameras.all]
        except SettingError as error:
            self._unsubscribe()
            self.fail(f"not active: {error}")
            return FAILURE
        self._hear()
        self._reporter.name_unknown(self._settings.unknown(every_topic=True))
        for camera, heard in zip(self._cameras.all, active, strict=True):
            depth = camera.publications["depth"].topic_name
            self.get_logger().info(f"answers {heard.image.topic_name} on {depth}")
        return SUCCESS

    @transition
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Take leave of the cameras; an image that was being answered is answered still."""
        self._unsubscribe()
        give_memory_back()
        return SUCCESS

    @transition
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give the model and the outputs back; model, target and precision may change then."""
        self._release()
        return SUCCESS

    @transition
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give everything back, from any state: the node says so on /diagnostics and can only be ended."""
        self._release()
        return SUCCESS

    @transition
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give everything back after a fault: it may be configured again, or is finalized where that fails, too."""
        self._release()
        return SUCCESS

    def fail(self, problem: str, error: Exception | None = None) -> None:
        """Say in the log, and on /diagnostics until the node was configured again, what went wrong."""
        self._reporter.problem = problem
        self.get_logger().error(problem)
        if error is not None and not isinstance(error, FastDepthError):
            self.faults.log(error)

    def outlive(self, error: Exception) -> None:
        """Log what a callback raised, once of each kind; the node goes on.

        Raises:
            Exception: the worker's own: nobody is to take a node for alive that answers no more.
        """
        if self._configured is not None and error is self._configured.fault:
            raise error
        super().outlive(error)

    def report_soon(self) -> None:
        """Report as soon as what is being done is done."""
        self._reports.soon()

    def close(self) -> None:
        """End the worker, and say so: nothing is published after this."""
        self._release()
        if self.context.ok():
            self._report("ended")
            self._reporter.flush()
        self._power.close()

    def _preparing(self) -> None:
        """Keep /diagnostics going while the model is waited for.

        Raises:
            ExternalShutdownException: the node is to end.
        """
        if self._is_to_end() or not self.context.ok():
            raise ExternalShutdownException("the process is to end")
        doing = "is being loaded, or compiled once on this machine"
        self._report(f"configuring: the model {doing}")
        words = f"{self.parameters.model} for {self.parameters.target} {doing}"
        self.get_logger().info(words, throttle_duration_sec=10.0)

    def _unsubscribe(self) -> None:
        if self._configured is not None:
            self._configured.hear(wanted=False)
        self._cameras.deactivate()

    def _release(self) -> None:
        self._unsubscribe()
        if self._configured is not None:
            self._configured.stop()
        self._cameras.retract()
        self._configured = None
        give_memory_back()

    # Now and then

    def _on_change(self, parameters: Parameters) -> None:
        """Parameters changed: what is live takes hold with the next image."""
        self._reports.change(parameters.diagnostics_period)
        self._power.apply(self._settings.whole)
        self._cameras.take_up(self._settings.each)
        self._enforce()
        if self.state == ACTIVE:
            for camera in self._cameras.all:
                camera.anchor()
            self._hear()

    def _hear(self) -> None:
        """Have images answered, and what comes beside them made ready."""
        if self._configured is not None:
            self._configured.hear(wanted=True)

    def _enforce(self) -> None:
        """Have the next image answered as parameters and power profile want it."""
        self._cameras.enforce()
        if self._configured is not None:
            self._configured.enforce()

    def _judge(self) -> None:
        """Let the governor see how the frames of late fared.

        Raises:
            Exception: the worker's, which ends the node: nobody is to take it for alive.
        """
        configured = self._configured
        if configured is not None and configured.fault is not None:
            raise configured.fault
        if self._cameras.keep_up():
            self._hear()
        if self._power.judge(self._now(), configured.busy_since if configured is not None else None):
            self._enforce()
            self.get_logger().info(self._power.decision.reason)
        else:
            self._cameras.share()

    def _report(self, doing: str = "") -> None:
        self._reports.reported()
        if self._configured is not None:
            self._configured.look_up()
        self._reporter.publish(doing or self.state, self._power, self._cameras.all)
