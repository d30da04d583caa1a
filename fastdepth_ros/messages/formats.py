"""Meaning of ``format`` of a CompressedImage.

compressed_image_transport writes ``ENCODING; png compressed TARGET``: what the raw image was, and what it was made into
before it was compressed. If that is nothing, the file holds the raw image's numbers: a depth image stays one, and a
Bayer mosaic looks like a grey picture.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fastdepth_ros.errors import ImageError, shortened
from fastdepth_ros.messages.encodings import ENCODINGS, Encoding

_DEPTH = re.compile(r"(TYPE_)?(16[US]|32[US]|32F|64F)C\d+|z16|depth.*", re.IGNORECASE)
_VIDEO = ("h264", "h265", "hevc", "av1", "vp8", "vp9", "theora", "ffmpeg")


@lru_cache(16)
def mosaic_of(form: str) -> Encoding | None:
    """The Bayer mosaic that a file of this format holds; None where it holds colours or grey.

    Raises:
        ImageError: it holds depth, or is a video.
    """
    encoding, target = encoding_of(form), form.partition(";")[2].partition("compressed")[2].strip()
    what = f"the compressed image of format {shortened(form)!r}"
    if "compresseddepth" in form.lower() or _DEPTH.fullmatch(encoding):
        remedy = (
            "Remap `image` to the topic of the colour camera; its topics of type sensor_msgs/CompressedImage say rgb8,"
        )
        raise ImageError(f"{what} is a depth image", f"{remedy} bgr8 or mono8 in their format.")
    if any(video in form.lower() for video in _VIDEO):
        remedy = "Set image_transport to video if it is H.264 or H.265; or take a topic of JPEG or PNG pictures."
        raise ImageError(f"{what} is a piece of a video", remedy)
    if not encoding.startswith("bayer_") or target:
        return None
    name = encoding.removesuffix("16") + "8" if encoding.endswith("16") else encoding
    if name not in ENCODINGS:
        raise ImageError(f"{what} has a mosaic that is not known", "Use bayer_rggb8, bggr8, gbrg8 or grbg8.")
    return ENCODINGS[name]


def encoding_of(form: str) -> str:
    """The raw image's encoding; empty where the format does not say."""
    encoding, semicolon, _ = form.partition(";")
    return encoding.strip() if semicolon else ""
