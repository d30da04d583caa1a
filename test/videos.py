"""Real videos for tests: pictures that PyAV encodes, packet by packet."""

from __future__ import annotations

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV is not installed")

ENCODERS = {"h264": "libx264", "hevc": "libx265"}


def encoded(pictures, codec="h264", gop=8, **options):
    """Packets of RGB pictures, one each; a key frame every ``gop``."""
    if ENCODERS[codec] not in av.codecs_available:
        pytest.skip(f"this PyAV has no {ENCODERS[codec]}")
    context = av.CodecContext.create(ENCODERS[codec], "w")
    context.height, context.width = pictures[0].shape[:2]
    context.pix_fmt, context.framerate, context.gop_size = "yuv420p", 30, gop
    quiet = {"x265-params": "log-level=none"} if codec == "hevc" else {}
    context.options = {"preset": "ultrafast", "tune": "zerolatency", **quiet, **options}
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = number
        packets += [bytes(packet) for packet in context.encode(frame)]
    packets += [bytes(packet) for packet in context.encode(None)]
    assert len(packets) == len(pictures)
    return packets


def film(count, height=96, width=128, step=3):
    """Pictures of a camera that goes past a smooth poster."""
    rows, columns = np.mgrid[0:height, 0 : width + step * count].astype(np.float32)
    waves = [128 + 90 * np.sin(columns / (9 + 4 * k) + k) * np.cos(rows / (11 + 3 * k)) for k in range(3)]
    world = np.stack(waves, -1).astype(np.uint8)
    return [np.ascontiguousarray(world[:, step * n : step * n + width]) for n in range(count)]
