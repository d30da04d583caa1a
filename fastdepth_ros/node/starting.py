"""Why ROS does not start, in a sentence: its own words are a traceback and places in its source."""

from __future__ import annotations

import re

from fastdepth_ros.errors import FastDepthError

_PLACES = re.compile(r"\s*,? at \S+:\d+|failed to initialize rcl: |Error: error not set")


class StartError(FastDepthError):
    """ROS does not start with these arguments.

    Args:
        error: what rclpy raised.
    """

    def __init__(self, error: Exception) -> None:
        said = _PLACES.sub("", str(error)).strip() or type(error).__name__
        if type(error).__name__ == "UnknownROSArgsError":  # its class is not public
            said = f"ROS does not know {said}"
        super().__init__(
            f"the node cannot start: {said}",
            "Look at what stands behind --ros-args and in the files that it names, and at the settings of the"
            " middleware in the environment, as ROS_DOMAIN_ID.",
        )
