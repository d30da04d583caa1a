"""A plain subscriber in a process of its own: what came on some topics, as JSON.

listener.py RELIABILITY SECONDS COUNT TOPIC=TYPE...: ends after COUNT messages in all, or after SECONDS.
"""

import json
import sys
import time

import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs import msg

reliability, seconds, count, *topics = sys.argv[1:]
qos = QoSProfile(depth=50, reliability=ReliabilityPolicy[reliability])
heard = []


def listen(topic, kind):
    def take(data):
        message = deserialize_message(data, kind)
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        frame = message.header.frame_id
        heard.append({"topic": topic, "stamp": stamp, "frame": frame, "time": time.time_ns()})

    node.create_subscription(kind, topic, take, qos, raw=True)


rclpy.init()
node = rclpy.create_node("listener")
for entry in topics:
    name, _, type_name = entry.partition("=")
    listen(name, getattr(msg, type_name))
end = time.monotonic() + float(seconds)
while len(heard) < int(count) and time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
print(json.dumps(heard))  # noqa: T201
