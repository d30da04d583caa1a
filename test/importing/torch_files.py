"""Files as torch writes them, written by hand: the tests need them where torch is not installed."""

import io
import struct
import zipfile

import numpy as np

STORAGES = {
    np.dtype(np.float32): "FloatStorage",
    np.dtype(np.float16): "HalfStorage",
    np.dtype(np.int64): "LongStorage",
}


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def tensor(key: str, array: np.ndarray) -> bytes:
    """The opcodes of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict())."""
    storage = (
        b"(" + text("storage") + f"ctorch\n{STORAGES[array.dtype]}\n".encode() + text(key) + text("cpu")
        + number(array.size) + b"tQ"
    )  # fmt: skip
    strides = [stride // array.itemsize for stride in array.strides]
    shape, stride = (b"(" + b"".join(number(n) for n in numbers) + b"t" for numbers in (array.shape, strides))
    end = b"\x89" + b"ccollections\nOrderedDict\n)R" + b"tR"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + shape + stride + end


def zip_file(opcodes: bytes, storages: dict[str, np.ndarray]) -> bytes:
    """The archive of torch 1.6 and later around a pickle's opcodes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + opcodes + b".")
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return file.getvalue()


def state_dict_file(state: dict[str, np.ndarray], under: str | None = None) -> bytes:
    """A state dict, or a checkpoint that holds one under a key, beside an object of an unknown class."""
    items = b"".join(text(name) + tensor(str(i), array) for i, (name, array) in enumerate(state.items()))
    opcodes = b"ccollections\nOrderedDict\n)R(" + items + b"u"
    if under is not None:
        unknown = text("args") + b"cargparse\nNamespace\n)\x81}" + b"(" + text("lr") + number(1) + b"ub"
        opcodes = b"}(" + text(under) + opcodes + unknown + b"u"
    return zip_file(opcodes, {str(i): array for i, array in enumerate(state.values())})
