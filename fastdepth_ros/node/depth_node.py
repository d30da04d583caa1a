"""The node: parameters, topics and the lifecycle, nothing else.

    image (or image/compressed), camera_info  ->  depth/image_rect, depth/camera_info, depth/points, /diagnostics
    anchors, scan, range, anchor_depth, imu, tf  ->  the same, anchored; depth/uncertainty

The worker's thread waits for images itself (:mod:`fastdepth_ros.node.inbox`), finds the one to be answered
(:mod:`fastdepth_ros.node.intake`) and answers it (:mod:`fastdepth_ros.node.answers`). Everything else is the executor's
thread's. What the node says of itself is made in :mod:`fastdepth_ros.node.reports`.
"""

from __future__ import annotations

import faulthandler
import math
import time
import traceback
from collections.abc import Callable
from concurrent import futures
from functools import wraps
from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from fastdepth_ros.diagnostics.monitor import Monitor
from fastdepth_ros.errors import FastDepthError, SettingError, brief, quoted
from fastdepth_ros.models import find_bundle
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.node.answers import Answers, Outputs
from fastdepth_ros.node.camera import Camera
from fastdepth_ros.node.clock import NodeClock, checked
from fastdepth_ros.node.ending import Ending
from fastdepth_ros.node.executor import NodeExecutor
from fastdepth_ros.node.inbox import Aside, Inbox
from fastdepth_ros.node.intake import Arrival, Intake
from fastdepth_ros.node.parameters import QOS, NodeParameters
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.process import give_memory_back, prepare_process
from fastdepth_ros.node.qos import answer, keeps, latched, qos_override, sensor
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.node.reports import Reporter
from fastdepth_ros.node.services import guard_services
from fastdepth_ros.node.worker import Worker
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine

SUCCESS, FAILURE, ERROR = (
    TransitionCallbackReturn.SUCCESS,
    TransitionCallbackReturn.FAILURE,
    TransitionCallbackReturn.ERROR,
)
FAREWELL = 15.0
"""How long leaving the graph may take [s]."""

JUDGE_PERIOD = 0.5
"""How often the governor is asked whether it wants something else [s]."""

USUAL = 2
"""Subscriptions of a node that hears one camera."""

MOST_KINDS = 50
"""Kinds of faults that are told."""

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def says_what_failed(transition: Transition) -> Transition:
    """Log what a transition raises, which rclpy would swallow, and return ERROR: the node is cleaned up then."""

    @wraps(transition)
    def guarded(node: DepthNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.fail(f"{transition.__name__} failed: {error!r}. Please report this.", error)
            return ERROR
        finally:
            node.report_soon()

    return guarded


class DepthNode(LifecycleNode):  # type: ignore[misc]  # rclpy ships no types
    """Answers the newest image of a camera with depth, its camera_info and a cloud.

    With ``autostart`` it configures and activates itself; if it cannot, it stays unconfigured, says why in the log and
    on /diagnostics, and can be configured again.

    Args:
        is_to_end: whether the process was told to end: then nothing is waited for.
        arguments: rclpy's.
    """

    def __init__(self, is_to_end: Callable[[], bool] = lambda: False, **arguments: Any) -> None:
        self._strange: dict[str, SettingError] = {}
        super().__init__("fastdepth", **arguments)
        self._is_to_end = is_to_end
        self._outlived: set[str] = set()
        guard_services(self, self.outlive)
        self._now = NodeClock(self.get_clock()).now
        self._advertised: list[Any] = []
        self._heard: list[Any] = []
        self._aside = Aside()
        self._inbox: Inbox[Arrival] | None = None
        self._intake: Intake | None = None
        self._worker: Worker[Arrival] | None = None
        self._answers: Answers | None = None
        self._anchors: AnchorSources | None = None
        self._limit = RateLimit()
        self._camera = Camera(self.get_logger())
        self._reporter = Reporter(self)
        self._settings = NodeParameters(self, self._on_change)
        for name, error in self._strange.items():
            self._settings.refuse(name, error)
        self._named: set[str] = set()
        self._name_unknown()
        self._power = NodePower(self.parameters, self._now)
        # Diagnostics go on while /clock stands still; their windows are in the node's clock all the same.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._period, self._reported = self.parameters.diagnostics_period, -math.inf
        self._report_timer = self.create_timer(self._period, self._report, clock=self._steady)
        self._soon = self.create_timer(0.0, self._report_now, clock=self._steady)
        self.create_timer(JUDGE_PERIOD, self._judge, clock=self._steady)
        if self.parameters.autostart:
            self._start_timer = self.create_timer(0.0, self._autostart, clock=self._steady)

    @property
    def state(self) -> str:
        """Label of the lifecycle state, as ``active``."""
        return str(self._state_machine.current_state[1])

    @property
    def parameters(self) -> Parameters:
        """The values in force."""
        return self._settings.current

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Any:
        """Declare a parameter; see rclpy. One of rclpy's own that was given what it cannot be has its default.

        The node does not configure then, and says why.
        """
        given = (name, value) if descriptor is None else (name, value, descriptor)
        try:
            return super().declare_parameter(*given, ignore_override=ignore_override)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            if name.startswith(QOS):
                raise  # its topic is not made
            self._strange[name] = SettingError(str(error), f"{name} is {_kind(value)}, as {str(value).lower()}.")
            return super().declare_parameter(*given, ignore_override=True)

    # Lifecycle

    def _autostart(self) -> None:
        self.destroy_timer(self._start_timer)
        if self.state != "unconfigured":
            return  # somebody was faster
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    @says_what_failed
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Open the bundle, have it compiled where it never was on this machine, and load it.

        Returns:
            SUCCESS: the node is inactive: its outputs are advertised, it hears no images yet.
            FAILURE: the node stays unconfigured: a parameter or QoS override is not allowed, the model is missing or
                altered, or cannot be compiled or loaded. The log and /diagnostics say which; then configure it again.
            ERROR: a fault of the node; :meth:`on_error` follows.
        """
        if self._settings.refused:
            first, *others = self._settings.refused.values()
            for error in others:
                self.get_logger().error(str(error))
            return self._cannot(first)
        started = time.monotonic()
        try:
            self._outputs = Outputs(
                self._publisher(Image, "depth/image_rect"),
                self._publisher(CameraInfo, "depth/camera_info"),
                self._publisher(PointCloud2, "depth/points"),
                self._publisher(Image, "depth/uncertainty"),
            )
            self._niceness = self._power.niceness
            self._inbox = Inbox(self.context)
            self._worker = Worker(self._load, self._inbox, self._niceness.worker)
            self._worker.start()
            self._wait_for(self._worker.ready)
        except (FastDepthError, ExternalShutdownException) as error:
            self._release()
            return self._cannot(error)
        parameters, took = self.parameters, time.monotonic() - started
        self.get_logger().info(f"{parameters.model} for {parameters.target}, ready after {took:.2f} s")
        self._reporter.problem = ""
        return SUCCESS

    @says_what_failed
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Subscribe to the camera.

        Returns:
            SUCCESS: the node is active and answers images.
            FAILURE: the node stays inactive: a QoS override is not allowed.
            ERROR: a fault of the node; :meth:`on_error` follows.
        """
        assert self._answers is not None
        assert self._inbox is not None
        compressed = self.parameters.image_transport == "compressed"
        self._limit = RateLimit(self._power.effective.max_rate)
        monitor = self._answers.monitor = Monitor(self._now())
        kind = CompressedImage if compressed else Image
        try:
            image = self._subscription(kind, self._image_topic(compressed))
            camera_info = self._subscription(CameraInfo, "camera_info")
            self._anchor(self.parameters)
        except SettingError as error:
            self._unsubscribe()
            self.fail(f"not active: {error}")
            return FAILURE
        self._camera.watch(image.topic_name)
        self._answers.calibration = self._camera.calibration
        self._reporter.watch(image, camera_info, self._outputs)
        self._intake = Intake(
            image,
            camera_info,
            compressed,
            self._on_camera_info,
            monitor,
            self._limit,
            self._power,
            self._now,
            self._log_failure,
        )
        self._camera_info, self._latched_publishers = camera_info, 0
        self._inbox.open(self._intake)
        self._name_unknown()
        self.get_logger().info(f"answers {image.topic_name} on {self._outputs.depth.topic_name}")
        return SUCCESS

    @says_what_failed
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Take leave of the camera.

        Returns:
            SUCCESS: the node is inactive; an image that was being answered is answered still.
            ERROR: a fault of the node; :meth:`on_error` follows.
        """
        self._unsubscribe()
        return SUCCESS

    @says_what_failed
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give the model and the outputs back.

        Returns:
            SUCCESS: the node is unconfigured; model, target and precision may change.
            ERROR: a fault of the node; :meth:`on_error` follows.
        """
        self._release()
        return SUCCESS

    @says_what_failed
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give everything back, from any state.

        Returns:
            SUCCESS: the node is finalized: it says so on /diagnostics and can only be ended.
            ERROR: a fault of the node; :meth:`on_error` follows.
        """
        self._release()
        return SUCCESS

    @says_what_failed
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:  # noqa: ARG002
        """Give everything back after a fault.

        Returns:
            SUCCESS: the node is unconfigured and may be configured again.
            ERROR: that failed, too, and the node is finalized.
        """
        self._release()
        return SUCCESS

    def fail(self, problem: str, error: Exception | None = None) -> None:
        """Say in the log, and on /diagnostics until the node was configured again, what went wrong."""
        self._reporter.problem = problem
        self.get_logger().error(problem)
        if error is not None and not isinstance(error, FastDepthError):
            self._log_failure(error)

    def outlive(self, error: Exception) -> None:
        """Log what a callback raised, ours or one of rclpy's own, once of each kind; the node goes on.

        Raises:
            Exception: the worker's own: nobody is to take a node for alive that answers no more.
        """
        if self._worker is not None and error is self._worker.fault:
            raise error
        where = traceback.extract_tb(error.__traceback__)[-1:]
        kind = f"{type(error).__name__} in {where[0].name} ({where[0].filename}:{where[0].lineno})" if where else ""
        if kind not in self._outlived and len(self._outlived) < MOST_KINDS:
            self._outlived.add(kind)
            self.get_logger().error(f"{brief(error)}: {kind}. The node goes on; this kind is told once.")

    def report_soon(self) -> None:
        """Report as soon as what is being done is done."""
        self._soon.reset()

    def close(self) -> None:
        """End the worker, and say so: nothing is published after this."""
        self._release()
        if self.context.ok():
            self._report("ended")
            self._reporter.flush()
        self._power.close()

    def _cannot(self, error: Exception) -> TransitionCallbackReturn:
        self.fail(f"not configured: {error}")
        return FAILURE

    def _load(self) -> Callable[[Arrival], None]:
        """Runs in the worker's thread. TVM's threads belong to the thread that calls it, so that one also warms up."""
        bundle = find_bundle(self.parameters.model)
        parameters, say = self.parameters, self.get_logger().warning
        module = module_for(bundle, parameters.target, parameters.precision, say)
        engine = open_engine(module, self._power.effective.threads)
        engine.run()
        self._answers = Answers(
            engine, bundle.manifest, self._outputs, self._now, self._power.effective, self._log_failure
        )
        self._answers.calibration = self._camera.calibration
        self._answers.noted = self._power.noted
        self._reporter.about(bundle.manifest, engine)
        return self._answers.answer

    def _wait_for(self, ready: futures.Future[None]) -> None:
        """Wait for the model, and keep /diagnostics going meanwhile.

        Raises:
            FastDepthError: the model cannot be had.
            ExternalShutdownException: the node is to end.
        """
        while not futures.wait([ready], timeout=min(1.0, self.parameters.diagnostics_period)).done:
            if self._is_to_end() or not self.context.ok():
                raise ExternalShutdownException
            self._report("configuring: the model is being compiled, once on this machine")
            self.get_logger().info(
                f"{self.parameters.model} is being compiled for {self.parameters.target}, once on this machine",
                throttle_duration_sec=10.0,
            )
        ready.result()

    def _unsubscribe(self) -> None:
        self._reporter.forget()
        self._anchors = None
        if self._answers is not None:
            self._answers.anchors = None
        self._intake = None
        if self._inbox is not None:
            self._inbox.open(None)
        while self._heard:
            self.destroy_subscription(self._heard.pop())

    def _release(self) -> None:
        self._unsubscribe()
        if self._worker is not None:
            self._worker.stop()
        while self._advertised:
            self.destroy_publisher(self._advertised.pop())
        self._worker = self._inbox = self._answers = None
        give_memory_back()

    # Topics

    def create_subscription(self, msg_type: Any, topic: str, callback: Any, *rest: Any, **options: Any) -> Any:
        """As rclpy's, which subscribes to /clock this way; no library unpacks what comes in."""
        if msg_type is ClockMessage:
            callback, options = checked(callback), {**options, "raw": True}
        return super().create_subscription(msg_type, topic, callback, *rest, **options)

    def _publisher(self, kind: type, topic: str) -> Any:
        with qos_override(topic) as overridable:
            publisher = self.create_publisher(kind, topic, answer(), qos_overriding_options=overridable)
        self._advertised.append(publisher)
        return publisher

    def _subscription(self, kind: type, topic: str, qos: QoSProfile | None = None) -> Any:
        """A subscription whose messages the worker takes."""
        with qos_override(topic) as overridable:
            return self._hear(kind, topic, qos or sensor(), qos_overriding_options=overridable)

    def _hear(self, kind: type, topic: str, qos: QoSProfile, **options: Any) -> Any:
        subscription = self.create_subscription(
            kind, topic, lambda _: None, qos, raw=True, callback_group=self._aside, **options
        )
        self._heard.append(subscription)
        return subscription

    def _hear_latched(self) -> None:
        """Hear a camera_info that was published once, for whoever comes later.

        A subscription that asks for what was published before does not fit a publisher that keeps nothing, as most do,
        and both ends would log that: so there is a second one only where a publisher keeps something.
        """
        if self._intake is None or self._inbox is None:
            return
        count = self._camera_info.get_publisher_count()
        if count == self._latched_publishers or len(self._intake.subscriptions) > USUAL:
            return
        self._latched_publishers = count
        if self._camera_info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            return  # as an override wants it
        topic = self._camera_info.topic_name
        if any(keeps(publisher) for publisher in self.get_publishers_info_by_topic(topic)):
            self._intake.hear_also(self._hear(CameraInfo, topic, latched()))

    def _anchor(self, parameters: Parameters) -> None:
        """Hear what is measured besides, or not, as an active node's parameters want it.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        assert self._answers is not None
        if parameters.anchoring == "off" and self._anchors is not None:
            self._answers.anchors, gone = None, self._anchors.subscriptions
            self._anchors = None
            self._heard = [each for each in self._heard if each not in gone]
            for each in gone:
                self.destroy_subscription(each)
        elif parameters.anchoring == "auto" and self._anchors is None:
            self._anchors = AnchorSources(
                self._subscription, self.count_publishers, parameters, self._now, self.get_logger()
            )
        elif self._anchors is not None:
            self._anchors.apply(parameters)
        self._answers.anchors = self._anchors

    def _image_topic(self, compressed: bool) -> str:
        """The image's topic; a remapping of ``image`` holds for ``image/compressed``, too, as with image_transport."""
        if not compressed:
            return "image"
        remapped = self.resolve_topic_name("image/compressed")
        if remapped != self.resolve_topic_name("image/compressed", only_expand=True):
            return str(remapped)
        return str(self.resolve_topic_name("image")).removesuffix("/compressed") + "/compressed"

    def _on_camera_info(self, serialized: bytes) -> None:
        """Runs in the worker's thread."""
        self._camera.hear(serialized)
        if self._answers is not None:
            self._answers.calibration = self._camera.calibration

    def _on_change(self, parameters: Parameters) -> None:
        """Parameters changed: what is live takes hold with the next image."""
        if parameters.diagnostics_period != self._period:
            self._period = parameters.diagnostics_period
            self._report_timer.timer_period_ns = int(self._period * 1e9)
            self._report_timer.reset()  # else the old period would have to end first
            if time.monotonic() - self._reported >= self._period:
                self.report_soon()
        self._power.apply(parameters)
        self._enforce()
        if self._answers is not None and self.state == "active":
            self._anchor(parameters)

    def _enforce(self) -> None:
        """Have the next image answered as parameters and power profile want it."""
        self._limit.rate = self._power.effective.max_rate
        if self._answers is not None:
            self._answers.parameters = self._power.effective
        if self._worker is not None and self._power.niceness != self._niceness:
            self._niceness = self._power.niceness
            self._worker = self._worker.successor(self._niceness.worker)
            self._worker.start()

    def _judge(self) -> None:
        """Let the governor see how the frames of late fared.

        Raises:
            Exception: the worker's, which ends the node: nobody is to take it for alive.
        """
        if self._worker is not None and self._worker.fault is not None:
            raise self._worker.fault
        if self._anchors is not None:
            self._anchors.keep_up()
        self._hear_latched()
        if self._power.judge(self._now(), self._worker.busy_since if self._worker is not None else None):
            self._enforce()
            self.get_logger().info(self._power.decision.reason)

    # Diagnostics

    def _name_unknown(self) -> None:
        """Name parameters that were given at start, and that nobody asked for: most likely they are misspelt."""
        unknown = self._settings.unknown(every_topic=self._intake is not None)
        self._reporter.unknown = unknown
        for name in sorted(set(unknown) - self._named)[:MOST_KINDS]:
            self._named.add(name)
            meant = f" Was {unknown[name]} meant?" if unknown[name] else ""
            self.get_logger().warning(f"there is no parameter {quoted(name)}, which was given at start.{meant}")

    def _report_now(self) -> None:
        self._soon.cancel()
        self._report()

    def _report(self, doing: str = "") -> None:
        self._reported = time.monotonic()
        if self._inbox is not None:
            if self._answers is not None and self._inbox.has_mail:
                self._answers.monitor.waits(self._now())
            self._inbox.look_up()  # camera_info may come without images, and is to be told of with the next report
        self._reporter.publish(doing or self.state, self._power, self._answers, self._camera.problem)

    def _log_failure(self, error: Exception) -> None:
        self.get_logger().error("".join(traceback.format_exception(error)), throttle_duration_sec=5.0)


def _kind(value: object) -> str:
    return "a boolean" if isinstance(value, bool) else f"of the type {type(value).__name__}"


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to end; that is status 0."""
    ending = Ending()
    prepare_process()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = DepthNode(lambda: ending.told)
        executor = NodeExecutor(node, node.outlive)
        ending.then(executor.stop)
        try:
            executor.spin()
        finally:
            # Fast DDS 3.2 can wait for itself for ever when other participants leave at this moment, with Python's lock
            # held; this ends the process all the same, and tells where it was.
            faulthandler.dump_traceback_later(FAREWELL, exit=True)
            node.close()
    except ExternalShutdownException:
        pass
    finally:
        rclpy.try_shutdown()
        faulthandler.cancel_dump_traceback_later()
    return 0
