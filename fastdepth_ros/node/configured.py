"""Parts of a configured node: the model, and the thread that answers images with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any

from fastdepth_ros.models import find_bundle
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.camera_info import CameraInfoListener
from fastdepth_ros.node.newest_image import ReceivedImage
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rclpy_ways.interface import Inbox, Publisher
from fastdepth_ros.node.worker import Worker
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import Choice, choose

OpenEngine = Callable[[CompiledModule, int], Engine]
"""Opens the engine of a compiled module on so many threads, as :func:`~fastdepth_ros.runtime.engines.open_engine`."""


class Configured:
    """Loads a model in a thread that answers images then. Every method is for the executor's thread.

    Args:
        parameters: which model, target and precision.
        power: says on how many threads, how nicely, and is told of each answer.
        publishers: name of each output topic -> its publisher.
        publications: the same as rclpy's publishers, for reports.
        camera_info: knows the calibration.
        inbox: brings the images.
        open_engine: opens the model's engine.
        now: the time in the node's clock [s].
        say: is told what a user should know of the model.
        about: is told of bundle, engine and the choice of its precision once they are loaded.
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        inbox: as above.
        publications: as above.
        answers: to images; None until the model is loaded.
    """

    def __init__(
        self,
        *,
        parameters: Parameters,
        power: NodePower,
        publishers: Mapping[str, Publisher],
        publications: Mapping[str, Any],
        camera_info: CameraInfoListener,
        inbox: Inbox[ReceivedImage],
        open_engine: OpenEngine,
        now: Callable[[], float],
        say: Callable[[str], object],
        about: Callable[[Manifest, Engine, Choice], object],
        log_failure: Callable[[Exception], None],
    ) -> None:
        self.inbox = inbox
        self.publications = publications
        self.answers: Answers | None = None
        self._parameters = parameters
        self._power = power
        self._publishers = publishers
        self._camera_info = camera_info
        self._open_engine = open_engine
        self._now = now
        self._say = say
        self._about = about
        self._log_failure = log_failure
        self._niceness = power.niceness
        self._worker: Worker[ReceivedImage] = Worker(self._load, inbox, self._niceness.worker)
        self._worker.start()

    @property
    def fault(self) -> BaseException | None:
        """Fault that ended the thread although nobody stopped it; None where there is none."""
        return self._worker.fault

    @property
    def busy_since(self) -> float | None:
        """Since when it works on its image [s, ``time.perf_counter``]; None where it waits for one."""
        return self._worker.busy_since

    def wait(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        """Wait until the model is loaded.

        Args:
            seconds: how often something is done meanwhile.
            meanwhile: what; where it raises, the wait ends.

        Raises:
            FastDepthError: the model cannot be had.
        """
        while not futures.wait([self._worker.ready], timeout=seconds).done:
            meanwhile()
        self._worker.ready.result()

    def enforce(self) -> None:
        """Have the next image answered as parameters and power profile want it."""
        if self.answers is not None:
            self.answers.apply(self._power.effective)
        if self._power.niceness != self._niceness:
            self._niceness = self._power.niceness
            self._worker = self._worker.successor(self._niceness.worker)
            self._worker.start()

    def look_up(self) -> Answers | None:
        """Have what came without an image taken, as camera_info, to be told of with the next report.

        Returns:
            The answers, which know whether an image waits.
        """
        if self.answers is not None and self.inbox.has_mail:
            self.answers.monitor.waits(self._now())
        self.inbox.look_up()
        return self.answers

    def stop(self) -> None:
        """End the thread after the image that it answers. The publishers may be destroyed then."""
        self._worker.stop()
        self.answers = None

    def _load(self) -> Callable[[ReceivedImage], None]:
        """Runs in the worker's thread. TVM's threads belong to the thread that calls it, so that one also warms up."""
        wanted = self._parameters
        bundle = find_bundle(wanted.model)
        choice = choose(bundle, wanted.target, wanted.precision)
        module = module_for(bundle, wanted.target, choice.precision, self._say)
        engine = self._open_engine(module, self._power.effective.threads)
        engine.run()
        answers = self.answers = Answers(
            engine=engine,
            manifest=bundle.manifest,
            publishers=self._publishers,
            parameters=self._power.effective,
            calibration=lambda: self._camera_info.calibration,
            noted=self._power.answered,
            now=self._now,
            log_failure=self._log_failure,
        )
        self._about(bundle.manifest, engine, choice)
        return answers.answer
