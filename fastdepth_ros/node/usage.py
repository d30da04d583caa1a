"""Help that ``depth_node --help`` prints: how the node is started, and its parameters."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from fastdepth_ros.parameters import TABLE

ASKS = {"-h", "--help"}
WIDTH = 100

HEAD = """usage: depth_node [--help] [--ros-args -p NAME:=VALUE ... -r image:=TOPIC -r __ns:=NAMESPACE ...]

Answers the newest image of a camera with metric depth, its camera_info and a cloud.

  subscribes to   image (or image/compressed), camera_info
  publishes       depth/image_rect, depth/camera_info, depth/points, depth/uncertainty,
                  depth/image_rect/compressedDepth, depth/scan, depth/obstacles,
                  depth/preview/compressed, /diagnostics

With cameras:=front,rear each of them has these below its name, and image_raw for image; they take turns.

  ros2 run fastdepth_ros depth_node --ros-args -r image:=/camera/image_raw -r camera_info:=/camera/camera_info
  ros2 launch fastdepth_ros depth.launch.py image:=/camera/image_raw
  ros2 launch fastdepth_ros depth.launch.py cameras:=front,rear

parameters:
"""


def asked_for(arguments: Sequence[str]) -> bool:
    """Whether the arguments, of which those from --ros-args on are ROS's, ask for help."""
    own = arguments[: arguments.index("--ros-args")] if "--ros-args" in arguments else arguments
    return bool(ASKS & set(own))


def usage() -> str:
    """The help."""
    lines = []
    for spec in TABLE.values():
        default = str(spec.default).lower() if isinstance(spec.default, bool) else spec.default
        about = f"{spec.description} {spec.allowed[0].upper()}{spec.allowed[1:]}; {spec.change.value}."
        lines += [f"  {spec.name} (default: {default})", *_indented(about)]
    return HEAD + "\n".join(lines) + "\n"


def _indented(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
