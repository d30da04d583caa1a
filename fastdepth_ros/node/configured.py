"""Parts of a configured node: the model, and the thread that answers images with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

from fastdepth_ros.models import find_bundle
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.one_camera import OneCamera
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rclpy_ways.interface import Inbox
from fastdepth_ros.node.turns import Turn, Turns
from fastdepth_ros.node.worker import Worker
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.late import LateFunctions, anchors_for
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import Choice, choose

OpenEngine = Callable[[CompiledModule, int], Engine]
"""Opens the engine of a compiled module on so many threads, as :func:`~fastdepth_ros.runtime.engines.open_engine`."""


class Configured:
    """Loads a model in a thread that answers images then. Every method is for the executor's thread.

    Args:
        parameters: which model, target and precision.
        power: says on how many threads, and how nicely.
        cameras: whose images are answered with it, in turn; their outputs are advertised.
        inbox: brings the images.
        open_engine: opens the model's engine.
        now: the time in the node's clock [s].
        say: is told what a user should know of the model.
        about: is told of bundle, engine and the choice of its precision once they are loaded.
    """

    def __init__(
        self,
        *,
        parameters: Parameters,
        power: NodePower,
        cameras: Sequence[OneCamera],
        inbox: Inbox[Any],
        open_engine: OpenEngine,
        now: Callable[[], float],
        say: Callable[[str], object],
        about: Callable[[Manifest, Engine, Choice], object],
    ) -> None:
        self._parameters = parameters
        self._power = power
        self._cameras = tuple(cameras)
        self._inbox = inbox
        self._open_engine = open_engine
        self._now = now
        self._say = say
        self._about = about
        self._answers: list[Answers] = []
        self._niceness = power.niceness
        self._worker: Worker[Any] = Worker(self._load, inbox, self._niceness.worker)
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
        """Wait until the model is loaded, and the cameras have their answers of it.

        Args:
            seconds: how often something is done meanwhile.
            meanwhile: what; where it raises, the wait ends.

        Raises:
            FastDepthError: the model cannot be had.
        """
        while not futures.wait([self._worker.ready], timeout=seconds).done:
            meanwhile()
        self._worker.ready.result()
        for camera, answers in zip(self._cameras, self._answers, strict=True):
            camera.answers = answers

    def hear(self, wanted: bool) -> None:
        """Have the images of all cameras answered, which are active, or of none."""
        images = [camera.active.images for camera in self._cameras if camera.active is not None]
        # A single camera's images come as ever: the worker does not ask whose they are.
        self._inbox.open((images[0] if len(self._cameras) == 1 else Turns(images)) if wanted else None)

    def enforce(self) -> None:
        """Have the thread as nice as the power profile wants it."""
        if self._power.niceness != self._niceness:
            self._niceness = self._power.niceness
            self._worker = self._worker.successor(self._niceness.worker)
            self._worker.start()

    def look_up(self) -> None:
        """Have what came without an image taken, as camera_info, to be told of with the next report.

        A camera whose image waits to be answered is not silent.
        """
        unread = self._inbox.unread()
        for camera in self._cameras:
            if camera.answers is not None and camera.active is not None and camera.active.images.waited[0] in unread:
                camera.answers.monitor.waits(self._now())
        self._inbox.look_up()

    def stop(self) -> None:
        """End the thread after the image that it answers. The publishers may be destroyed then."""
        self._worker.stop()

    def _load(self) -> Callable[[Any], None]:
        """Runs in the worker's thread. TVM's threads belong to the thread that calls it, so that one also warms up."""
        wanted = self._parameters
        bundle = find_bundle(wanted.model)
        choice = choose(bundle, wanted.target, wanted.precision)
        module = module_for(bundle, wanted.target, choice.precision, self._say)
        engine = self._open_engine(module, self._power.effective.threads)
        engine.run()
        # Depth comes without them, and a node that nothing measured reaches never needs them.
        if not module.description.on_gpu:
            engine.late = LateFunctions(lambda: anchors_for(bundle, wanted.target, self._say), self._say)
        answers = self._answers = [camera.answers_of(engine, bundle.manifest) for camera in self._cameras]
        self._about(bundle.manifest, engine, choice)

        def answer_turn(turn: Turn) -> None:
            answers[turn.camera].answer(turn.image)

        return answers[0].answer if len(answers) == 1 else answer_turn
