"""Decodes files of anybody: each is looked through before, and what the decoder says is heard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec import jpeg, png
from fastdepth_ros.codec.complaints import ear
from fastdepth_ros.codec.filler import Room, filler_in
from fastdepth_ros.errors import ImageError

MAX_PIXELS = 64_000_000
"""Pixels of the largest picture that is decoded where nobody says otherwise."""

USUAL_BYTES = 6
"""Bytes that decoding takes for each pixel of most pictures; those that take more count as larger than they are."""

MOST_SCANS = 100
MOST_SCANNED = 16
"""Scans of a JPEG, and how often the largest picture may be gone over: ten are usual."""

PADDING = 512
"""Bytes that cameras leave behind a file's end."""

_COLOUR_BYTES = 3
_COEFFICIENT_BYTES = 2
_EXTRANEOUS = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x(\w\w)")
_DAMAGE = ("Corrupt JPEG data", "Premature end", "Inconsistent progression", "Invalid SOS", "libpng error")

Bytes: TypeAlias = "bytes | memoryview | npt.NDArray[np.uint8]"


@dataclass(slots=True)
class File:
    """Facts of a file that are known before it is decoded.

    Attributes:
        kind: ``JPEG`` or ``PNG``.
        width, height: of its picture [px].
        bits: of a channel.
        channels: number of channels that are stored.
        reducible: whether it can be decoded smaller than it is.
        data: of it that makes the picture.
        scan: where in ``data`` its first scan begins and ends, if bytes that fill a gap can be told from it.
    """

    kind: str
    width: int
    height: int
    bits: int
    channels: int
    reducible: bool
    data: Bytes
    scan: tuple[int, int] = (0, 0)


class Decoder:
    """Decodes files one after the other: of one that begins as the one before, the beginning is not read again.

    Args:
        max_pixels: of the largest picture that is decoded.

    Attributes:
        max_pixels: may be changed at any time.
    """

    def __init__(self, max_pixels: int = MAX_PIXELS) -> None:
        self.max_pixels = max_pixels
        self._head = b""
        self._header: jpeg.Header | None = None
        self._allowed, self._least = -1, 0.0
        self._fewest = 0.0
        self._usual: File | None = None
        self._room = Room()

    def look(self, data: Bytes, name: object) -> File:
        """Look through a file. What is found is valid until the next one is looked through.

        Args:
            data: of the file.
            name: what it is called in an error, as text: only then it is asked for.

        Raises:
            ImageError: it is neither JPEG nor PNG, is not whole, or its picture is too large.
        """
        view = data if isinstance(data, memoryview) else memoryview(data)  # type: ignore[arg-type]  # of a numpy array, too
        if (file := self._look_at_usual(view)) is not None:
            return file
        # As bytes, because views are compared one by one: 0.3 ms for a head that holds a small picture.
        known = self._header is not None and view[: len(self._head)].tobytes() == self._head
        try:
            if known or view[: len(jpeg.START)] == jpeg.START:
                return self._look_at_jpeg(view, name, known)
            if view[: len(png.START)] == png.START:
                return self._look_at_png(view, name)
        except ValueError as error:
            remedy = "Look for a full queue or a bad cable between camera and publisher."
            raise ImageError(f"{name} {error}", remedy) from None
        raise ImageError(
            f"{name} is neither JPEG nor PNG", "Set the driver's or image_transport's format to jpeg or png."
        )

    def decode(self, file: File, name: object, flags: int) -> npt.NDArray[Any]:
        """Decode a file that was looked through just before.

        Args:
            file: as :meth:`look` found it.
            name: what it is called in an error.
            flags: OpenCV's, as ``cv2.IMREAD_COLOR``.

        Raises:
            ImageError: it is damaged.
        """
        array = file.data if isinstance(file.data, np.ndarray) else np.frombuffer(file.data, np.uint8)
        try:
            pixels, said = ear.hear(cv2.imdecode, array, flags)
        except (cv2.error, MemoryError):
            pixels, said = None, ""
        damage = self._damage(said, array) if said else ""
        if not damage and file.scan[1] and self._room.repeats(file.scan[1]):
            damage = self._filler(array[slice(*file.scan)])
        if pixels is None or damage:
            remedy = "Look for a bad cable or a failing camera; other images are not affected."
            raise ImageError(f"{name} is corrupt" + (f" ({damage})" if damage else ""), remedy)
        decoded: npt.NDArray[Any] = pixels
        return decoded

    def _look_at_usual(self, data: memoryview) -> File | None:
        """A JPEG that begins as the one before and ends as most do; None where all has to be looked at."""
        file, size, room = self._usual, len(data), self._room
        if file is None or not self._fewest <= size <= room.most or self._allowed != self.max_pixels:
            return None
        start, taken = file.scan[0], room.take(data, file.scan[0])
        if not (room.file.startswith(self._head) and room.file.endswith(jpeg.END, 0, size)):
            return None
        file.data, file.scan = taken, (start, size - len(jpeg.END))
        return file

    def _look_at_jpeg(self, data: memoryview, name: object, known: bool) -> File:
        if not known or self._header is None:
            head = data.tobytes()
            self._header, self._allowed, self._usual = jpeg.read_header(head), -1, None
            self._head = head[: self._header.ends]
        header = self._header
        if self._allowed != self.max_pixels:
            if header.bits != 8:
                raise ValueError(f"has {header.bits} bits a channel, which is not for cameras")
            check_size(name, header.width, header.height, self.max_pixels, _jpeg_bytes(header))
            self._allowed, self._least = self.max_pixels, header.ends + jpeg.least_bytes(header)
            self._fewest = max(self._least, header.ends + len(jpeg.END))
        if len(data) < self._least:
            raise ValueError(f"was cut short: its {len(data)} bytes are no {header.width}x{header.height} pixels")
        if header.scans:
            self._check_scans(name, file := data.tobytes(), header)
            end = jpeg.end_of_scan(file, header.ends)
        else:
            end = _end_of(data, header.ends)
        start = header.ends
        if header.mended:
            data = memoryview(header.mended + data[start:])
            start, end = len(header.mended), end + len(header.mended) - start
        facts = ("JPEG", header.width, header.height, header.bits, header.channels, header.reducible)
        if not header.tables:
            return File(*facts, data)
        found = File(*facts, self._room.take(data, start), (start, end))
        self._usual = None if header.scans or header.mended else found
        return found

    def _look_at_png(self, data: memoryview, name: object) -> File:
        header = png.read_header(data)
        needed = _COLOUR_BYTES + header.channels * max(1, header.bits // 8)
        check_size(name, header.width, header.height, self.max_pixels, needed)
        # Nothing that stands behind the end is handed on: the decoder would read it, were there no pixels before.
        picture = png.picture_alone(data) if header.chatty else data[: header.ends]
        return File("PNG", header.width, header.height, header.bits, header.channels, False, picture)

    def _filler(self, scan: npt.NDArray[np.uint8]) -> str:
        """Words for bytes that fill a part of a scan; none where it is whole."""
        tables = self._header.tables if self._header is not None else ()
        if filler_in(scan, tables) is None:
            return ""
        end = scan.tobytes().find(jpeg.END)  # more pictures may follow the first
        byte = filler_in(scan[: end if end >= 0 else len(scan)], tables)
        return "" if byte is None else f"a part of it is filled with 0x{byte:02x}"

    def _damage(self, said: str, data: npt.NDArray[np.uint8]) -> str:
        """Complaints of damage; none where the picture is whole."""
        for line in said.splitlines():
            if line.startswith(_DAMAGE) and not self._is_harmless(line, data):
                return line
        return ""

    def _is_harmless(self, line: str, data: npt.NDArray[np.uint8]) -> bool:
        """Whether it is of stray bytes behind a scan or before a restart that leave the picture whole.

        libjpeg tells of the first fault alone: what comes later has to be looked for.
        """
        stray = _EXTRANEOUS.match(line)
        if stray is None or self._header is None:
            return False
        count, marker = int(stray[1]), int(stray[2], 16)
        if marker == jpeg.END[1]:
            return count <= jpeg.STRAY_BYTES or _is_padding(data, count)
        return count <= jpeg.STRAY_BYTES and jpeg.restarts_follow(data.tobytes(), self._header)

    def _check_scans(self, name: object, file: bytes, header: jpeg.Header) -> None:
        if not jpeg.is_whole(file, header):
            raise ValueError("was cut short")
        scans = jpeg.scan_count(file, header)
        if scans > MOST_SCANS or scans * header.width * header.height > MOST_SCANNED * self.max_pixels:
            cause = f"{name} has {header.width}x{header.height} pixels in {scans} scans"
            raise ImageError(cause, "Have the camera send baseline JPEG, or smaller pictures.")


def _end_of(data: memoryview, start: int) -> int:
    """End of a file of one scan: it is looked for at the end, before some padding, and then everywhere."""
    if data[-len(jpeg.END) :].tobytes() == jpeg.END and len(data) - len(jpeg.END) >= start:
        return len(data) - len(jpeg.END)
    for begin in (max(start, len(data) - PADDING), start):
        at = data[begin:].tobytes().find(jpeg.END)
        if at >= 0:
            return begin + at
    raise ValueError("was cut short")


def decode_file(data: Bytes, name: object, flags: int, max_pixels: int = MAX_PIXELS) -> npt.NDArray[Any]:
    """The pixels of one file, as OpenCV gives them.

    Args:
        data: of the file.
        name: what it is called in an error.
        flags: OpenCV's, as ``cv2.IMREAD_COLOR``.
        max_pixels: of the largest picture that is decoded.

    Raises:
        ImageError: it is neither JPEG nor PNG, damaged, or its picture is too large.
    """
    decoder = Decoder(max_pixels)
    return decoder.decode(decoder.look(data, name), name, flags)


def check_size(name: object, width: int, height: int, max_pixels: int, pixel_bytes: float = 0) -> None:
    """Hold a picture's size against the limit.

    Args:
        name: what it is called in an error.
        width, height: of the picture [px].
        max_pixels: how many are allowed.
        pixel_bytes: that decoding needs for each, where they are known.

    Raises:
        ImageError: it is too large.
    """
    weight = max(1.0, pixel_bytes / USUAL_BYTES)
    if width * height * weight > max_pixels:
        cause = f"{name} has {width}x{height} pixels" + (f" of {pixel_bytes:.0f} bytes" if weight > 1 else "")
        remedy = f"Lower the camera's resolution, or raise max_pixels (now {max_pixels}) if it is to be so large."
        raise ImageError(cause, remedy)


def _jpeg_bytes(header: jpeg.Header) -> float:
    return _COLOUR_BYTES + (_COEFFICIENT_BYTES * header.samples if header.scans else 0)


def _is_padding(data: npt.NDArray[np.uint8], count: int) -> bool:
    """Whether the last bytes of a file before its end are one byte over and over."""
    end = data.tobytes().rfind(jpeg.END)
    padding = data[max(0, end - count) : end]
    return len(padding) > 0 and bool((padding[1:] == padding[0]).all()) and int(padding[0]) in (0, 0xFF)
