"""A robot's other nodes, in plain rclpy: ``anchor_robot.py points|scan|tf TRUTH.npz`` publishes 20 times a second.

A line on standard input changes what it does: ``well``, ``late`` (stamps 5 s old), ``corrupt`` (no messages at all, but
bytes), ``double`` (everything twice as far), ``quiet``.
"""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import LaserScan, PointCloud2, PointField

mode = ["well"]


def listen() -> None:
    for line in sys.stdin:
        mode[0] = line.strip()


def cloud_of(points: np.ndarray, sigma: float) -> PointCloud2:
    rows = np.hstack((points, np.full((len(points), 1), sigma))).astype(np.float32)
    names = ("x", "y", "z", "sigma")
    fields = [PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, n in enumerate(names)]
    message = PointCloud2(height=1, width=len(rows), fields=fields, point_step=16, row_step=16 * len(rows))
    message.header.frame_id = "eye"
    message.data.frombytes(rows.tobytes())
    return message


def scan_of(angles: np.ndarray, ranges: np.ndarray) -> LaserScan:
    message = LaserScan(range_min=0.05, range_max=20.0, ranges=ranges.astype(float).tolist())
    message.angle_min, message.angle_increment = float(angles[0]), float(angles[1] - angles[0])
    message.header.frame_id = "laser"
    return message


def main(what: str, truth: str, *arguments: str) -> None:
    rclpy.init(args=["--ros-args", *arguments])
    node = rclpy.create_node(what)
    known = np.load(truth)
    if what == "points":
        message, topic = cloud_of(known["points"], 0.05), "anchors"
        double = cloud_of(2 * known["points"], 0.05)
    else:
        message, topic = scan_of(known["angles"], known["ranges"]), "scan"
        double = scan_of(known["angles"], 2 * known["ranges"])
    publisher = node.create_publisher(type(message), topic, qos_profile_sensor_data)
    threading.Thread(target=listen, daemon=True).start()
    while rclpy.ok():
        time.sleep(0.05)
        doing, now = mode[0], node.get_clock().now().nanoseconds
        if doing == "quiet":
            continue
        if doing == "corrupt":
            publisher.publish(b"\x00\x01\x00\x00" + np.random.default_rng(now).bytes(64))
            continue
        said = double if doing == "double" else message
        stamp = now - 5_000_000_000 if doing == "late" else now
        said.header.stamp = Time(sec=stamp // 1_000_000_000, nanosec=stamp % 1_000_000_000)
        publisher.publish(said)


if __name__ == "__main__":
    main(*sys.argv[1:])
