"""TVM's file format for named arrays (``*.params``), as ``save_param_dict`` has written it since 2018. Little-endian.

list   u64 0xF7E58D4F05049CB7, u64 0, u64 count, count names (u64 length, bytes), u64 count, count arrays
array  u64 0xDD5E40F096B4A13F, u64 0, i32 device type, i32 device, i32 dimensions, u8 type code, u8 bits, u16 lanes,
       i64 per dimension, i64 bytes, the numbers
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing.bounds import check_count, foreign, read_file

LIST_MAGIC = 0xF7E58D4F05049CB7
ARRAY_MAGIC = 0xDD5E40F096B4A13F
TYPE_CODES = "iuf"
"""NumPy's letters for DLPack's type codes: signed, unsigned, floating."""


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file, by name; read-only views of its bytes.

    Raises:
        WeightsError: the file is of another format, or cut short.
    """
    remedy = "Copy the file again; TVM's save_param_dict writes it."
    with foreign(path, "a list of TVM arrays", remedy):
        cursor = _Cursor(read_file(path))
        if cursor.take("<Q")[0] != LIST_MAGIC:
            raise WeightsError(f"{path} is no list of TVM arrays: it begins otherwise", remedy)
        cursor.take("<Q")
        check_count(names := cursor.take("<Q")[0], "arrays")
        known = [cursor.text() for _ in range(names)]
        if (count := cursor.take("<Q")[0]) != names:
            raise WeightsError(f"{path} has {names} names and {count} arrays", remedy)
        return {name: cursor.array(name) for name in known}


class _Cursor:
    """Reads forward through bytes; ValueError or struct.error where they end too early."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values

    def bytes(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(f"{count} bytes announced, {len(self.data) - self.at} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def text(self) -> str:
        return self.bytes(self.take("<Q")[0]).decode("utf-8")

    def array(self, name: str) -> npt.NDArray[Any]:
        magic, _ = self.take("<QQ")
        if magic != ARRAY_MAGIC:
            raise ValueError(f"{name} does not begin as an array")
        _, _, dimensions, code, bits, lanes = self.take("<iiiBBH")
        if not (0 <= dimensions <= 8 and code < len(TYPE_CODES) and lanes == 1):
            raise ValueError(f"{name} has {dimensions} dimensions, type code {code} and {lanes} lanes")
        shape = self.take(f"<{dimensions}q")
        data = self.bytes(self.take("<q")[0])
        return np.frombuffer(data, np.dtype(f"<{TYPE_CODES[code]}{bits // 8}")).reshape(shape)
