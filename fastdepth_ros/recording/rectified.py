"""Camera_info of recorded pictures that were rectified, and are played under a name that does not say so.

The D of a rectified picture's camera_info is that of the raw picture: who does not know from the topic's name would
undo the lens twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import RegionOfInterest as Region
from std_msgs.msg import Header

from fastdepth_ros import cdr
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.messages.camera_info import is_bent, is_rectified
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.recording.reader import Topic
from fastdepth_ros.recording.video import TRANSPORTS

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
IMAGES = ("sensor_msgs/msg/Image", *TRANSPORTS)


def told_apart(topics: Iterable[Topic], names: Mapping[str, str], others: Collection[str]) -> set[str]:
    """Topics of camera_info that has to say itself that its pictures are rectified.

    Args:
        topics: that are played: a camera's, and perhaps those of sensors.
        names: recorded name -> published name, for those that change.
        others: topics of sensors.
    """
    own = [topic for topic in topics if topic.name not in others]
    images = [topic.name for topic in own if topic.type in IMAGES]
    if not any(is_rectified(name) and not is_rectified(names.get(name, name)) for name in images):
        return set()
    return {topic.name for topic in own if topic.type == CAMERA_INFO}


def without_distortion(serialized: bytes) -> bytes:
    """A serialized camera_info as of a camera that takes rectified pictures: K is P, D zero, where it was not.

    One that cannot be read stays as it is: whoever gets it says what is wrong with it.
    """
    try:
        info = unpack_camera_info(serialized)
    except CalibrationError:
        return serialized
    if not is_bent(info):
        return serialized
    p = info.p
    message = CameraInfo(
        header=Header(frame_id=cdr.frame_of(serialized)),
        height=info.height,
        width=info.width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[*p[:3], *p[4:7], *p[8:11]] if any(p) else info.k,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=p,
        binning_x=info.binning_x,
        binning_y=info.binning_y,
        roi=Region(**info.roi._asdict()),
    )
    made = bytearray(serialize_message(message))
    cdr.put_stamp(made, *cdr.time_of(serialized))
    return bytes(made)
