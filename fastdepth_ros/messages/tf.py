"""tf's messages, where they are installed: a distribution brings tf2_msgs, the wheels do not."""

from __future__ import annotations

import importlib.util
from typing import Any

from fastdepth_ros.anchoring.transforms import TransformBuffer
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.motion import read_transforms


def tf_message() -> Any:
    """The type of tf's messages; None where it is not installed."""
    if importlib.util.find_spec("tf2_msgs") is None:
        return None
    from tf2_msgs.msg import TFMessage

    return TFMessage


def why_no_tf() -> str:
    """Why nothing was heard of tf."""
    return "tf2_msgs is not installed" if tf_message() is None else "nothing was heard on /tf and /tf_static"


def put_transforms(buffer: TransformBuffer, serialized: bytes, is_static: bool) -> None:
    """Put all of a serialized tf2_msgs/TFMessage into a buffer; one that cannot be read is noted there."""
    try:
        transforms = read_transforms(serialized)
    except AnchorError as error:
        buffer.note(str(error))
        return
    for header, child, translation, quaternion in transforms:
        buffer.put(header.frame_id, child, header.seconds, translation, quaternion, is_static)
