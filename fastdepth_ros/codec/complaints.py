"""Complaints that OpenCV's libraries print while they decode, and tell nowhere else.

libjpeg goes on over damaged bytes and prints one line to C's ``stderr``; OpenCV passes on the picture. So that stream
is another one while a picture is decoded: one in memory, in which there is nothing as a rule. The file descriptor stays
as it is, so whatever else the process writes goes where it always went.

If the C library is not glibc, nothing is heard and lines go to stderr as ever.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from fastdepth_ros.errors import brief

Decoded = TypeVar("Decoded")

KNOWN = (
    "Corrupt JPEG data",
    "Premature end of JPEG",
    "Inconsistent progression",
    "Invalid SOS",
    "Invalid",
    "Unsupported",
    "Unknown Adobe",
    "Warning: unknown JFIF",
    "Bogus",
    "Application transferred",
    "libpng ",
    "Incompatible libpng",
)
"""Beginnings of the lines of libjpeg and libpng. Another thread's are passed on."""

_STDERR = 2
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_WRITTEN_TO = 5
"""Pointer of glibc's ``FILE``, behind its flags, to where the next byte goes: programs that were built with the macros
of old know it, so that it stays there."""


class Ear:
    """Hears what is printed while pictures are decoded, one after the other."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._lock = threading.Lock()
        self._deaf = not hasattr(self._libc, "gnu_get_libc_version")
        if self._deaf:
            return
        self._text, self._size = ctypes.c_void_p(), ctypes.c_size_t()
        self._flush = self._libc.fflush
        self._flush.argtypes = [ctypes.c_void_p]
        self._libc.open_memstream.restype = ctypes.c_void_p
        self._address = self._libc.open_memstream(ctypes.byref(self._text), ctypes.byref(self._size))
        self._stream = ctypes.c_void_p(self._address)
        self._current = _pointer(ctypes.c_void_p.in_dll(self._libc, "stderr"))
        self._deaf = self._address is None
        if not self._deaf:
            self._watch(self._address)

    def _watch(self, stream: int) -> None:
        """Find out by whether a pointer moves if anything was printed: less than to have all written out each time."""
        self._written_to = _pointer(ctypes.c_void_p.from_address(stream + _WRITTEN_TO * _POINTER))
        at_rest = self._written_to[0]
        self._libc.fputs(b"0123", self._stream)
        self._told = at_rest != 0 and self._written_to[0] == at_rest + len(b"0123")
        self._libc.rewind(self._stream)
        self._flush(self._stream)
        self._at_rest = self._written_to[0] if self._told else -1

    def hear(self, decode: Callable[..., Decoded], *arguments: Any) -> tuple[Decoded, str]:
        """Decode a picture, and return what was said of it, too."""
        if self._deaf:
            return decode(*arguments), ""
        said, current = "", self._current
        with self._lock:
            usual = current[0]
            current[0] = self._address
            try:
                decoded = decode(*arguments)
            finally:
                current[0] = usual
                if self._written_to[0] != self._at_rest:
                    self._flush(self._stream)
                    if self._size.value:
                        said = self._take()
        return decoded, said

    def _take(self) -> str:
        """The decoders' lines; those of others go where they were meant to go."""
        text = ctypes.string_at(self._text.value or 0, self._size.value)
        self._libc.rewind(self._stream)
        self._flush(self._stream)
        if self._told:
            self._at_rest = self._written_to[0]
        lines = text.decode("utf-8", "replace").splitlines()
        others = [line for line in lines if not line.startswith(KNOWN)]
        if others:
            os.write(_STDERR, ("\n".join(others) + "\n").encode())
        return "\n".join(brief(line, 200) for line in lines if line.startswith(KNOWN))


def _pointer(place: ctypes.c_void_p) -> memoryview:
    """A pointer in memory, as a row of one number: read and written sooner than by ctypes' own ways."""
    return memoryview(place).cast("B").cast("P")


ear = Ear()
"""The process has one ``stderr``, and so one ear."""
