"""Messages that anchors come in, made with rclpy as a robot's drivers make them."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

FLOAT32, FLOAT64 = PointField.FLOAT32, PointField.FLOAT64


def header(frame: str = "map", sec: int = 7, nanosec: int = 250_000_000) -> Header:
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame)


def field(name: str, offset: int, datatype: int = FLOAT32, count: int = 1) -> PointField:
    return PointField(name=name, offset=offset, datatype=datatype, count=count)


def cloud_of(
    columns: dict[str, np.ndarray],
    *,
    kinds: dict[str, str] | None = None,
    height: int = 1,
    gap: int = 0,
    padding: int = 0,
    big: bool = False,
    **fields: Any,
) -> PointCloud2:
    """A cloud whose fields lie in the order of ``columns``, with ``gap`` bytes before each and padded rows."""
    order, offset, formats, offsets, described = ">" if big else "<", 0, [], [], []
    for name, values in columns.items():
        kind = np.dtype(order + (kinds or {}).get(name, "f4"))
        many = 1 if values.ndim == 1 else values.shape[1]
        offset += gap
        formats.append((kind, (many,)) if many > 1 else kind)
        offsets.append(offset)
        described.append(field(name, offset, FLOAT64 if kind.itemsize == 8 else FLOAT32, many))
        offset += kind.itemsize * many
    step = offset + gap
    points = np.zeros(
        len(next(iter(columns.values()))),
        {"names": list(columns), "formats": formats, "offsets": offsets, "itemsize": step},
    )
    for name, values in columns.items():
        points[name] = values
    width = len(points) // height
    rows = np.zeros((height, width * step + padding), np.uint8)
    rows[:, : width * step] = points.view(np.uint8).reshape(height, -1)
    message = PointCloud2(header=header(), height=height, width=width, fields=described, is_bigendian=big)
    message.point_step, message.row_step = step, rows.shape[1]
    message.data.frombytes(rows.tobytes())
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def xyz_of(points: np.ndarray, **more: np.ndarray) -> dict[str, np.ndarray]:
    return {**{name: points[:, axis] for axis, name in enumerate("xyz")}, **more}


def depth_image_of(depth: np.ndarray, frame: str = "tof_optical_frame", padding: int = 0, big: bool = False) -> Image:
    kind = depth.dtype.newbyteorder(">" if big else "<")
    rows = np.ascontiguousarray(depth.astype(kind)).view(np.uint8).reshape(len(depth), -1)
    rows = np.hstack((rows, np.zeros((len(rows), padding), np.uint8)))
    encoding = "32FC1" if depth.dtype == np.float32 else "16UC1"
    message = Image(header=header(frame), encoding=encoding, height=depth.shape[0], width=depth.shape[1])
    message.step, message.is_bigendian = rows.shape[1], int(big)
    message.data.frombytes(rows.tobytes())
    return message


def transform_of(
    parent: str,
    child: str,
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0),
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0),
    sec: int = 7,
    nanosec: int = 0,
) -> TransformStamped:
    x, y, z = translation
    qx, qy, qz, qw = quaternion
    transform = Transform(translation=Vector3(x=x, y=y, z=z), rotation=Quaternion(x=qx, y=qy, z=qz, w=qw))
    return TransformStamped(header=header(parent, sec, nanosec), child_frame_id=child, transform=transform)


def tf_message_of(*transforms: TransformStamped) -> bytes:
    """A serialized tf2_msgs/TFMessage, which is a sequence of TransformStamped: its type is not in the wheels.

    Every transform is serialized alone, and goes on at a multiple of 8 bytes if the one before was padded there.
    """
    body = bytearray(np.uint32(len(transforms)).tobytes())
    for each in transforms:
        _put(body, each)
    return bytes([0, 1, 0, 0]) + bytes(body)


def _put(body: bytearray, each: TransformStamped) -> None:
    def align(size: int) -> None:
        body.extend(bytes(-len(body) % size))

    def text(word: str) -> None:
        align(4)
        encoded = word.encode() + b"\0"
        body.extend(np.uint32(len(encoded)).tobytes() + encoded)

    align(4)
    body.extend(np.int32(each.header.stamp.sec).tobytes() + np.uint32(each.header.stamp.nanosec).tobytes())
    text(each.header.frame_id)
    text(each.child_frame_id)
    align(8)
    t, q = each.transform.translation, each.transform.rotation
    body.extend(np.array((t.x, t.y, t.z, q.x, q.y, q.z, q.w)).tobytes())


def serialized(message: Any) -> bytes:
    return bytes(serialize_message(message))
