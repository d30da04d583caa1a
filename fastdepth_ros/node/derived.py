"""Answers that are made from the pipeline's, when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fastdepth_ros.arguments import Bind
from fastdepth_ros.codec import compressed_depth
from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.filters.preview import preview
from fastdepth_ros.messages.compressed import compressed_image
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.node.scan import Obstacles, Scans
from fastdepth_ros.parameters import Parameters
from fastdepth_ros.pipeline import DepthFrame

PREVIEW_FORMAT = "bgr8; jpeg compressed bgr8"
"""As compressed_image_transport calls a JPEG of colours."""


class DerivedAnswers:
    """Makes messages from the pipeline's answers.

    Args:
        bind: gives compiled functions beside the network; None where there are none.

    Attributes:
        robot: where frames and the floor are; None where the node is not active.
        made: is told of each message, with the name of its output; None where nobody asks.
        problems: name of an output -> why the latest image has none; empty where nothing is wrong.
    """

    def __init__(self, bind: Bind | None = None) -> None:
        self.robot: RobotFrames | None = None
        self.made: Callable[[str, bytearray], None] | None = None
        self.problems: Mapping[str, FastDepthError] = {}
        scans, obstacles = Scans(bind), Obstacles()
        self._makers: dict[str, Callable[[DepthFrame, Parameters, SerializedHeader], bytearray | None]] = {
            "compressed_depth": _compressed_depth,
            "scan": lambda *image: self._above_the_floor(scans.make, *image),
            "obstacles": lambda *image: self._above_the_floor(obstacles.make, *image),
            "preview": _preview,
        }

    def make(self, name: str, frame: DepthFrame, parameters: Parameters, header: SerializedHeader) -> bytearray | None:
        """A serialized message; None where there is none, and :attr:`problems` says why.

        Args:
            name: of the output.
            frame: the pipeline's answer.
            parameters: in force.
            header: of the image.
        """
        try:
            made = self._makers[name](frame, parameters, header)
        except FastDepthError as error:
            self.problems = {**self.problems, name: error}
            return None
        if name in self.problems:
            self.problems = {other: problem for other, problem in self.problems.items() if other != name}
        if self.made is not None and made is not None:
            self.made(name, made)
        return made

    def _above_the_floor(
        self, make: Callable[..., bytearray], frame: DepthFrame, parameters: Parameters, header: SerializedHeader
    ) -> bytearray | None:
        """A message that needs the camera's place, where it can be known."""
        cells, robot = frame.cells, self.robot
        if cells is None or cells.seen is None or robot is None:
            return None
        return make(cells.metres, cells.seen, parameters, header, robot)


def _compressed_depth(frame: DepthFrame, parameters: Parameters, header: SerializedHeader) -> bytearray | None:
    """The depth image as compressed_depth_image_transport packs it."""
    if frame.depth is None:
        return None
    encoding = "16UC1" if frame.depth.dtype == np.uint16 else "32FC1"
    method = parameters.compressed_depth_format
    data = compressed_depth.encode(frame.depth, method, parameters.min_depth, parameters.max_depth)
    return compressed_image(header, compressed_depth.FORMAT.format(encoding=encoding, method=method), data)


def _preview(frame: DepthFrame, parameters: Parameters, header: SerializedHeader) -> bytearray | None:
    """The depth of the view as a picture of its shape."""
    if frame.cells is None:
        return None
    view = frame.cells.view
    return compressed_image(
        header, PREVIEW_FORMAT, preview(frame.cells.metres, view.width / view.height, parameters.max_depth)
    )
