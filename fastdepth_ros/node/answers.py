"""What becomes of one image in the node: decoded, turned into depth, published, and noted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cdr import put_stamp
from fastdepth_ros.diagnostics.monitor import Drop, Monitor
from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.messages.camera_info import depth_camera_info
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.messages.serialized import Origin
from fastdepth_ros.node.anchor_sources import AnchorSources, Found
from fastdepth_ros.node.camera import Calibration
from fastdepth_ros.node.intake import Arrival
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.engine import Engine


class Outputs(NamedTuple):
    """The publishers of the answers, or their handles."""

    depth: Any
    camera_info: Any
    cloud: Any
    uncertainty: Any


class Answers:
    """Answers images, one after the other, in one thread.

    Args:
        engine: the network, compiled.
        manifest: of its bundle.
        outputs: where the answers go; the publishers are not destroyed before the last answer is given.
        now: the time in the node's clock [s], for ages.
        log_failure: is told of an exception that is a fault of the node.

    Attributes:
        parameters: in force from the next image on; may be set from any thread, as the following may.
        monitor: takes the notes.
        calibration: of the camera; None where it is not known.
        anchors: what is measured besides; None where nobody wants it.
        noted: is told of each answer: when its computing began and ended [s, monotonic], its age, what of that is the
            node's [s], and with which parameters it was computed.
        size_problem: why the calibration does not fit the latest image; empty where it does.
        picture_bytes: of the latest image [B]; 0 before the first.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: Manifest,
        outputs: Outputs,
        now: Callable[[], float],
        parameters: Parameters,
        log_failure: Callable[[Exception], None],
    ) -> None:
        self.parameters = parameters
        self.monitor = Monitor(0.0)
        self.calibration: Calibration | None = None
        self.anchors: AnchorSources | None = None
        self.noted: Callable[[float, float, float, float, Parameters], None] = lambda *_: None
        self.size_problem = ""
        self.picture_bytes = 0
        # rclpy's own methods keep others from destroying a handle meanwhile, which takes as long as what they do; here
        # nobody does before this thread has ended.
        self._outputs = Outputs(*(publisher.handle for publisher in outputs))
        self._now = now
        self._log_failure = log_failure
        self._engine = engine
        self._manifest = manifest
        self._applied = parameters
        self._reader = PictureReader()
        self._answered = False
        self._begin("")

    @property
    def threads(self) -> int:
        """Cores that the network uses."""
        return self._engine.threads

    @property
    def notes(self) -> dict[str, str]:
        """What was assumed of the images, by what it is about."""
        bits = self._reader.bits.note
        return {"mono16_bits": bits} if bits else {}

    def answer(self, arrival: Arrival) -> None:
        """Answer one image. Whatever is wrong with it is noted and never raised."""
        try:
            self._answer(arrival)
        except FastDepthError as error:
            self.monitor.rejected(self._now(), error)
        except Exception as error:  # the node outlives its own faults, and names them
            self.monitor.failed(self._now(), error)
            self._log_failure(error)

    def _begin(self, frame_id: str) -> None:
        """Make messages for another frame, and the pipeline, which writes into them."""
        self._messages = OutputMessages(frame_id)
        self._pipeline = Pipeline(self._engine, self._manifest, self._applied.pipeline, self._messages.allocate)
        self._reader.reduction = self._pipeline.reduction
        self._camera_info: tuple[Calibration, Intrinsics, bytearray] | None = None

    def _answer(self, arrival: Arrival) -> None:
        self._apply(self.parameters)
        self.picture_bytes = len(arrival.message.data)
        outputs = self._outputs
        depth = outputs.depth.get_subscription_count() > 0
        cloud = self._applied.cloud != "off" and outputs.cloud.get_subscription_count() > 0
        camera_info = outputs.camera_info.get_subscription_count() > 0
        uncertainty = outputs.uncertainty.get_subscription_count() > 0
        if not (depth or cloud or camera_info or uncertainty):
            self.monitor.dropped(self._now(), Drop.UNWANTED)
            return

        begun = time.perf_counter()
        stages = {"wait": begun - arrival.at}
        picture = self._reader.read(arrival.message)
        stages["decode"] = time.perf_counter() - begun
        calibration = self._calibration_of(picture)
        if calibration is None and not (depth or uncertainty):
            self.monitor.dropped(self._now(), Drop.UNCALIBRATED)
            return
        origin = arrival.message.origin
        if origin.frame_id != self._messages.frame_id:
            if self._answered:
                self.monitor.turned(self._now(), self._messages.frame_id, origin.frame_id)
            self._begin(origin.frame_id)
        anchors = self.anchors
        found = self._measure(anchors, calibration, origin)
        frame = self._pipeline.run(
            picture,
            calibration.camera if calibration else None,
            depth=depth,
            cloud=cloud,
            anchors=found,
            now=self._now(),
            uncertainty=uncertainty,
        )

        done = time.perf_counter()
        self._messages.stamp(origin.sec, origin.nanosec)
        # First, because consumers such as depthimage_to_laserscan skip a depth image whose camera_info has not come.
        if camera_info and calibration is not None and frame.intrinsics is not None:
            described = self._describe(calibration, frame.intrinsics)
            put_stamp(described, origin.sec, origin.nanosec)
            publish(outputs.camera_info, described)
        if frame.depth is not None:
            publish(outputs.depth, self._messages.depth)
        if frame.uncertainty is not None:
            publish(outputs.uncertainty, self._messages.uncertainty)
        if frame.cloud is not None:
            publish(outputs.cloud, self._messages.cloud)
        ended, now = time.perf_counter(), self._now()
        stages.update(frame.stages, publish=ended - done)
        if anchors is not None and frame.anchoring is not None:
            anchors.corrected(found, frame.anchoring)
        self._answered = True
        age = now - origin.seconds
        self.monitor.answered(now, age, stages)
        self.noted(begun, ended, age, ended - arrival.at, self._applied)

    def _apply(self, parameters: Parameters) -> None:
        if parameters is self._applied:
            return
        self._engine.threads = parameters.threads
        self._pipeline.settings = parameters.pipeline
        self._read_as(parameters)
        self._applied = parameters

    def _read_as(self, parameters: Parameters) -> None:
        self._reader.max_pixels = parameters.max_pixels
        self._reader.bits.given = parameters.mono16_bits

    def _measure(
        self, anchors: AnchorSources | None, calibration: Calibration | None, origin: Origin
    ) -> Found | tuple[()] | None:
        """What was measured for an image; nothing where its camera is not known, None where nobody wants it."""
        if anchors is None:
            return None
        if calibration is None or calibration.camera.doubt:
            return ()
        try:
            return anchors.measure(origin.frame_id, origin.seconds)
        except Exception as error:  # depth goes on without it
            self._log_failure(error)
            return ()

    def _calibration_of(self, picture: Picture) -> Calibration | None:
        """The calibration, if it is one of this picture."""
        calibration = self.calibration
        if calibration is None:
            return None
        camera = calibration.camera
        if (camera.width, camera.height) == (picture.width, picture.height):
            self.size_problem = ""
            return calibration
        self.size_problem = (
            f"camera_info is of {camera.width}x{camera.height}, the image of {picture.width}x{picture.height}."
            " Let the driver publish the camera_info of the size that it sends."
        )
        return None

    def _describe(self, calibration: Calibration, camera: Intrinsics) -> bytearray:
        """The camera_info of the depth map, serialized; made anew only when a camera changes."""
        known = self._camera_info
        if known is None or known[0] is not calibration or known[1] is not camera:
            info = depth_camera_info(camera, calibration.info, Header(frame_id=self._messages.frame_id))
            known = self._camera_info = (calibration, camera, bytearray(serialize_message(info)))
        return known[2]


def publish(publisher: Any, serialized: bytearray) -> None:
    """Publish by a publisher's handle, without a copy in Python: rclpy's own ``publish`` takes ``bytes`` alone."""
    try:
        publisher.publish_raw(serialized)
    except TypeError:  # an rclpy whose pybind11 is older than 2.10
        publisher.publish_raw(bytes(serialized))
