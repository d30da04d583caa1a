#!/usr/bin/env bash
# Runs what `fastdepth deploy` makes for ARM boards on an x86 machine, processor emulated, and compares its depth with this
# machine's own.
#
#   tools/emulate.sh ROOT [BUNDLE...]      (as root the first time: debootstrap wants that)
#
# ROOT is a folder of its own outside the checkout, for Debian arm64 (250 MB); it is made once and used again. Only what a
# run itself put there is removed. BUNDLE: names or folders of model bundles (default: the default model, and the authors'
# weights where $FASTDEPTH_REFERENCE or ../shared/reference holds them). Ends with a table for docs/boards/tx2.md.
# int8 and float16 (of targets that have it) are compared twice: their products with their definitions in NumPy, to the bit,
# and the whole network: int8 with float32's depth, float16 with NumPy's in float16, too.
# TARGETS="carmel=max cortex-a57=cortex-a57" runs those alone.
# Needs Debian's qemu-user-static and debootstrap, and .venv of `make test`. Emulation says nothing about speed.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD python=$PWD/.venv/bin/python
# target=processor: the emulator's `max` is for those that it does not know by name
all="cortex-a57=cortex-a57 cortex-a72=cortex-a72 cortex-a76=cortex-a76 cortex-a78=max carmel=max"
read -ra targets <<<"${TARGETS:-$all}"
# metres: in float32; in int8 and in float16 from float32; in float16 from its definition
tolerance=0.001 tolerance8=0.1 tolerance16=0.05 exact16=0.002
halves="cortex-a76 cortex-a78 carmel"

die() { echo "emulate.sh: $*" >&2 && exit 1; }
[ $# -ge 1 ] || die "name a folder for the arm64 system: tools/emulate.sh ROOT [BUNDLE...]"
root=$(realpath -m "$1") && shift
[ -d ../shared/reference ] && export FASTDEPTH_REFERENCE=${FASTDEPTH_REFERENCE:-$(realpath ../shared/reference)}
bundles=("$@")
[ $# -gt 0 ] || bundles=(fastdepth-indoor ${FASTDEPTH_REFERENCE:+fastdepth-reference})
case $root/ in "$checkout"/*) die "$root is inside the checkout; name a folder outside of it" ;; esac
[ -x "$python" ] || die "$python is missing; run \`make test\` once"
for tool in debootstrap qemu-aarch64-static dpkg-deb; do
    command -v $tool >/dev/null || die "$tool is missing: apt install debootstrap qemu-user-static dpkg"
done

mark=$root/.fastdepth-emulation
if [ ! -e "$mark" ]; then
    [ ! -e "$root" ] || [ -z "$(ls -A "$root")" ] || die "$root holds something else; name an empty or a new folder"
    mkdir -p "$root/system" && touch "$mark"
fi

# Packages are only unpacked, not installed: one program is to run, and it is started from outside.
if [ ! -e "$root/system.ready" ]; then
    [ "$(id -u)" = 0 ] || die "debootstrap wants root for the first run"
    debootstrap --download-only --arch=arm64 --variant=minbase --include=python3 bookworm "$root/packages"
    for package in "$root"/packages/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$root/system"; done
    touch "$root/system.ready"
fi
work=$(mktemp -d "$root/run.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The emulator shows its programs the host's /proc/cpuinfo, unless there is one in their own system.
mkdir -p "$root/system/proc"
emulated() { # PROCESSOR SITE ARGUMENTS...
    local flags="fp asimd crc32 cpuid"
    case $1 in cortex-a57 | cortex-a72) ;; *) flags+=" atomics fphp asimdhp asimddp" ;; esac
    printf 'processor\t: 0\nmodel name\t: emulated %s\nFeatures\t: %s\n' "$1" "$flags" >"$root/system/proc/cpuinfo"
    env -i HOME="$work" PATH=/usr/bin PYTHONHOME="$root/system/usr" PYTHONPATH="$2" OPENBLAS_NUM_THREADS=1 \
        qemu-aarch64-static -cpu "$1" -L "$root/system" "$root/system/usr/bin/python3.11" "${@:3}"
}

compare() { # MODULE TOLERANCE [WITH.npy WHAT]
    local with=${3:-$work/here.npy} what=${4:-x86 in float32}
    "$python" - "$with" "$work/there.npy" "$1" "$processor" "$(basename "$bundle") $weights" "$2" "$what" "$work/rows" <<'PYTHON'
import sys
import numpy as np
here, there = np.load(sys.argv[1]), np.load(sys.argv[2])
target, processor, bundle, tolerance, what, rows = sys.argv[3:]
error = float(np.abs(here - there).max())
good = here.max() > 0.1 and error <= float(tolerance)
depth = f"{there.min():.2f} to {there.max():.2f} m"
print(f"{bundle}, {target}: max error {error:.1e} m against {what}, depth {depth}: {'ok' if good else 'WRONG'}")
with open(rows, "a") as table:
    table.write(f"| `{target}` | {processor} | {bundle} | {depth} | {what} | {error:.1e} m |\n")
sys.exit(not good)
PYTHON
}

platforms=() && for p in manylinux_2_27 manylinux_2_24 manylinux_2_17 manylinux2014; do platforms+=(--platform "${p}_aarch64"); done
count=0
for bundle in "${bundles[@]}"; do
    weights=$("$python" -c 'import sys; from fastdepth_ros.models import find_bundle
print(find_bundle(sys.argv[1]).weights_sha256[:12])' "$bundle")
    here=$("$python" -m fastdepth_ros.compiler "$bundle" --target host)
    "$python" tools/run_module.py "$here" "$work/here.npy" >/dev/null
    # Graphs have no kernels in float16.
    graph=$("$python" -c 'import sys; from fastdepth_ros.models import find_bundle
print(int(find_bundle(sys.argv[1]).manifest.is_graph))' "$bundle")
    [ "$graph" = 1 ] || "$python" tools/emulated_products.py depth "$bundle" "$work/half.npy"
    for pair in "${targets[@]}"; do
        target=${pair%=*} processor=${pair#*=}
        robot=$work/robot$((count += 1))
        "$python" -m fastdepth_ros.cli deploy "$bundle" --target "$target" --python 3.11 --out "$robot" >/dev/null
        # What install.sh does, but with this machine's pip: the emulator runs one program, not those that it starts.
        "$python" -m pip install --quiet --no-index --find-links "$robot/wheels" --only-binary=:all: --python-version 3.11 \
            "${platforms[@]}" --target "$robot.site" "$robot"/wheels/{apache_tvm,fastdepth_ros}-*.whl numpy PyYAML
        if [ ! -e "$work/exact-$target" ]; then
            "$python" tools/emulated_products.py write "$target" "$work/exact-$target"
            emulated "$processor" "$robot.site" tools/emulated_products.py check "$work/exact-$target"
        fi
        emulated "$processor" "$robot.site" tools/run_module.py "$robot"/models/*/modules/"$target" "$work/there.npy"
        compare "$target" $tolerance
        "$python" -m fastdepth_ros.cli compile "$bundle" --target "$target" --precision int8 --out "$robot.int8" >/dev/null
        emulated "$processor" "$robot.site" tools/run_module.py "$robot.int8" "$work/there.npy"
        compare "$target, int8" $tolerance8
        case "$graph $halves " in 0*" $target "*) ;; *) continue ;; esac
        "$python" -m fastdepth_ros.cli compile "$bundle" --target "$target" --precision float16 --out "$robot.half" >/dev/null
        emulated "$processor" "$robot.site" tools/run_module.py "$robot.half" "$work/there.npy"
        compare "$target, float16" $tolerance16
        compare "$target, float16" $exact16 "$work/half.npy" "NumPy in float16"
    done
done
echo
echo "$("$python" -c 'import platform; from fastdepth_ros.runtime import processor; print(processor.name())'), $(qemu-aarch64-static --version | head -1):"
echo "| module | emulated processor | weights | depth | compared with | max. difference |"
echo "|---|---|---|---|---|---|"
cat "$work/rows"
