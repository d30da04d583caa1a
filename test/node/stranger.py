"""A process that knows nothing of the project: reads depth, camera_info and cloud of one stamp, and says what it saw.

    python stranger.py NAMESPACE

It prints one line of JSON.
"""

import json
import sys
import time

import numpy as np
import rclpy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2


def main() -> None:
    rclpy.init(args=[])
    node = rclpy.create_node("stranger", namespace=sys.argv[1])
    heard = {}

    def hear(name, message):
        stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
        heard.setdefault(stamp, {})[name] = message

    for name, kind, topic in (
        ("depth", Image, "image_rect"),
        ("info", CameraInfo, "camera_info"),
        ("cloud", PointCloud2, "points"),
    ):
        node.create_subscription(kind, f"depth/{topic}", lambda message, name=name: hear(name, message), 5)
    complete = []
    end = time.monotonic() + 30
    while not complete and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
        complete = [messages for messages in heard.values() if len(messages) == 3]
    depth, info, cloud = (complete[0][name] for name in ("depth", "info", "cloud"))

    z = np.frombuffer(depth.data, np.float32).reshape(depth.height, depth.step // 4)[:, : depth.width]
    points = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, cloud.point_step // 4)
    p = np.array(info.p).reshape(3, 4)
    homogeneous = np.concatenate((points[..., :3], np.ones((*points.shape[:2], 1))), -1) @ p.T
    u, v = homogeneous[..., 0] / homogeneous[..., 2], homogeneous[..., 1] / homogeneous[..., 2]
    rows, columns = np.indices(u.shape)
    known = np.isfinite(points[..., 2])
    sys.stdout.write(
        json.dumps(
            {
                "sizes": [[depth.width, depth.height], [info.width, info.height], [cloud.width, cloud.height]],
                "frames": [depth.header.frame_id, info.header.frame_id, cloud.header.frame_id],
                "encoding": depth.encoding,
                "fields": [field.name for field in cloud.fields],
                "known": float(known.mean()),
                "same_known": bool((known == np.isfinite(z)).all()),
                "off_pixels": float(np.hypot(u - columns, v - rows)[known].max()),
                "off_metres": float(np.abs(points[..., 2] - z)[known].max()),
            }
        )
    )
    rclpy.try_shutdown()


main()
