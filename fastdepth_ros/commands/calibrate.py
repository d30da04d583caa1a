"""``fastdepth calibrate``: find a node's ``depth_scale`` by what somebody knows, and have it in force at once."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from fastdepth_ros.commands.numbers import finite, seconds
from fastdepth_ros.errors import SettingError

if TYPE_CHECKING:
    from fastdepth_ros.harness.operator import Operator

PATIENCE = 30.0
"""Time in which a service has to answer [s]."""

ASK_PERIOD = 0.5
"""Period in which the node is asked, while its frames do not say enough yet [s]."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `fastdepth calibrate`."""
    known = parser.add_mutually_exclusive_group()
    known.add_argument(
        "--distance", type=finite, metavar="M", help="depth at the middle of depth/image_rect, or at --pixel [m]"
    )
    known.add_argument("--height", type=finite, metavar="M", help="of the camera above a floor that it sees [m]")
    known.add_argument("--anchors", action="store_true", help="by the measured depths that the node hears (default)")
    parser.add_argument(
        "--pixel", type=int, nargs=2, metavar=("X", "Y"), help="column and row of depth/image_rect that show --distance"
    )
    parser.add_argument(
        "--pitch", type=finite, metavar="DEG", help="how far the camera of --height looks down; else as the node knows"
    )
    parser.add_argument("--node", default="/fastdepth", metavar="NAME", help="full name of the node (%(default)s)")
    parser.add_argument("--depth", metavar="TOPIC", help="its depth image; else depth/image_rect in its namespace")
    parser.add_argument("--wait", type=seconds, default=20.0, metavar="S", help="for an answer (%(default)s s)")


def run(args: argparse.Namespace) -> int:
    """Have the node calibrate.

    Returns:
        0 where it did, 1 where it says why it cannot.
    """
    wanted = _wanted(args)
    from fastdepth_ros.harness.operator import Operator

    with Operator(f"fastdepth_calibrate_{os.getpid()}", args.node) as operator:
        operator.wait_for_node(args.wait, threading.Event())
        before = operator.get(list(wanted), PATIENCE)
        _look(operator, args.depth or f"{operator.name.rpartition('/')[0]}/depth/image_rect")
        try:
            for name, value in wanted.items():
                if refused := operator.set(name, value, PATIENCE):
                    raise SettingError(f"{operator.name} refuses {name}: {refused}", "Give another value.")
            done, words = _calibrate(operator, args.wait)
        finally:
            for name, value in before.items():
                operator.set(name, value, PATIENCE)
        if not done:
            sys.stderr.write(f"fastdepth calibrate: {words}\n")
            return 1
        scale = operator.get(["depth_scale"], PATIENCE)["depth_scale"]
        sys.stdout.write(f"{words}\nIt is in force until the node ends; to keep it, write depth_scale: {scale:g}\n")
    return 0


def _wanted(args: argparse.Namespace) -> dict[str, Any]:
    """Parameters that hold while the node calibrates.

    Raises:
        SettingError: the arguments do not belong together.
    """
    if args.pixel and args.distance is None:
        raise SettingError("--pixel without --distance says nothing", "Give the distance of that pixel.")
    if args.pitch is not None and args.height is None:
        raise SettingError("--pitch without --height says nothing", "Give the camera's height above the floor.")
    if args.distance is not None:
        pixel = f"{args.pixel[0]} {args.pixel[1]}" if args.pixel else "none"
        return {"calibration_pixel": pixel, "calibration_distance": args.distance}
    if args.height is not None:
        pitch = {} if args.pitch is None else {"camera_pitch": math.radians(args.pitch)}
        return {"calibration_distance": 0.0, "camera_height": args.height, **pitch}
    return {"calibration_distance": 0.0}


def _look(operator: Operator, topic: str) -> None:
    """Read the node's depth, so that there is one."""
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    operator.node.create_subscription(Image, topic, lambda _: None, qos_profile_sensor_data, raw=True)


def _calibrate(operator: Operator, seconds: float) -> tuple[bool, str]:
    """Ask until the node has seen enough; whether it has found the factor, and what it says."""
    from std_srvs.srv import Trigger

    end = time.monotonic() + seconds
    while True:
        answer = operator.ask(Trigger, "calibrate_scale", Trigger.Request(), PATIENCE)
        if answer.success or time.monotonic() > end:
            return bool(answer.success), str(answer.message)
        time.sleep(ASK_PERIOD)
