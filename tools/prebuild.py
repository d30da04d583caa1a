"""Puts compiled modules into a bundle, for robots without a compiler: `prebuild.py [--out DIR] [BUNDLE [MODULE...]]`.

A module is named by its target, and in int8 TARGET-int8. Without any: those that ship, of every bundle that ships where
none is named. All of a bundle are compiled, and those that run on this machine are held against a module in
float32 made for it, before anything in the bundle changes. Other modules stay as they are; the manifest is
sealed anew over them and what it named before. With --out the bundle stays as it is, and a copy of it in DIR gets the
modules: `make wheel` takes that one.
"""

from __future__ import annotations

import argparse
import runpy
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastdepth_ros.errors import ModuleError
from fastdepth_ros.lowering.bundles import compile_model
from fastdepth_ros.models import DEFAULT, find_bundle, list_bundles
from fastdepth_ros.runtime.bundle import Bundle, seal
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import FLOAT32, INT8

SHIPPED = ("x86-64-v3", "x86-64-v3-int8", "x86-64-v4", "x86-64-v4-int8", "cortex-a57")
"""Modules of the default bundle in a wheel, and of one that is named."""

BESIDE = ("x86-64-v3-int8", "x86-64-v4-int8")
"""Modules of the other bundles in a wheel, which is to stay small: those that precision auto takes, the smallest."""

TOLERANCES = {FLOAT32: 1e-4, INT8: 0.2}
"""Metres between the depths of two modules of one bundle, the other one in float32."""

PICTURE = runpy.run_path(str(Path(__file__).with_name("run_module.py")))["picture"]


def depth(module: Path) -> np.ndarray:
    """The depth of a made-up picture.

    Raises:
        ModuleError: the module may not run here.
    """
    engine = open_engine(CompiledModule.open(module))
    engine.input[:] = PICTURE(*engine.input.shape[:2])
    return engine.run().copy()


def compiled(bundle: Bundle, targets: Sequence[str], folder: Path) -> None:
    """Compile every target to ``folder/<target>``, and try those that may run here."""
    expected = depth(compile_model(bundle, "host", folder / "host"))
    assert expected.max() > 0.1, f"{bundle.path} answers nothing, so that nothing can be compared"
    for name in targets:
        target = name.removesuffix(f"-{INT8}")
        precision = FLOAT32 if name == target else INT8
        made = compile_model(bundle, target, folder / name, precision=precision)
        made.chmod(0o755)
        size = f"{sum(file.stat().st_size for file in made.iterdir()) / 1e6:.1f} MB"
        try:
            error = float(np.abs(depth(made) - expected).max())
        except ModuleError:
            sys.stdout.write(f"{name}: {size}, not tried, because it may not run on this machine\n")
            continue
        assert error <= TOLERANCES[precision], f"{name} is {error} m away from the module for this machine"
        sys.stdout.write(f"{name}: {size}, within {error:.1e} m of the module for this machine\n")


def copied(bundle: Bundle, folder: Path) -> Bundle:
    """A copy of a bundle without its modules, in ``folder``."""
    for name in (name for name in bundle.manifest.files or {} if not name.startswith("modules/")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bundle.read(name))
    return seal(folder, bundle.manifest)


def main() -> None:
    """Put the modules that are asked for into every bundle that is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", nargs="?", help="default: all that ship")
    parser.add_argument("modules", nargs="*", help="default: those that ship")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for copies of the bundles, which get the modules")
    args = parser.parse_args()
    for model in [args.bundle] if args.bundle else list_bundles():
        bundle = find_bundle(model)
        targets = args.modules or (SHIPPED if args.bundle or bundle.manifest.name == DEFAULT else BESIDE)
        put(copied(bundle, args.out / bundle.path.name) if args.out else bundle, targets)


def put(bundle: Bundle, targets: Sequence[str]) -> None:
    """Compile, try, put into the bundle, seal, and open the bundle again."""
    modules = bundle.path / "modules"
    with tempfile.TemporaryDirectory(dir=bundle.path.parent, prefix=".prebuild-") as scratch:
        compiled(bundle, targets, Path(scratch, "new"))
        # Old modules go before new ones come, so that the bundle opens whenever this is cut short.
        Path(scratch, "old").mkdir()
        for target in targets:
            if (modules / target).is_dir():
                (modules / target).rename(Path(scratch, "old", target))
        kept = {name for name in bundle.manifest.files or {} if (bundle.path / name).is_file()}
        seal(bundle.path, bundle.manifest, kept)
        modules.mkdir(exist_ok=True)
        for target in targets:
            shutil.move(Path(scratch, "new", target), modules / target)
    made = {path.relative_to(bundle.path).as_posix() for name in targets for path in (modules / name).iterdir()}
    sealed = seal(bundle.path, bundle.manifest, kept | made)
    for name in sealed.manifest.files or {}:
        (bundle.path / name).chmod(0o644)  # Another user may run the robot.
    size = sum((bundle.path / name).stat().st_size for name in sealed.manifest.files or {})
    sys.stdout.write(f"{bundle.path}: {size / 1e6:.1f} MB, weights {sealed.weights_sha256[:12]}, sealed\n")


if __name__ == "__main__":
    main()
