"""Decodes H.264 and H.265 of anybody with PyAV, where it is installed: packet by packet, each as soon as it came.

A picture is made of the one before, so nothing is decoded but from a key frame on. After a packet that is missing or
damaged the next key frame is waited for: a decoder would go on with what it has, and show a room that never was.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec import units
from fastdepth_ros.codec.decoder import MAX_PIXELS, check_size
from fastdepth_ros.errors import ImageError, SettingError

CODECS = {"h264": ("h264", "264", "avc"), "hevc": ("hevc", "265")}
"""FFmpeg's name of a codec -> parts of the names that drivers and encoders have for it, as ``libx264``."""

MOST_PICTURES = 2
"""Pictures that a packet may begin: one, or both fields of one."""

MARGIN = 1.1
"""Pixels that FFmpeg may take memory for, of the largest picture's: rows and columns come in blocks of 16 and more."""


class NoKeyFrameError(ImageError):
    """A packet that needs one before it that is not there; nothing is wrong with it."""


def codec_of(name: str) -> str | None:
    """FFmpeg's name of the codec in a message's format or encoding; None where that is neither H.264 nor H.265."""
    lower = name.lower()
    return next((codec for codec, parts in CODECS.items() if any(part in lower for part in parts)), None)


def check_installed() -> None:
    """Hold that PyAV is there.

    Raises:
        SettingError: it is not.
    """
    if importlib.util.find_spec("av") is None:
        remedy = "Install it, `pip install av`, or have the camera send raw or JPEG images."
        raise SettingError("video is decoded by PyAV, which is not installed", remedy)


@cache
def _av() -> Any:
    """PyAV, which says nothing on its own."""
    check_installed()
    import av

    av.logging.set_level(None)
    return av


class VideoDecoder:
    """Decodes the packets of one video, in their order.

    Args:
        codec: ``h264`` or ``hevc``.

    Attributes:
        max_pixels: of the largest picture that is decoded; of a video that goes on it holds from the next key frame on.
    """

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.max_pixels = MAX_PIXELS
        self._context: Any = None

    def forget(self) -> None:
        """Wait for a key frame: packets are missing."""
        self._context = None

    def decode(self, data: bytes, name: str) -> Any:
        """Decode one packet.

        Args:
            data: of it.
            name: what it is called in an error.

        Returns:
            PyAV's frame, which :func:`pixels_of` makes into pixels; None where the video shows nothing new yet.

        Raises:
            NoKeyFrameError: none came yet, or since a packet was missing or damaged.
            ImageError: it is damaged, or its picture is too large.
            SettingError: PyAV is not installed.
        """
        av = _av()
        try:
            access = units.look(data, self.codec)
            if access.pictures > MOST_PICTURES:
                raise ValueError(f"begins {access.pictures} pictures")
        except ValueError as error:
            self.forget()
            remedy = "Check who publishes it: a packet is one picture of H.264 or H.265, with start codes (annex B)."
            raise ImageError(f"{name} {error}", remedy) from None
        if access.key and (self._context is None or self.max_pixels != self._limit):
            self._open(av)
        if self._context is None:
            remedy = "Wait for a key frame, or have the encoder make one more often, as by `gop_size`."
            raise NoKeyFrameError(f"{name} needs a key frame, which did not come yet", remedy)
        try:
            frames = self._context.decode(av.Packet(data))
        except (av.FFmpegError, MemoryError, ValueError) as error:
            self.forget()
            raise self._damaged(name, str(error)) from None
        if any(frame.is_corrupt for frame in frames):
            self.forget()
            raise self._damaged(name, "parts of its picture are missing")
        if not frames:
            return None
        check_size(name, frames[-1].width, frames[-1].height, self.max_pixels)
        return frames[-1]

    def _open(self, av: Any) -> None:
        """Begin anew. FFmpeg itself refuses larger pictures, before it takes memory for them."""
        context = av.CodecContext.create(self.codec, "r")
        context.thread_count = 1  # the network has the cores, and several would hold pictures back
        context.flags |= av.codec.context.Flags.low_delay
        context.options = {"max_pixels": str(int(MARGIN * self.max_pixels) + 4096), "err_detect": "explode"}
        self._context, self._limit = context, self.max_pixels

    def _damaged(self, name: str, why: str) -> ImageError:
        remedy = f"Look for packets that are lost, or for more than {self.max_pixels} pixels (max_pixels)."
        return ImageError(f"{name} cannot be decoded ({why})", remedy)


def pixels_of(frame: Any) -> npt.NDArray[np.uint8]:
    """The pixels of a decoded frame, (height, width, 3) RGB: its own colours, converted as it says of itself.

    All of them: to make the picture smaller on the way takes longer.
    """
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
