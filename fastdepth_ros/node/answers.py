"""Answers to images: each is decoded, turned into depth, published, and noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastdepth_ros.codec.video import NoKeyFrameError
from fastdepth_ros.diagnostics.monitor import Drop, Monitor
from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.filters.gate import Gate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.anchor_found import Found
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.node.assumptions import assumptions
from fastdepth_ros.node.camera_info import Calibration
from fastdepth_ros.node.demand import Demand
from fastdepth_ros.node.derived import DerivedAnswers
from fastdepth_ros.node.kept_frames import Framed, KeptFrames
from fastdepth_ros.node.known_camera import KnownCamera
from fastdepth_ros.node.left_over import LeftOver
from fastdepth_ros.node.newest_image import ReceivedImage
from fastdepth_ros.node.power import Answered
from fastdepth_ros.node.publishing import Publishing
from fastdepth_ros.node.rclpy_ways.interface import Publisher
from fastdepth_ros.node.scale import ScaleFinder
from fastdepth_ros.parameters import Parameters, mask_of
from fastdepth_ros.pipeline import DepthFrame, Pipeline
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.engine import Engine


class Answers:
    """Answers images, one after the other, in one thread.

    Args:
        engine: the network, compiled.
        manifest: of its bundle.
        publishers: name of each output topic -> its publisher.
        parameters: in force with the first image.
        calibration: gives the camera's; None where it is not known.
        noted: is told of each answer.
        now: the time in the node's clock [s], for ages.
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        monitor: takes the notes.
        derived: makes what is neither the pipeline's nor the calibration's.
        scale: finds depth_scale, where somebody asks.
        left_over: work that the latest answer left; for the thread that answers images.
        picture_bytes: of the latest image [B]; 0 before the first.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        manifest: Manifest,
        publishers: Mapping[str, Publisher],
        parameters: Parameters,
        calibration: Callable[[], Calibration | None],
        noted: Callable[[Answered], None],
        now: Callable[[], float],
        log_failure: Callable[[Exception], None],
    ) -> None:
        self.monitor = Monitor(0.0)
        self.derived = DerivedAnswers(getattr(engine, "bind", None))
        self.scale = ScaleFinder()
        self.left_over = LeftOver(self._failed)
        self.picture_bytes = 0
        self._demand = Demand(publishers, parameters)
        self._camera = KnownCamera(calibration)
        self._publishing = Publishing(publishers, self._camera, self.derived)
        self._noted = noted
        self._now = now
        self._log_failure = log_failure
        self._engine = engine
        self._manifest = manifest
        self._anchors: AnchorSources | None = None
        self._parameters = self._applied = parameters
        self._reader = PictureReader()
        self._read_as(parameters)
        self._frames = KeptFrames(self._made)
        self._turn_to(self._frames.current)

    # From any thread

    @property
    def threads(self) -> int:
        """Cores that the network uses."""
        return self._engine.threads

    @property
    def size_problem(self) -> str:
        """Why the calibration does not fit the latest image; empty where it does."""
        return self._camera.problem

    @property
    def notes(self) -> dict[str, str]:
        """Assumptions about the images, by what they are about."""
        problem = self._anchors.upright_problem if self._anchors else "nothing is heard"
        return assumptions(self._applied, self._pipeline, self._reader.bits.note, problem)

    @property
    def frame_id(self) -> str:
        """Frame of the latest image; empty before the first."""
        return self._messages.frame_id

    @property
    def parameters(self) -> Parameters:
        """Parameters in force from the next image on."""
        return self._parameters

    @property
    def anchors(self) -> AnchorSources | None:
        """Sources of measured depths; None where nobody wants them."""
        return self._anchors

    def apply(self, parameters: Parameters) -> None:
        """Have the next image answered with these parameters."""
        self._parameters = parameters

    def anchor(self, anchors: AnchorSources | None) -> None:
        """Have the next image anchored with these sources, or with none."""
        self._anchors = anchors

    def watch(self, monitor: Monitor) -> None:
        """Have another monitor take the notes of the images that come."""
        self.monitor = monitor

    # In the thread that answers images

    def answer(self, image: ReceivedImage) -> None:
        """Answer one image. Whatever is wrong with it is noted and never raised."""
        self.left_over.finish()
        try:
            self._answer(image)
        except NoKeyFrameError:
            self.monitor.dropped(self._now(), Drop.NO_KEY_FRAME)
        except FastDepthError as error:
            self.monitor.rejected(self._now(), error)
        except Exception as error:  # the node outlives its own faults
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Name a fault of the node's own."""
        self.monitor.failed(self._now(), error)
        self._log_failure(error)

    def _made(self, frame_id: str) -> Framed:
        """Make messages for another frame, and the pipeline, which writes into them."""
        messages = OutputMessages(frame_id)
        pipeline = Pipeline(self._engine, self._manifest, self._applied.pipeline, messages.allocate)
        return Framed(messages, pipeline, Gate())

    def _turn_to(self, framed: Framed) -> None:
        """Answer with what was made for another frame."""
        self._messages, self._pipeline, self._gate = framed.messages, framed.pipeline, framed.gate
        if self._pipeline.settings != self._applied.pipeline:  # they changed meanwhile
            self._pipeline.settings = self._applied.pipeline
        self._pipeline.mask = mask_of(self._applied.mask)
        self._reader.reduction = self._pipeline.reduction

    def _answer(self, image: ReceivedImage) -> None:
        self._take_up(self._parameters)
        self.picture_bytes = len(image.message.data)
        applied, wanted = self._applied, self._demand.look()
        if not wanted.outputs:
            self.monitor.dropped(self._now(), Drop.UNWANTED)
            return

        begun = time.perf_counter()
        picture = self._reader.read(image.message)
        stages = {"wait": begun - image.at, "decode": time.perf_counter() - begun}
        calibration = self._camera.of(picture)
        if calibration is None and not wanted.without_camera:
            self.monitor.dropped(self._now(), Drop.UNCALIBRATED)
            return
        header = image.message.header
        if header.frame_id != self._messages.frame_id:
            if self._frames.current.answered:
                self.monitor.turned(self._now(), self._messages.frame_id, header.frame_id)
            self._turn_to(self._frames.turn_to(header.frame_id))
        anchors, robot = self._anchors, self.derived.robot
        if robot is not None:
            robot.look_anew()
        found: Found | tuple[()] | None = None if anchors is None else ()
        if anchors is not None and anchors.speak:
            found = self._measure(anchors, calibration, header)
        if applied.rotation == turning.AUTO:
            self._turn(anchors, header)
        needed, publishing = wanted.needed, self._publishing
        publishing.begin(wanted, self._messages, calibration, header, applied)
        frame = self._pipeline.run(
            picture,
            calibration.camera if calibration else None,
            anchors=found,
            now=self._now(),
            lens=calibration.lens if calibration else None,
            look=None if applied.gate == "off" else self._look,
            depth=needed["depth"],  # one by one: to hand over all that a mapping holds takes twice as long
            cloud=needed["cloud"],
            uncertainty=needed["uncertainty"],
            cells=needed["cells"] or (anchors is not None and anchors.watches),
            ahead=publishing.ahead,
        )
        if frame.refused:
            self.monitor.dropped(self._now(), Drop.REFUSED)
            return
        publishing.rest(frame)
        ended, now = time.perf_counter(), self._now()
        stages |= frame.stages
        stages["publish"] = publishing.took
        self._frames.answered()
        self.monitor.answered(now, age := now - header.seconds, stages)
        self._noted(Answered(begun, ended, age, ended - image.at, self._applied))
        if found:
            self.left_over.leave(partial(self._learn, frame, anchors, found, header.seconds, now))
        else:
            self._learn(frame, anchors, found, header.seconds, now)

    def _learn(self, frame: DepthFrame, anchors: AnchorSources | None, found: Any, stamp: float, now: float) -> None:
        """Take notes of a frame once it is published; the parameters are still those that it was answered with."""
        if anchors is not None and frame.anchoring is not None:
            anchors.corrected(found, frame.anchoring)
        if anchors is not None and frame.cells is not None:
            anchors.answered(stamp, frame.cells)
        self.scale.hear(frame, self._applied, now)

    def _look(self, picture: Halves) -> bool:
        """Note what is wrong with a picture, and say whether it is answered all the same."""
        now = self._now()
        fault = self._gate.look(picture, now)
        if fault is not None:
            self.monitor.doubted(now, fault.words, fault.remedy)
        return fault is None or self._applied.gate == "warn"

    def _take_up(self, parameters: Parameters) -> None:
        if parameters is self._applied:
            return
        self._engine.threads = parameters.threads
        self._pipeline.settings = parameters.pipeline
        self._pipeline.mask = mask_of(parameters.mask)
        self._read_as(parameters)
        self._demand.apply(parameters)
        self._applied = parameters

    def _read_as(self, parameters: Parameters) -> None:
        self._reader.max_pixels = parameters.max_pixels
        self._reader.bits.given = parameters.mono16_bits

    def _measure(
        self, anchors: AnchorSources, calibration: Calibration | None, header: SerializedHeader
    ) -> Found | tuple[()]:
        """Measure for an image; nothing where its camera is not known."""
        try:
            if calibration is None or calibration.camera.doubt:
                anchors.wait(calibration.camera.doubt if calibration else self._camera.problem or "no camera_info came")
                return ()
            return anchors.measure(header.frame_id, header.seconds, self._applied.depth_scale)
        except Exception as error:  # depth goes on without it
            self._log_failure(error)
            return ()

    def _turn(self, anchors: AnchorSources | None, header: SerializedHeader) -> None:
        """See which way up the camera is, and have the network see it so."""
        try:
            self._pipeline.turned = anchors.turn(header.frame_id, header.seconds) if anchors else turning.NONE
        except Exception as error:  # depth goes on as it was
            self._log_failure(error)
