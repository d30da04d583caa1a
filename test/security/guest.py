"""Processes beside the node; each prints what it got, as JSON.

guest.py talk SECONDS [--ros-args ...]    shows pictures, hears depth and diagnostics, asks for the node's state
guest.py names SECONDS [--ros-args ...]   topics and services of the node, as the graph knows them
"""

import json
import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from sensor_msgs.msg import CameraInfo, Image


def talk(node, end):
    got = {"depth": 0, "diagnostics": 0, "state": ""}
    image = Image(height=48, width=64, step=192, encoding="rgb8")
    image.header.frame_id = "eye"
    image.data.frombytes(bytes(range(192)) * 48)
    images, infos = node.create_publisher(Image, "image", 5), node.create_publisher(CameraInfo, "camera_info", 5)
    for name, kind, topic in (("depth", Image, "depth/image_rect"), ("diagnostics", DiagnosticArray, "/diagnostics")):
        node.create_subscription(kind, topic, lambda _, name=name: got.update({name: got[name] + 1}), 5)
    client, future = node.create_client(GetState, "/fastdepth/get_state"), None
    while time.monotonic() < end and not all(got.values()):
        image.header.stamp = node.get_clock().now().to_msg()
        images.publish(image)
        infos.publish(CameraInfo())
        if future is None and client.service_is_ready():
            future = client.call_async(GetState.Request())
        rclpy.spin_once(node, timeout_sec=0.1)
        if future is not None and future.done():
            got["state"], future = future.result().current_state.label, None
    return got


def names(node, end):
    asked = {
        "publish": node.get_publisher_names_and_types_by_node,
        "subscribe": node.get_subscriber_names_and_types_by_node,
        "reply": node.get_service_names_and_types_by_node,
    }
    got = {}
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.2)
        if ("fastdepth", "/") not in node.get_node_names_and_namespaces():
            continue
        got = {what: sorted(name for name, _ in ask("fastdepth", "/")) for what, ask in asked.items()}
        if "/image" in got["subscribe"] and got["reply"]:
            break
    return got


def main():
    try:
        rclpy.init(args=sys.argv[3:])
        node = rclpy.create_node("guest")
        got = {"talk": talk, "names": names}[sys.argv[1]](node, time.monotonic() + float(sys.argv[2]))
    except Exception as error:
        got = {"error": str(error)}
    sys.stdout.write(json.dumps(got) + "\n")
    rclpy.try_shutdown()


main()
