"""Files are written whole or stay as they were; names are names; what a stranger put beside a bundle stays there."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from family import alive, children, wait_until
from made_weights import random_weights
from safetensors.numpy import save
from slowly import again, mostly_again, mostly_slow
from small_network import SMALL, put_into_cache, small_bundle

from fastdepth_ros.cli import main
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.errors import BundleError, FastDepthError, RecordingError, SettingError, StorageError
from fastdepth_ros.files.scratch import make_scratch, scratch, sweep
from fastdepth_ros.files.writing import new_folder, write_file, write_output
from fastdepth_ros.importing import import_weights
from fastdepth_ros.network import PRUNED
from fastdepth_ros.parameters import validate
from fastdepth_ros.recording import Recording, RecordingWriter
from fastdepth_ros.runtime import cache, storage
from fastdepth_ros.runtime.bundle import MANIFEST, WEIGHTS, Bundle, Manifest, seal, write_bundle
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.module import Size

NO_NAMES = (
    "",
    "../../x",
    "/etc/x",
    "a/b",
    "..",
    ".hidden",
    "-option",
    "a b",
    "a\nb",
    "a\0b",
    "ä",
    "x" * 65,
    "$(id)",
    "a;b",
)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A bundle that is compiled in a moment, and an empty cache."""
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    return small_bundle(tmp_path)


def edit(folder, **changes):
    file = folder / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


# Names


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_becomes_no_path(small, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingError):
        validate({"target": name})
    for ask in (cache.module_for, cache.find_module, cache.module_folder, cache.place_to_compile):
        with pytest.raises(SettingError, match="target cannot be"):
            ask(small, name)
        with pytest.raises(SettingError, match="precision cannot be"):
            ask(small, "host", name)
    edit(small.path, name=name)
    with pytest.raises(BundleError, match="its name cannot be"):
        Bundle.open(small.path)
    with pytest.raises(FastDepthError, match="name cannot be"):
        write_bundle(tmp_path / "other", Manifest(name, SMALL, 32, 32), random_weights(SMALL))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_of_another_type_is_refused(small):
    for name in (None, 1, ["small"], {"a": 1}, True):
        edit(small.path, name=name)
        with pytest.raises(BundleError, match="its name cannot be"):
            Bundle.open(small.path)


@pytest.mark.parametrize("name", ["$(touch ran)", "a\nb", "../x", "x" * 300])
def test_commands_refuse_what_is_no_name(small, tmp_path, capsys, name):
    np.savez(tmp_path / "w.npz", **random_weights(PRUNED))
    assert main(["import", str(tmp_path / "w.npz"), "--out", str(tmp_path / "new"), f"--name={name}"]) == 2
    assert main(["compile", str(small.path), f"--target={name}"]) == 2
    assert main(["deploy", str(small.path), f"--target={name}", "--out", str(tmp_path / "robot")]) == 2
    assert main(["models", "verify", name]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "robot").exists()


# Bundles


@pytest.fixture
def said(caplog):
    """What is said on stderr by default. ROS 2's launch, where it is loaded, makes loggers that hand nothing on."""
    logger = logging.getLogger("fastdepth_ros")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_a_module_that_the_manifest_does_not_name_is_not_loaded(small, small_module, module, said):
    kept, folder = put_into_cache(small, small_module), small.path / "modules" / "host"
    shutil.copytree(module.folder, folder)
    replace(module.description, weights_sha256=small.weights_sha256).write(folder)
    opened = Bundle.open(small.path)
    found = cache.module_for(opened)
    assert found.folder == kept
    assert f"{folder} is not used: the bundle's manifest does not name it" in said.text
    assert cache.prebuilt_for_here(opened) is None


@pytest.mark.parametrize("left_out", mostly_slow(["module.so", "module.json"]))
def test_a_module_that_the_manifest_names_by_half_is_not_loaded(small, module, left_out):
    folder = small.path / "modules" / "host"
    shutil.copytree(module.folder, folder)
    replace(module.description, weights_sha256=small.weights_sha256).write(folder)
    names = {*(small.manifest.files or {}), "modules/host/module.so", "modules/host/module.json"}
    sealed = seal(small.path, small.manifest, names - {f"modules/host/{left_out}"})
    assert cache.prebuilt_for_here(sealed) is None
    if left_out == "module.so":
        with pytest.raises(FastDepthError, match="is not what the bundle's manifest names"):
            cache.module_for(sealed)
    else:
        assert cache.module_for(sealed).folder != folder


def test_a_sealed_description_that_was_changed_after_opening_is_refused(small, module):
    folder = small.path / "modules" / "host"
    shutil.copytree(module.folder, folder)
    replace(module.description, weights_sha256=small.weights_sha256).write(folder)
    sealed = seal(small.path, small.manifest)
    replace(module.description, weights_sha256=small.weights_sha256, cpu="other").write(folder)
    with pytest.raises(BundleError, match="was altered"):
        cache.module_for(sealed)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "./x", "a//b", "a\0b", "a\nb", ".", "", "x" * 300, "a\\b", MANIFEST]
)
def test_a_manifest_that_names_what_is_no_file_of_it_is_refused(small, name):
    edit(small.path, files={**(small.manifest.files or {}), name: "0" * 64})
    with pytest.raises(BundleError, match=r"outside the bundle|no name of a file"):
        Bundle.open(small.path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 100_000,
        "1e999",
        '{"format": 1, "format": 1}',
        "NaN",
        "9" * 5000,
        " " * (2 << 20),
    ],
    ids=range(7),
)
def test_a_manifest_of_any_text_is_one_kind_of_error(small, text):
    (small.path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.open(small.path)


@pytest.mark.parametrize(
    "changes",
    [
        {"input": {"width": 2**31, "height": 32}},
        {"input": {"width": 4128, "height": 32}},
        {"input": {"width": 4096, "height": 4096}},
        {"input": {"width": 1e308, "height": 32}},
        {"network": {**SMALL.to_json(), "encoder": [2**31] * 14}},
        {"network": {**SMALL.to_json(), "decoder": [4, 4, 4, 4, 1e300]}},
        {"network": {**SMALL.to_json(), "name": "\x1b[2J"}},
        {"view": {"resize_height": 2**40, "crop_width": 1, "crop_height": 1}},
        {"depth_m": {"min": 0.1, "max": 1e300}},
        {"depth_m": {"min": 5, "max": 1}},
        {"training_focal_px": [-1, 5]},
        {"training_focal_px": [1e300, 5]},
        {"licence": "\x1b]0;title\x07"},
        {"licence": "x" * 5000},
        {"trained_on": ["a"]},
        {"files": {WEIGHTS: 5}},
        {"files": [1]},
        {"files": {f"a{i}": "0" * 64 for i in range(2000)}},
        {"input": {"width": "224", "height": 224}},
        {"input": {"width": "\uff12\uff12\uff14", "height": 224}},
        {"input": {"width": 224.5, "height": 224}},
        {"view": {"resize_height": True, "crop_width": 1, "crop_height": 1}},
        {"depth_m": {"min": 0.1, "max": "10"}},
        {"depth_m": {"min": False, "max": True}},
        {"training_focal_px": ["200", "200"]},
        {"network": {**SMALL.to_json(), "encoder": [str(n) for n in SMALL.encoder]}},
        {"network": {**SMALL.to_json(), "decoder": [n + 0.5 for n in SMALL.decoder]}},
    ],
    ids=range(27),
)
def test_a_manifest_beyond_its_bounds_is_refused(small, changes):
    edit(small.path, **changes)
    with pytest.raises(FastDepthError):
        Bundle.open(small.path)


@pytest.mark.parametrize("what", ["a pipe", "a device", "a folder", "a link to nothing", "16 GiB of nothing"])
@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_a_file_of_a_bundle_that_is_something_else_holds_nobody_up(small, name, what):
    file = small.path / name
    file.unlink()
    if what == "a pipe":
        os.mkfifo(file)
    elif what == "a device":
        file.symlink_to("/dev/zero")
    elif what == "a folder":
        file.mkdir()
    elif what == "a link to nothing":
        file.symlink_to("nothing")
    else:
        with file.open("wb") as sparse:
            sparse.truncate(2**34)
    with pytest.raises(BundleError):
        Bundle.open(small.path)


def test_a_bundle_of_more_bytes_than_any_has_is_refused_before_they_are_read(small, monkeypatch):
    with (small.path / "a0").open("wb") as sparse:
        sparse.truncate(2**30)
    for i in range(1, 500):
        os.link(small.path / "a0", small.path / f"a{i}")
    edit(small.path, files={**(small.manifest.files or {}), **{f"a{i}": "0" * 64 for i in range(500)}})
    monkeypatch.setattr("fastdepth_ros.runtime.bundle.sha256", None)
    with pytest.raises(BundleError, match="more than 1073741824. Do not use"):
        Bundle.open(small.path)


def test_weights_that_float32_cannot_hold_are_refused(small):
    arrays = {name: array.astype(np.float64) for name, array in small.weights().items()}
    next(iter(arrays.values())).flat[0] = 1e300
    (small.path / WEIGHTS).write_bytes(save(arrays))
    with pytest.raises(FastDepthError, match="holds NaN or infinity"):
        seal(small.path, small.manifest).weights()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target": "cortex-a57"}, "compiled for cortex-a57 in float32, not for host in float32"),
        ({"precision": "int8"}, "compiled for host in int8, not for host in float32"),
        ({"input": Size(64, 64)}, "takes pictures of 64x64 pixels, the bundle others"),
    ],
)
def test_a_module_under_the_name_of_another_is_not_loaded(small, module, wrong, words):
    folder = small.path / "modules" / "host"
    shutil.copytree(module.folder, folder)
    right = {"weights_sha256": small.weights_sha256, "input": Size(32, 32)}
    replace(module.description, **{**right, **wrong}).write(folder)
    with pytest.raises(FastDepthError, match=words):
        cache.module_for(seal(small.path, small.manifest))


# Written whole, or not at all


def limited(program, *arguments, size=20_000):
    """Run a program in which no file may grow beyond ``size`` bytes, as on a disk that becomes full."""
    head = (
        "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    )
    command = [sys.executable, "-c", head + program, *map(str, arguments)]
    # Python would leave bytecode cut off at that size beside the sources, which nobody could import from then on.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_import_that_fails_leaves_the_bundle_that_was_there(tmp_path):
    np.savez(tmp_path / "w.npz", **random_weights(PRUNED))
    bundle = import_weights(tmp_path / "w.npz", tmp_path / "mine")
    before = {path.name: path.read_bytes() for path in bundle.path.iterdir()}
    program = "from fastdepth_ros.cli import main; sys.exit(main(sys.argv[1:]))"
    order = ["import", tmp_path / "w.npz", "--out", bundle.path, "--force"]
    # The process that reads the weights writes them to a file as well, so that one fails or the other.
    done = limited(program, *order)
    assert done.returncode in (2, 74), done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in bundle.path.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_bundle_is_replaced_only_by_a_whole_one(small, tmp_path):
    before = {path.name: path.read_bytes() for path in small.path.iterdir()}
    program = (
        "sys.path.insert(0, sys.argv[2])\nfrom made_weights import random_weights\n"
        "from fastdepth_ros.runtime.bundle import Bundle, write_bundle\nfrom fastdepth_ros.errors import StorageError\n"
        "b = Bundle.open(sys.argv[1])\n"
        "try: write_bundle(b.path, b.manifest, random_weights(b.manifest.network, seed=5))\n"
        "except StorageError as error: print(error)"
    )
    done = limited(program, small.path, Path(__file__).parent, size=1000)
    assert "File too large" in done.stdout, done.stderr
    assert {path.name: path.read_bytes() for path in small.path.iterdir()} == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_bundle_that_is_there_is_replaced_only_where_it_was_said(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", **random_weights(PRUNED))
    order = ["import", str(tmp_path / "w.npz"), "--out", str(tmp_path / "mine")]
    assert main(order) == 0
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert main(order) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*order, "--force"]) == 0
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine", "what is not the bundle's stays"
    assert "notes.txt" not in (Bundle.open(tmp_path / "mine").manifest.files or {})


def test_a_folder_that_holds_something_else_is_never_replaced(small, tmp_path, capsys):
    np.savez(tmp_path / "w.npz", **random_weights(PRUNED))
    home = tmp_path / "home"
    home.mkdir()
    (home / WEIGHTS).write_text("of somebody else")
    for order in (
        ["import", str(tmp_path / "w.npz"), "--out", str(home)],
        ["import", str(tmp_path / "w.npz"), "--out", str(home), "--force"],
        ["compile", str(small.path), "--out", str(home)],
        ["deploy", str(small.path), "--target", "x86-64-v3", "--out", str(home)],
    ):
        assert main(order) == 2
        assert "holds something already" in capsys.readouterr().err
    with pytest.raises(SettingError, match="holds something already"):
        write_bundle(home, small.manifest, random_weights(SMALL))
    assert [path.name for path in home.iterdir()] == [WEIGHTS]
    assert (home / WEIGHTS).read_text() == "of somebody else"


def test_new_weights_leave_no_modules_of_older_ones(small, module):
    shutil.copytree(module.folder, small.path / "modules" / "host")
    replace(module.description, weights_sha256=small.weights_sha256).write(small.path / "modules" / "host")
    sealed = seal(small.path, small.manifest)
    same = write_bundle(sealed.path, sealed.manifest, random_weights(SMALL))
    assert "modules/host/module.so" in (same.manifest.files or {})
    other = write_bundle(sealed.path, sealed.manifest, random_weights(SMALL, seed=9))
    assert "modules/host/module.so" not in (other.manifest.files or {})
    assert not (other.path / "modules" / "host").exists()


def test_a_file_is_replaced_at_once_or_stays(tmp_path):
    write_file(tmp_path / "file", "old")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(StorageError):
        write_file(tmp_path / "nowhere" / "file", "new")
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_an_output_goes_where_its_name_leads(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_output(tmp_path / "link", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    write_output(tmp_path / "pipe", "said")
    assert os.read(reader, 9) == b"said"
    assert (tmp_path / "pipe").is_fifo()
    os.close(reader)


@pytest.mark.parametrize(
    "write",
    [
        "from fastdepth_ros.files.writing import write_output; write_output(out, bytes(10_000))",
        "from fastdepth_ros.training import curves; curves.write(out, [{'images': 1.0}] * 1000)",
        "from matplotlib.figure import Figure; from fastdepth_ros.evaluation import figures;"
        " figures.save(Figure(), out.with_suffix('.png'), dpi=300)",
    ],
    ids=["numbers", "curves", "a figure"],
)
def test_what_was_there_survives_a_full_disk(tmp_path, write):
    for name in ("out", "out.png"):
        (tmp_path / name).write_text("an hour's work")
    program = (
        "import pathlib\nfrom fastdepth_ros.errors import StorageError\nout = pathlib.Path(sys.argv[1])\n"
        f"try:\n {write}\nexcept StorageError as error: print(error)"
    )
    done = limited(program, tmp_path / "out", size=2000)
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout
    for name in ("out", "out.png"):
        assert (tmp_path / name).read_text() == "an hour's work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.png"]


def write_and_raise(out, error):
    with new_folder(out, lambda _: True) as draft:
        (draft / "a").write_text("second")
        raise error


def test_a_folder_that_fails_leaves_what_was_there(tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        with new_folder(out, lambda _: True) as draft:
            (draft / "a").write_text("first")
    for error, told in (
        (OSError(28, "No space left on device"), StorageError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):
        with pytest.raises(told):
            write_and_raise(out, error)
    assert (out / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("extra", [(), again((5_000, 1_200_000))], ids=["two sizes", "four sizes"])
def test_a_recording_on_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, extra):
    program = (
        "from fastdepth_ros.errors import RecordingError\nfrom fastdepth_ros.recording import RecordingWriter\n"
        "try:\n with RecordingWriter(sys.argv[1]) as writer:\n"
        "  for i in range(100): writer.write('/a', 'sensor_msgs/msg/Image', i, bytes(100_000))\n"
        "except RecordingError as error: print(error)"
    )
    for size in (100, 3_000_000, *extra):
        done = limited(program, tmp_path / "bag", size=size)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "no recording can be written" in done.stdout
        assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_cut_short_by_an_error_can_be_read(tmp_path):
    with suppress(ZeroDivisionError), RecordingWriter(tmp_path / "bag") as writer:
        writer.write("/a", "std_msgs/msg/String", 1, b"\0\1\0\0\1\0\0\0\0")
        assert not (tmp_path / "bag").exists()
        raise ZeroDivisionError
    with Recording.open(tmp_path / "bag") as recording:
        assert recording.topics["/a"].messages == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]
    with pytest.raises(RecordingError, match="exists already"):
        RecordingWriter(tmp_path / "bag")


@pytest.mark.again
def test_a_command_on_a_full_disk_says_so(tmp_path):
    program = "from fastdepth_ros.cli import main; sys.exit(main(sys.argv[1:]))"
    done = limited(program, "rooms", "--out", tmp_path / "rooms", "--count", "1", size=100)
    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr
    assert list((tmp_path / "rooms").iterdir()) == []


# Leftovers


def test_nothing_is_compiled_to_a_full_disk(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(storage, "ROOM", 2**80)
    assert main(["compile", str(small.path), "--out", str(tmp_path / "new" / "out")]) == StorageError.status
    assert "out is full. Make room" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def old(folder):
    os.utime(folder, (time.time() - 100,) * 2)


def test_what_a_dead_maker_left_is_swept_and_what_a_living_one_has_is_not(tmp_path):
    folder, handle = make_scratch(tmp_path)
    (folder / "file").write_text("x")
    (tmp_path / ".fastdepth-mine").mkdir()
    for path in tmp_path.iterdir():
        old(path)
    sweep(tmp_path)
    assert folder.exists(), "it is locked"
    os.close(handle)
    with scratch(tmp_path) as other:
        assert not folder.exists()
    assert not other.exists()
    assert [path.name for path in tmp_path.iterdir()] == [".fastdepth-mine"]


def test_a_link_of_such_a_name_is_not_followed(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "file").write_text("x")
    (tmp_path / ".fastdepth-aaaaaaaa").symlink_to("home")
    old(tmp_path / "home")
    sweep(tmp_path)
    assert (tmp_path / "home" / "file").exists()


@pytest.mark.parametrize("by", mostly_slow([signal.SIGKILL, signal.SIGTERM]), ids=lambda s: s.name)
@pytest.mark.parametrize("apart", mostly_again([True, False]), ids=["a program that has it compiled", "the command"])
def test_a_compilation_that_is_ended_leaves_no_process(bundle, tmp_path, by, apart):
    program = (
        "import sys; from fastdepth_ros.runtime import bundle, cache; cache.module_for(bundle.Bundle.open(sys.argv[2]))"
        if apart
        else "import sys; sys.argv[0] = 'fastdepth'; from fastdepth_ros.cli import main; sys.exit(main())"
    )
    environment = {**os.environ, "FASTDEPTH_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen([sys.executable, "-c", program, "compile", str(bundle.path)], env=environment)
    wanted = 2 if apart else 1
    wait_until(lambda: len(children(process.pid)) >= wanted or process.poll() is not None)
    assert process.poll() is None
    family = children(process.pid)
    process.send_signal(by)
    process.wait()
    wait_until(lambda: not alive(family))
    modules = tmp_path / "cache" / "modules"
    for path in modules.iterdir():
        old(path)
    compile_bundle(small_bundle(tmp_path), "host", modules / "new")
    assert not [path for path in modules.iterdir() if path.name.startswith(".")]
    assert Engine(cache.CompiledModule.open(modules / "new")).run().any()
