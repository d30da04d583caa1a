"""Measures what video costs the node beside JPEG: the computed room, encoded in each way, decoded in turns.

    python -m tools.video_cost [--pictures 75]

Prints bytes of a picture, and the processor time from the message to RGB; of JPEG also where the network needs it only
half as large.
"""

from __future__ import annotations

import argparse
import sys
import time

import av
import cv2
import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker
from fastdepth_ros.messages.video import SerializedVideo, VideoUnpacker
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.record import CAMERA
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room

ENCODERS = {"h264": "libx264", "hevc": "libx265"}
QUALITY = 90


def room(count: int) -> list[np.ndarray]:
    """Pictures of the camera that goes through the computed room, RGB."""
    renderer = Renderer(build_room(), CAMERA)
    return [renderer.render(pose_at(step / 75), step).picture for step in range(count)]


def encoded(pictures: list[np.ndarray], codec: str) -> list[bytes]:
    """One packet a picture, as encoders for radio links make them."""
    if codec == "jpeg":
        jpegs = (cv2.imencode(".jpg", each[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1] for each in pictures)
        return [jpeg.tobytes() for jpeg in jpegs]
    context = av.CodecContext.create(ENCODERS[codec], "w")
    context.height, context.width = pictures[0].shape[:2]
    context.pix_fmt, context.framerate, context.gop_size = "yuv420p", 30, 15
    quiet = {"x265-params": "log-level=none"} if codec == "hevc" else {}
    context.options = {"preset": "veryfast", "tune": "zerolatency", **quiet}
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = number
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets + [bytes(packet) for packet in context.encode(None)]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=75, help="of the computed room [%(default)s]")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = room(args.pictures)
    packets = {codec: encoded(pictures, codec) for codec in ("jpeg", *ENCODERS)}
    ways: dict[str, tuple[Unpacker | VideoUnpacker, PictureReader]] = {
        codec: (VideoUnpacker("video"), PictureReader()) for codec in ENCODERS
    }
    for name, reduction in (("jpeg", 1), ("jpeg, half", 2)):
        ways[name] = Unpacker(compressed=True), PictureReader(reduction=lambda *_, reduction=reduction: reduction)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(len(pictures)):
        for way, (unpacker, reader) in ways.items():
            codec = way.partition(",")[0]
            message = CompressedImage(format=codec)
            message.data.frombytes(packets[codec][number])
            serialized = serialize_message(message)
            started = time.thread_time()
            unpacked = unpacker.unpack(serialized)
            if isinstance(unpacked, SerializedVideo):
                unpacker.hand_over(unpacked)
            reader.read(unpacked)
            taken[way].append(time.thread_time() - started)
    for way, own in taken.items():
        size = np.mean([len(each) for each in packets[way.partition(",")[0]]]) / 1e3
        sys.stdout.write(f"{way}: {size:.1f} kB, {np.median(own) * 1e3:.2f} ms\n")


if __name__ == "__main__":
    main()
