#!/bin/sh
# Installs depth for robots with the model @MODEL@, compiled for @TARGET@, into a virtual environment of its own.
#
#   ./install.sh [VENV]              VENV: where to (default: venv in this folder)
#   PYTHON=python3.10 ./install.sh   with this Python, 3.10 to 3.14 (default: python3)
#   WITH_ROS=1 ./install.sh          with ROS 2 as wheels as well (x86_64 only); otherwise source yours before
#
# Ends with what `fastdepth doctor` says, and with its exit status: 0 where depth works.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
cd "$here"
python=${PYTHON:-python3}
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE

die() { echo "install.sh: $*" >&2; exit 2; }
[ "$(uname -m)" = @ARCHITECTURE@ ] || die "this folder is for @ARCHITECTURE@, this machine is $(uname -m)"
sha256sum --quiet --check SHA256SUMS || die "a file is damaged; copy the folder again"
command -v "$python" >/dev/null || die "$python is not installed; name one with PYTHON=..."
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' ||
    die "$("$python" -V) does not do: install Python 3.10 to 3.14 and name it with PYTHON=..."

# What ROS brings (rclpy, OpenCV...) stays its own. Its libraries are made for NumPy 1, of which Ubuntu 22.04's 1.21 is too
# old for the TVM runtime, which wants 1.23; 1.26 suits both.
ros= site= numpy=@NUMPY@
if "$python" -c 'import rclpy' 2>/dev/null; then
    site=--system-site-packages numpy=@NUMPY_FOR_ROS@
    "$python" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("cv2"))' ||
        die "apt install python3-opencv"
elif [ -n "${WITH_ROS:-}" ]; then
    ros='@ROS@'
    [ -n "$ros" ] || die "there are no ROS wheels for this machine; source your ROS installation before"
fi
[ -x "$venv/bin/python" ] || "$python" -m venv $site "$venv" || die "apt install python3-venv"

# Wheels of NumPy in the folder mean that all are. Without --no-compile pip would write bytecode of everything, of which
# little is ever imported.
offline=
ls wheels/numpy-*.whl >/dev/null 2>&1 && [ -z "$ros" ] && offline=--no-index
install() {
    "$venv/bin/python" -m pip install --no-compile --quiet --disable-pip-version-check $offline --find-links wheels "$@"
}
has() { "$venv/bin/python" -c "$1" 2>/dev/null; }

has 'from numpy import from_dlpack' || install $numpy
basics=
for pair in @BASICS@; do
    has "import ${pair%%:*}" || basics="$basics ${pair#*:}"
done
# shellcheck disable=SC2086 -- these are lists
install wheels/apache_tvm-*.whl wheels/fastdepth_ros-*.whl @OWN@ $basics $ros

share=$venv/share/fastdepth_ros
mkdir -p "$share"
cp -R models config "$share/"
echo "Installed to $venv: $(du -sh "$venv" | cut -f1)"
echo "Start:  $venv/bin/depth_node --ros-args --params-file $share/config/depth.yaml -r image:=/camera/image_rect -r camera_info:=/camera/camera_info"
exec "$venv/bin/fastdepth" doctor --model @MODEL@ --target @TARGET@ --wait 0
