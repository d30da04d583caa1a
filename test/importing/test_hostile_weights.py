"""Weights of strangers: whatever is in them, there is one clear error, no code, little memory and no crash."""

import io
import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_weights import random_weights
from nursery import IMPORTING, Nursery
from slowly import mostly_again

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing import READERS, apart, inert, read_weights
from fastdepth_ros.importing.reading import read_here
from fastdepth_ros.network import PRUNED

sys.path[:0] = [str(Path(__file__).parent)]
import onnx_files  # noqa: E402
import torch_files  # noqa: E402

DEEP = 1_000_000


def nested(opcode: bytes, depth: int = DEEP) -> bytes:
    """A pickle's object that stands inside itself so often: tuples for TUPLE1, lists for APPEND."""
    if opcode == b"\x85":
        return b")" + opcode * depth
    return b"]" * depth + opcode * (depth - 1)


HOSTILE_PICKLES = {
    "a deep tuple as key": b"}" + nested(b"\x85") + b"K\x01s",
    "a deep tuple as key of an OrderedDict": (
        b"ccollections\nOrderedDict\n(](" + nested(b"\x85", 900_000) + b"K\x01e\x85e\x85R"
    ),
    "a deep tuple in a set": b"\x8f(" + nested(b"\x85") + b"\x90",
    "a deep tuple in a frozenset": b"(" + nested(b"\x85") + b"\x91",
    "a deep tuple as storage key": b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + nested(b"\x85") + b"tQ",
    "deep lists": nested(b"a", 400_000),
    "the memo's last place": b"Nr\xff\xff\xff\xff",
    "a text of 16 EiB": b"\x8d" + b"\xff" * 7 + b"\x0f",
    "bytes of 16 EiB": b"\x8e" + b"\xff" * 7 + b"\x0f",
    "a bytearray of 1 TiB": b"\x96" + struct.pack("<Q", 2**40),
    "a frame of 1 TiB": b"\x95" + struct.pack("<Q", 2**40),
    "an extension": b"\x82\x01",
    "an out-of-band buffer": b"\x97",
    "an instruction that is none": b"\xff",
    "nothing on the stack": b"0",
    "a class of protocol 0": b"(ios\nsystem\n",
    "a million dictionaries": b"}" * 1_000_000,
    "a number of a million digits": b"I" + b"9" * 1_000_000 + b"\n",
    "a tensor of 2**40 numbers in four bytes": (
        b"}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x85K\x00\x85tRs"
    ),
}


def zipped(pickled: bytes) -> bytes:
    return torch_files.zip_file(pickled, {"0": np.ones(1, np.float32)})


@pytest.fixture(scope="module")
def readers():
    """Starts processes that have imported what reads weights."""
    nursery = Nursery(IMPORTING)
    yield nursery
    nursery.end()


@pytest.mark.parametrize("form", mostly_again(["zip", "file of 2019"]))
@pytest.mark.parametrize("name", HOSTILE_PICKLES)
def test_a_hostile_pickle_costs_nothing_but_an_error(readers, tmp_path, name, form):
    code = HOSTILE_PICKLES[name]
    file = tmp_path / "hostile.pth"
    file.write_bytes(zipped(code) if form == "zip" else b"\x80\x02" + code + b".")
    run_bounded(readers, file)


def run_bounded(readers, file, megabytes=500):
    """Read a file in a process of its own, in which nothing stands between the parser and a crash, and measure it."""
    program = (
        "import sys\nfrom fastdepth_ros.errors import WeightsError\n"
        "from fastdepth_ros.importing.reading import read_here\n"
        "try: read_here(sys.argv[1])\nexcept WeightsError as error: print(error)\n"
        # ru_maxrss would be that of the process that started this one, where it had more.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = readers.run([sys.executable, "-c", program, file])
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-2000:]
    said, peak = done.stdout.splitlines()
    assert len(said) < 1000
    assert int(peak) < megabytes * 1024


def test_build_changes_nothing_but_inert_objects():
    before = inert._tensor.__defaults__, dict(vars(inert._ordered))
    for target in (b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n", b"ctorch\nFloatStorage\n"):
        code = b"\x80\x02" + target + b"N}X\x0c\x00\x00\x00__defaults__K\x01\x85s\x86b."
        inert.load(io.BytesIO(code))
        inert.load(io.BytesIO(b"\x80\x02" + target + b"}X\x0c\x00\x00\x00__defaults__K\x01\x85sb."))
    assert (inert._tensor.__defaults__, dict(vars(inert._ordered))) == before


def test_a_pickle_of_pythons_own_is_read_as_it_was_written():
    written = {"a": [1, 2.5, None, True, "text", (1, 2)], "b": {"c": b"bytes", 7: []}}
    for protocol in range(6):
        found = inert.load(io.BytesIO(pickle.dumps(written, protocol)))
        assert found["a"] == written["a"]
        assert found["b"][7] == []


def npz(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def damaged(data: bytes, at: int, by: bytes) -> bytes:
    return data[:at] + by + data[at + len(by) :]


GOOD = npz(conv0=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}") + bytes(4))
CENTRAL = GOOD.index(b"PK\x01\x02")
HOSTILE_NPZ = {
    "a bomb of zeros": npz(conv0=bytes(300 * 2**20)),
    "a header of 2**40 numbers": npz(conv0=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}")),
    "a negative shape": npz(conv0=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}") + bytes(4)),
    "objects": npz(conv0=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"cos\nsystem\n."),
    "numbers of no bytes": npz(conv0=npy("{'descr': '|V0', 'fortran_order': False, 'shape': (5,)}")),
    "a header that is no literal": npz(conv0=npy("{'descr': " + "(" * 3000)),
    "another version": npz(conv0=b"\x93NUMPY\x09\x00" + bytes(20)),
    "no magic": npz(conv0=bytes(100)),
    "an encrypted member": damaged(GOOD, CENTRAL + 8, b"\x01"),
    "an unknown compression": damaged(GOOD, CENTRAL + 10, b"\x63"),
    "a damaged stream": damaged(GOOD, 45, b"\xff\xff\xff"),
    "a member that is elsewhere": damaged(GOOD, CENTRAL + 42, b"\xff\xff"),
    "a size that is not so": damaged(GOOD, CENTRAL + 24, b"\xff\xff\x00"),
    "many members": npz(**{f"a{i}": b"" for i in range(3000)}),
    "a name that is no text": damaged(GOOD, CENTRAL + 46, b"\xff\xfe"),
}


@pytest.mark.parametrize("name", HOSTILE_NPZ)
def test_a_hostile_npz_costs_nothing_but_an_error(readers, tmp_path, name):
    file = tmp_path / "hostile.npz"
    file.write_bytes(HOSTILE_NPZ[name])
    run_bounded(readers, file)


def test_every_damage_of_an_npz_is_one_kind_of_error(tmp_path):
    file, rng = tmp_path / "damaged.npz", np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(GOOD)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        file.write_bytes(data)
        with pytest.raises(WeightsError):
            read_here(file)


HOSTILE_ONNX = {
    "a number where bytes belong": onnx_files.field(7, onnx_files.field(5, onnx_files.field(9, 2**31))),
    "a graph that is a number": onnx_files.field(7, 2**40),
    "a name that is a number": onnx_files.field(7, onnx_files.field(5, onnx_files.field(8, 2**31))),
    "a node that is a number": onnx_files.field(7, onnx_files.field(1, 2**31)),
    "a type that is bytes": onnx_files.field(7, onnx_files.field(5, onnx_files.field(2, b"abc"))),
    "a number without end": b"\x38" + b"\x80" * 1_000_000,
    "a shape that is not so": onnx_files.field(
        7,
        onnx_files.field(
            5,
            b"".join(
                [
                    onnx_files.field(1, 2**40),
                    onnx_files.field(2, 1),
                    onnx_files.field(8, "w"),
                    onnx_files.field(9, b"0000"),
                ]
            ),
        ),
    ),
    "a million numbers one by one": onnx_files.field(
        7, onnx_files.field(5, onnx_files.field(2, 1) + onnx_files.field(4, 1.0) * 1_000_000 + onnx_files.field(1, 3))
    ),
}


@pytest.mark.parametrize("name", HOSTILE_ONNX)
def test_a_hostile_onnx_model_costs_nothing_but_an_error(readers, tmp_path, name):
    file = tmp_path / "hostile.onnx"
    file.write_bytes(HOSTILE_ONNX[name])
    run_bounded(readers, file)


def test_a_graph_of_a_million_brackets_is_refused(tmp_path):
    arrays = struct.pack("<QQQQ", 0xF7E58D4F05049CB7, 0, 0, 0)
    (tmp_path / "deploy_param.params").write_bytes(arrays)
    (tmp_path / "deploy_graph.json").write_text("[" * 1_000_000)
    with pytest.raises(WeightsError, match=r"deploy_graph\.json cannot be read"):
        read_here(tmp_path / "deploy_param.params")


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_noise_behind_every_known_beginning_is_one_kind_of_error(tmp_path, suffix):
    file, rng = tmp_path / f"noise{suffix}", np.random.default_rng(1)
    heads = (b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x04\x95", b"\x1c\0\0\0TFL3", b"\x3a\xff\x01", GOOD[:60])
    for head in heads:
        for _ in range(20):
            file.write_bytes(head + rng.integers(0, 256, rng.integers(1, 300), np.uint8).tobytes())
            with pytest.raises(WeightsError):
                read_here(file)


def test_a_reader_that_crashes_is_told_as_a_hostile_file(tmp_path, monkeypatch):
    file = tmp_path / "some.npz"
    file.write_bytes(GOOD)
    monkeypatch.setattr(
        apart.children, "python", lambda *_: [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    )
    with pytest.raises(WeightsError, match=r"some\.npz ended the process that read it \(SIGSEGV\).*hostile"):
        read_weights(file)


def test_a_reader_has_limits_of_memory_and_time(tmp_path):
    (tmp_path / "some.npz").write_bytes(GOOD)
    program = (
        "import resource; from fastdepth_ros.importing import apart\n"
        "apart._limit(1000)\nprint(*(resource.getrlimit(k)[0] for k in (resource.RLIMIT_AS, resource.RLIMIT_CPU)))\n"
        "try: bytearray(2**30)\nexcept MemoryError: print('no memory')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    memory, seconds, *said = done.stdout.split()
    assert int(memory) < 2**30
    assert 0 < int(seconds) <= 60
    assert said == ["no", "memory"]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


@pytest.mark.usefixtures("afresh")
def test_good_weights_come_through_the_other_process_bit_by_bit(tmp_path):
    weights = random_weights(PRUNED)
    np.savez(tmp_path / "good.npz", **weights)
    table, found = read_weights(tmp_path / "good.npz")
    assert table == PRUNED
    assert list(found) == list(weights)
    assert all(np.array_equal(found[name], weights[name]) for name in weights)
    assert read_weights(tmp_path / "good.npz", PRUNED)[0] == PRUNED


@pytest.mark.usefixtures("afresh")
def test_nothing_is_imported_from_the_current_folder(tmp_path, monkeypatch):
    np.savez(tmp_path / "good.npz", **random_weights(PRUNED))
    for name in ("numpy", "safetensors", "runpy", "zipfile", "json"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    read_weights(tmp_path / "good.npz")
    assert not (tmp_path / "it-ran").exists()
