"""Puts compiled modules into a bundle, so that a robot without a compiler can run it: `prebuild.py BUNDLE [TARGET...]`.

Without targets: those that ship with the default model. Modules of other targets in the bundle stay as they are; the
manifest is sealed anew over all files.
"""

from __future__ import annotations

import sys

from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.bundle import seal

SHIPPED = ("x86-64-v3", "x86-64-v4", "cortex-a57")


def main() -> None:
    """Compile and seal."""
    bundle = find_bundle(sys.argv[1])
    for target in sys.argv[2:] or SHIPPED:
        folder = compile_bundle(bundle, target, bundle.path / "modules" / target)
        folder.chmod(0o755)
        size = (folder / "module.so").stat().st_size
        sys.stdout.write(f"{folder}: {size / 1e6:.1f} MB\n")
    seal(bundle.path, bundle.manifest)


if __name__ == "__main__":
    main()
