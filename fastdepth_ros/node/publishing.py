"""Publishes the answers to an image, each as soon as it is there: nobody waits for points who wants depth."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fastdepth_ros.cdr import put_stamp
from fastdepth_ros.messages.output_topics import DERIVED, PIPELINE, OutputTopic
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.camera_info import Calibration
from fastdepth_ros.node.demand import Wanted
from fastdepth_ros.node.derived import DerivedAnswers
from fastdepth_ros.node.known_camera import KnownCamera
from fastdepth_ros.node.rclpy_ways.interface import Publisher
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.pipeline import DepthFrame


class Publishing:
    """Publishes the answers of one camera, image after image: :meth:`begin`, perhaps :meth:`ahead`, :meth:`rest`.

    A consumer that knows no camera_info skips a depth image: so it goes out before depth as long as it is new, or
    somebody is. Later it follows: whoever waits for depth alone need not wait until all who listen to camera_info have
    been woken, which took as long as a tenth of the network.

    Args:
        publishers: name of each output topic -> its publisher.
        camera: describes the camera of the depth map.
        derived: makes what is neither the pipeline's nor the calibration's.

    Attributes:
        took: time that publishing the latest image's answers has taken so far [s].
    """

    def __init__(self, publishers: Mapping[str, Publisher], camera: KnownCamera, derived: DerivedAnswers) -> None:
        self.took = 0.0
        self._publishers, self._camera, self._derived = publishers, camera, derived
        self._told: tuple[Wanted, bytearray] | None = None

    def begin(
        self,
        wanted: Wanted,
        messages: OutputMessages,
        calibration: Calibration | None,
        header: SerializedHeader,
        parameters: Parameters,
    ) -> None:
        """Begin with an image.

        Args:
            wanted: what somebody listens to.
            messages: that the pipeline writes into.
            calibration: of the image; None where it is not known.
            header: of the image.
            parameters: in force.
        """
        self.took = 0.0
        self._wanted, self._messages, self._calibration = wanted, messages, calibration
        self._header, self._parameters = header, parameters
        self._open = True

    def ahead(self, frame: DepthFrame) -> None:
        """Publish what comes before the points; they may still be missing in the frame."""
        began = time.perf_counter()
        self._open = False
        wanted, header, info = self._wanted, self._header, None
        self._messages.stamp(header.sec, header.nanosec)
        if self._calibration is not None and frame.intrinsics is not None:
            frame_id = self._messages.frame_id
            info = self._camera.describe(frame_id, self._calibration, frame.intrinsics, frame.lens)
            put_stamp(info, header.sec, header.nanosec)
        told = self._told
        known = info is not None and told is not None and told[0] is wanted and told[1] is info
        for output in wanted.known if known else wanted.first:
            if output.maker == PIPELINE:
                self._publish(output, frame)
            elif info is not None:
                self._publishers[output.name].publish(info)
        if not known:
            self._told = (wanted, info) if info is not None else None
        self.took += time.perf_counter() - began

    def rest(self, frame: DepthFrame) -> None:
        """Publish all else of the whole frame."""
        if self._open:
            self.ahead(frame)
        began = time.perf_counter()
        for output in self._wanted.behind:
            if output.maker == DERIVED:
                derived = self._derived.make(output.name, frame, self._parameters, self._header)
                if derived is not None:
                    self._publishers[output.name].publish(derived)
            else:
                self._publish(output, frame)
        self.took += time.perf_counter() - began

    def _publish(self, output: OutputTopic, frame: DepthFrame) -> None:
        """Publish an answer of the pipeline's."""
        name = output.name
        if getattr(frame, name) is not None:
            self._publishers[name].publish(self._messages[name])
