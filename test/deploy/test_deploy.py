"""A robot's folder, made and then used as a robot would: without checkout, compiler or network."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_weights import CHECKOUT
from slowly import mostly_slow
from small_network import small_bundle

from fastdepth_ros.cli import main
from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.cuda.nvrtc import nvrtc
from fastdepth_ros.deploy.folder import package_wheel
from fastdepth_ros.deploy.runtime import KEPT, runtime_wheel
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle, seal
from fastdepth_ros.runtime.cache import module_for, prebuilt_for_here
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.losses import Loss, Losses
from fastdepth_ros.runtime.precision import choose

ROBOT_HAS = ("numpy", "safetensors", "yaml", "rich", "pygments", "markdown_it", "mdurl", "typing_ext")
ROBOT_HAS += ("tvm_ffi", "apache_tvm_ffi")
TARGET = "x86-64-v3" if "avx2" in processor.features() else "aarch64"

ON_THE_ROBOT = """
import sys
import numpy as np
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import has_compiler, module_for
from fastdepth_ros.runtime.engines import open_engine
assert not has_compiler()
engine = open_engine(module_for(Bundle.open(sys.argv[1])))
engine.input[:] = np.load(sys.argv[2])
np.save(sys.argv[3], engine.run())
print(sys.modules["fastdepth_ros"].__file__, engine.module.description.target)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("deploy") / "robot"
    assert main(["deploy", str(small.path), "--target", TARGET, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def robot(folder, tmp_path_factory):
    """The root that the folder's wheels were installed to, and a place with the few other packages that a robot has."""
    root, other = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("other")
    wheels = sorted(map(str, (folder / "wheels").glob("*.whl")))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--ignore-installed",
        "--prefix",
        str(root),
    ]
    subprocess.run([*pip, *wheels], check=True)
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.name.startswith(ROBOT_HAS):
            (other / path.name).symlink_to(path)
    return root, other


def site(root):
    return Path(sysconfig.get_path("purelib", vars={"base": str(root)}))


def run(robot, *arguments):
    """Run Python with what the robot has, and nothing of this environment's."""
    root, other = robot
    environment = {"PYTHONPATH": f"{site(root)}{os.pathsep}{other}", "HOME": str(root), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


def test_the_robot_runs_the_prebuilt_module_without_a_compiler(folder, robot, small, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.save(tmp_path / "picture.npy", picture)
    model = folder / "models" / "small"
    done = run(robot, "-c", ON_THE_ROBOT, model, tmp_path / "picture.npy", tmp_path / "depth.npy")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(site(robot[0]) / "fastdepth_ros" / "__init__.py"), TARGET]
    engine = open_engine(module_for(small))
    engine.input[:] = picture
    expected = engine.run()
    assert expected.max() > 0.1
    np.testing.assert_allclose(np.load(tmp_path / "depth.npy"), expected, rtol=1e-4, atol=1e-5)


def test_a_folder_for_a_gpu_holds_its_program_and_the_runtime_of_the_processor_beside_it(small, tmp_path):
    try:
        nvrtc()
    except ModuleError as error:
        pytest.skip(str(error))
    target = next(gpu.name for gpu in GPUS.values() if gpu.host == os.uname().machine)
    assert main(["deploy", str(small.path), "--target", target, "--out", str(tmp_path / "robot")]) == 0
    module = tmp_path / "robot" / "models" / "small" / "modules" / target
    assert {path.name for path in module.iterdir()} == {"module.cuda", "module.json"}
    assert f"    target: {target}\n" in (tmp_path / "robot" / "config" / "depth.yaml").read_text()
    assert module_for(Bundle.open(tmp_path / "robot" / "models" / "small"), target).folder == module
    assert prebuilt_for_here(Bundle.open(tmp_path / "robot" / "models" / "small")) is None


def test_the_robot_says_that_only_the_runtime_is_there(folder, robot):
    done = run(robot, "-m", "fastdepth_ros.cli", "doctor", "--model", folder / "models" / "small", "--wait", "0")
    assert "runtime only, no compiler" in done.stdout, done.stderr
    assert "OK    trial run" in done.stdout


def test_the_folder_holds_one_module_and_one_library_of_tvm(folder):
    model = folder / "models" / "small"
    assert [path.name for path in (model / "modules").iterdir()] == [TARGET]
    assert f"modules/{TARGET}/module.so" in Bundle.open(model).manifest.files
    assert set(runtime_wheel(os.uname().machine).files) == set(KEPT)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 10e6


def test_the_configuration_names_model_and_target(folder):
    text = (folder / "config" / "depth.yaml").read_text()
    assert "    model: small\n" in text
    assert f"    target: {TARGET}\n" in text


def test_the_same_package_makes_the_same_wheel(tmp_path):
    once, again = (package_wheel().write(folder).read_bytes() for folder in (tmp_path, tmp_path))
    assert once == again


def test_an_installed_package_brings_launch_and_configuration(robot):
    shared = robot[0] / "share" / "fastdepth_ros"
    assert (shared / "launch" / "depth.launch.py").is_file()
    assert (shared / "config" / "fastdds.xml").is_file()
    assert (shared / "package.xml").is_file()
    for program in ("bin/fastdepth", "bin/depth_node", "lib/fastdepth_ros/depth_node"):
        assert os.access(robot[0] / program, os.X_OK), program


def test_the_commands_of_an_installation_are_those_of_setup_py():
    """A wheel made here and one made by setuptools start the same functions."""
    text = (CHECKOUT / "setup.py").read_text()
    for command, function in package_wheel().scripts.items():
        assert f'"{command} = {function}"' in text


def test_a_folder_that_was_damaged_on_its_way_is_not_installed(folder, tmp_path):
    subprocess.run(["cp", "-R", str(folder), str(tmp_path / "copy")], check=True)
    with (tmp_path / "copy" / "models" / "small" / "weights.safetensors").open("r+b") as file:
        file.seek(100)
        file.write(b"?")
    done = subprocess.run(["sh", tmp_path / "copy" / "install.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "damaged" in done.stderr
    assert not (tmp_path / "copy" / "venv").exists()


def test_an_old_python_is_refused_by_the_installer(folder, tmp_path):
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\n[ $1 = -V ] && echo Python 3.6.9 || exit 1\n")
    old.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(old)}
    done = subprocess.run(["sh", folder / "install.sh"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Python 3.6.9 does not do" in done.stderr


def test_nothing_is_overwritten(small, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["deploy", str(small.path), "--target", TARGET, "--out", str(tmp_path)]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert main(["deploy", str(small.path), "--target", "z80", "--out", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif("avx2" not in processor.features(), reason="this processor lacks AVX2")
@pytest.mark.parametrize(("lost", "ships"), mostly_slow([(0.001, True), (0.01, False)]))
def test_int8_goes_with_it_where_the_bundle_loses_next_to_nothing(
    small, small_modules, tmp_path, monkeypatch, lost, ships
):
    def take(_bundle, target, out, precision="float32", **_options):
        shutil.copytree(small_modules(target, precision), out)

    monkeypatch.setattr("fastdepth_ros.deploy.folder.compile_model", take)
    folder = shutil.copytree(small.path, tmp_path / "small")
    table = Losses(small.weights_sha256, {"int8": {"rooms": Loss(9, lost, 0.0, "AVX2")}})
    seal(folder, replace(small.manifest, losses=table))
    assert main(["deploy", str(folder), "--target", "x86-64-v3", "--out", str(tmp_path / "robot")]) == 0
    robot = Bundle.open(tmp_path / "robot" / "models" / "small")
    assert robot.names("modules/x86-64-v3-int8/module.json") == ships
    assert choose(robot, "x86-64-v3").precision == ("int8" if ships else "float32")


def test_a_precision_that_is_asked_for_goes_with_it_and_is_what_its_node_takes(
    small, small_modules, tmp_path, monkeypatch
):
    """Without a table of losses int8 would not go along."""

    def take(_bundle, target, out, precision="float32", **_options):
        shutil.copytree(small_modules(target, precision), out)

    monkeypatch.setattr("fastdepth_ros.deploy.folder.compile_model", take)
    out = tmp_path / "robot"
    assert main(["deploy", str(small.path), "--target", "x86-64-v3", "--precision", "int8", "--out", str(out)]) == 0
    robot = Bundle.open(out / "models" / "small")
    for name, precision in (("x86-64-v3", "float32"), ("x86-64-v3-int8", "int8")):
        assert json.loads(robot.read(f"modules/{name}/module.json"))["precision"] == precision
    config = yaml.safe_load((out / "config" / "depth.yaml").read_text(encoding="utf-8"))
    assert config["/**"]["ros__parameters"]["precision"] == "int8"
