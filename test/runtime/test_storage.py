"""Places for modules on machines as they are: no home, a read-only one, a full disk, folders that others write."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import kept_code
import pytest
from nursery import Nursery
from slowly import mostly_slow
from small_network import put_into_cache, small_bundle

import fastdepth_ros
from fastdepth_ros.doctor.model import bundle_and_module
from fastdepth_ros.errors import StorageError
from fastdepth_ros.files.trust import distrust
from fastdepth_ros.runtime import cache, storage
from fastdepth_ros.runtime.bundle import seal
from fastdepth_ros.runtime.cache import module_for

STRANGER = 54321
"""A user without an entry in passwd."""

ROOT = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")

PACKAGE = str(Path(fastdepth_ros.__file__).parents[1])
"""Where the package lies; a workspace has it on a path that the shell sets, and strangers have another."""

ASK = """
import json, os, sys
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engine import Engine
said = []
bundle = Bundle.open(sys.argv[1])
module = module_for(bundle, say=said.append)
Engine(module).run()
from fastdepth_ros.doctor import model
model.PATIENCE = 600.0  # of a machine that runs other tests beside
checks = [(c.level.word, c.about, c.cause) for c in model.bundle_and_module(sys.argv[1], "host")]
print(json.dumps([str(module.folder), said, checks]))
"""


@pytest.fixture(autouse=True)
def no_private_folder():
    """Each test begins as a process does: nothing was compiled to a temporary folder yet."""
    storage.private_folder.cache_clear()


@pytest.fixture
def open_folder():
    """A folder that every user may enter; those of pytest are for their owner."""
    folder = Path(tempfile.mkdtemp(prefix="fastdepth-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def small(open_folder):
    """A bundle that is compiled in a moment, for everybody to read."""
    return small_bundle(open_folder)


@pytest.fixture
def shipped(small, small_module):
    """Such a bundle with a module that ships with it, of other kernels than the compiler here would make."""
    mine = small.path / "modules" / "mine"
    shutil.copytree(small_module.folder, mine)
    about = json.loads((mine / "module.json").read_text())
    (mine / "module.json").write_text(json.dumps({**about, "kernels": "0" * len(about["kernels"])}))
    for path in small.path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return seal(small.path, small.manifest)


@pytest.fixture(scope="module")
def stranger():
    """Starts processes of another user.

    He may read everything, because Python may lie where other users cannot.
    """
    reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    become = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", *reads]
    nursery = Nursery(("fastdepth_ros.doctor.model", "fastdepth_ros.runtime.engine", "tvm_ffi"), become)
    yield nursery
    nursery.end()


def clean(environment):
    return {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGE, "OPENBLAS_NUM_THREADS": "1", **environment}


def ask(stranger, bundle, **environment):
    """Module that another user gets, what is said to him, and what the doctor says to him."""
    return answer(stranger.run([sys.executable, "-c", ASK, bundle.path], env=clean(environment), cwd="/"))


def ask_where(before, bundle, **environment):
    """The same of this user, in mounts of his own that a shell's line makes before."""
    command = ["unshare", "--mount", "sh", "-c", f'{before} && exec "$@"', "sh", sys.executable, "-c", ASK, bundle.path]
    return answer(subprocess.run(command, env=clean(environment), cwd="/", capture_output=True, text=True, check=False))


IN_A_COPY = f"""
sys.path.append({str(Path(kept_code.__file__).parent)!r})
from fastdepth_ros.runtime import cache
from nursery import COMPILER, InCopies
cache.subprocess = InCopies(*COMPILER, "kept_code")
"""
"""Has a process compile as the tests' own do, by what is kept."""


def answer(done):
    assert done.returncode == 0, done.stderr
    folder, said, checks = json.loads(done.stdout.splitlines()[-1])
    assert not [check for check in checks if check[0] == "FAIL"], checks
    return Path(folder), " ".join(said), checks


def can_mount():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


MOUNTS = pytest.mark.skipif(os.geteuid() != 0 or not can_mount(), reason="mounting is not allowed here")


@ROOT
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "no home folder"),
        ({"HOME": "/nonexistent"}, "no home folder"),
        ({"HOME": ""}, "cannot be written"),  # That is the root of all folders, as Python and shells have it.
        ({"XDG_CACHE_HOME": "relative", "HOME": "/nonexistent"}, "no home folder"),
        ({"XDG_CACHE_HOME": "/proc"}, "cannot be written"),
        ({"FASTDEPTH_CACHE": "/usr/fastdepth"}, "cannot be written (Permission denied)"),
        ({"FASTDEPTH_CACHE": "/etc/passwd"}, "cannot be written"),
    ],
    ids=str,
)
def test_where_nothing_can_be_kept_the_shipped_module_is_used_and_said_so(stranger, shipped, environment, words):
    folder, said, checks = ask(stranger, shipped, **environment)
    assert folder == shipped.path / "modules" / "mine"
    assert words in said
    assert "ships with the bundle is used" in said
    assert "FASTDEPTH_CACHE" in said
    (told,) = [fact for level, _, fact in checks if level == "WARN"]
    assert "none can be kept" in told
    assert "a shipped one is used" in told


@ROOT
@pytest.mark.again
def test_without_a_shipped_module_one_is_compiled_to_a_folder_that_goes_with_the_process(stranger, small):
    folder, said, checks = ask(stranger, small, HOME="/nonexistent")
    assert "temporary folder, at each start anew" in said
    assert not folder.exists()
    assert not any(part.exists() for part in folder.parents if part.name.startswith(".fastdepth-"))
    assert not small.path.is_relative_to(folder)
    assert [level for level, name, _ in checks if name == "module"] == ["OK"], "it is there, in this process"


@MOUNTS
def test_a_read_only_home_is_no_obstacle(shipped, open_folder):
    (open_folder / "home").mkdir()
    mount = f"mount -t tmpfs none {open_folder}/home && mount -o remount,ro {open_folder}/home"
    folder, said, _ = ask_where(mount, shipped, HOME=str(open_folder / "home"))
    assert folder == shipped.path / "modules" / "mine"
    assert "Read-only file system" in said


@MOUNTS
def test_a_full_disk_is_no_obstacle(shipped, open_folder):
    (open_folder / "home").mkdir()
    mount = f"mount -t tmpfs -o size=100k none {open_folder}/home"
    folder, said, _ = ask_where(mount, shipped, HOME=str(open_folder / "home"))
    assert folder == shipped.path / "modules" / "mine"
    assert "is full" in said


@MOUNTS
def test_a_disk_that_becomes_full_while_compiling_is_no_obstacle(small, open_folder):
    (open_folder / "home").mkdir()
    program = ASK.replace("said = []", f"{IN_A_COPY}\ncache.obstacle = lambda _: ''; said = []")
    command = [sys.executable, "-c", program, str(small.path)]
    mount = f'mount -t tmpfs -o size=40k none {open_folder}/home && exec "$@"'
    environment = clean({kept_code.FOLDER: os.environ[kept_code.FOLDER], "HOME": str(open_folder / "home")})
    order = ["unshare", "--mount", "sh", "-c", mount, "sh", *command]
    done = subprocess.run(order, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "full" in done.stderr or "No space left on device" in done.stderr
    assert "temporary folder, at each start anew" in done.stdout


def test_a_user_without_anything_writable_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(storage, "_temporary", lambda: iter(["/proc"]))
    monkeypatch.setattr(storage, "cache_dir", lambda: None)
    storage.private_folder.cache_clear()
    with pytest.raises(StorageError, match=r"cannot be written.*FASTDEPTH_CACHE"):
        storage.private_folder()


# Trust


def test_a_folder_is_made_for_its_owner_alone_whatever_the_umask(tmp_path, monkeypatch, small):
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        folder = module_for(small).folder
    finally:
        os.umask(before)
    for place in (tmp_path / "a", tmp_path / "a" / "b", folder.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700, place
    for path in (folder, *folder.iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o022, path
    assert not distrust(folder / "module.so", tmp_path / "a" / "b")


OPEN = {
    "the cache": lambda folder: folder.parent.parent,
    "its folder of modules": lambda folder: folder.parent,
    "the module's folder": lambda folder: folder,
    "the library": lambda folder: folder / "module.so",
    "the description": lambda folder: folder / "module.json",
}


@pytest.fixture
def kept(small, small_module, tmp_path, monkeypatch):
    """A module in the cache, as if it had been compiled there."""
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    folder = put_into_cache(small, small_module)
    assert cache.find_module(small).folder == folder
    return folder


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777], ids=oct)
@pytest.mark.parametrize("what", OPEN)
def test_a_module_that_others_could_have_written_is_not_loaded(small, kept, what, mode):
    OPEN[what](kept).chmod(mode)
    said = []
    assert cache.find_module(small, say=said.append) is None
    assert "can be written by other users" in " ".join(said)


def test_another_module_is_compiled_where_nobody_else_can_write(small, kept):
    root, said = kept.parent.parent, []
    inode = os.stat(kept / "module.so").st_ino
    (kept / "module.so").chmod(0o666)
    again = module_for(small, say=said.append)
    assert again.folder == kept
    assert os.stat(again.library).st_ino != inode
    kept.parent.chmod(0o777)
    again = module_for(small, say=said.append)
    assert not again.folder.is_relative_to(root)


@ROOT
@pytest.mark.parametrize("what", OPEN)
def test_a_module_of_another_user_is_not_loaded(small, kept, what):
    os.chown(OPEN[what](kept), STRANGER, STRANGER)
    said = []
    assert cache.find_module(small, say=said.append) is None
    assert "belongs to another user (54321)" in " ".join(said)


def test_a_parent_that_others_can_write_is_as_bad_unless_names_are_their_owners(tmp_path):
    (tmp_path / "open" / "cache").mkdir(parents=True)
    for mode, trusted in ((0o777, False), (0o1777, True), (0o755, True)):
        (tmp_path / "open").chmod(mode)
        assert (not distrust(tmp_path / "open" / "cache", tmp_path / "open" / "cache")) is trusted, oct(mode)


@ROOT
def test_a_link_of_another_user_is_not_followed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    assert not distrust(tmp_path / "link", tmp_path / "link")
    os.chown(tmp_path / "link", STRANGER, STRANGER, follow_symlinks=False)
    assert "belongs to another user" in distrust(tmp_path / "link", tmp_path / "link")


def test_what_a_link_leads_to_has_to_be_trusted_as_well(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "cache").symlink_to(tmp_path / "open")
    assert "can be written by other users" in distrust(tmp_path / "cache", tmp_path / "cache")


def test_a_tile_table_that_others_could_have_written_is_not_believed(tmp_path, monkeypatch):
    from fastdepth_ros.compiler import tiling
    from fastdepth_ros.compiler.targets import find_target

    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    target, before = find_target("host"), cache.kernels_version()
    file = tiling.own_table(target)
    tiling.write(file, {}, {"conv1": tiling.Tiling(panel=1)})
    assert len(tiling.measured(target)) == 1
    assert cache.kernels_version() != before
    file.parent.chmod(0o777)
    assert len(tiling.measured(target)) > 1
    assert cache.kernels_version() == before


def test_a_tile_table_that_is_a_pipe_holds_nobody_up(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path))
    tmp_path.joinpath("tuning").mkdir()
    os.mkfifo(tmp_path / "tuning" / "pipe.json")
    assert cache.kernels_version()


# The lock


@pytest.mark.parametrize("exists", mostly_slow([True, False]))
def test_a_lock_that_is_a_link_leaves_its_victim_alone(small, tmp_path, monkeypatch, exists):
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    folder, victim = cache.module_folder(small, "host"), tmp_path / "victim"
    folder.parent.mkdir(parents=True, mode=0o700)
    if exists:
        victim.write_text("precious")
    folder.with_name(f"{folder.name}.lock").symlink_to(victim)
    said = []
    assert module_for(small, say=said.append).folder != folder
    assert "cannot be locked" in " ".join(said)
    assert victim.exists() is exists
    assert not exists or victim.read_text() == "precious"


def test_a_lock_is_not_emptied_and_is_for_its_owner(tmp_path):
    (tmp_path / "some.lock").write_text("text")
    with storage.locked(tmp_path / "some.lock"):
        assert (tmp_path / "some.lock").read_text() == "text"
    with storage.locked(tmp_path / "new.lock"):
        assert stat.S_IMODE((tmp_path / "new.lock").stat().st_mode) == 0o600


def test_a_lock_that_is_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pipe.lock")
    with pytest.raises(StorageError, match="no regular file"), storage.locked(tmp_path / "pipe.lock"):
        pass


def test_the_doctor_tries_what_it_promises(small, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    (check,) = [check for check in bundle_and_module(str(small.path), "host") if check.about == "module"]
    assert "The node compiles it at its first start" in check.remedy
    assert not (tmp_path / "cache").exists(), "and leaves nothing behind"
    (tmp_path / "cache").write_text("a file")
    (check,) = [check for check in bundle_and_module(str(small.path), "host") if check.about == "module"]
    assert "none can be kept" in check.cause
    assert "at each start anew" in check.remedy
