"""Table of the node's parameters, in the order in which a user should meet them."""

from __future__ import annotations

from fastdepth_ros import cameras
from fastdepth_ros.parameters.spec import Change, Spec
from fastdepth_ros.parameters.values import ALL, FROM_PROFILE, NONE, SHIPPED, Parameters
from fastdepth_ros.settings import LIMITS

_DEFAULTS = Parameters()


def _spec(name: str, description: str, change: Change = Change.LIVE, **limits: object) -> Spec:
    """A row; what the pipeline knows as well has its limits from :data:`~fastdepth_ros.settings.LIMITS`."""
    if shared := LIMITS.get(name):
        limits = {"choices": shared.choices, "low": shared.low, "high": shared.high, "unit": shared.unit, **limits}
    return Spec(name, getattr(_DEFAULTS, name), description, change, **limits)  # type: ignore[arg-type]


TABLE: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _spec("model", "Model bundle: its folder, or its name where it ships with the package.", Change.UNCONFIGURED),
        _spec("target", "Processor that the model is compiled for; host is this machine's.", Change.UNCONFIGURED),
        _spec(
            "precision",
            "auto is the fastest that this processor has kernels for and that is known to lose next to nothing"
            " (docs/int8.md).",
            Change.UNCONFIGURED,
        ),
        _spec("threads", "Cores for the network, at most those here; 0 is all physical ones.", low=0, high=1024),
        _spec(
            "cameras",
            "Names of several cameras that this one node answers in turn, as a list or by comma (docs/cameras.md): each"
            " has topics and parameters below its name, as front/image_raw, front/depth/image_rect and front.mask. none"
            " is one camera, on `image`.",
            Change.UNCONFIGURED,
            meant=cameras.meant,
        ),
        _spec(
            "image_transport",
            "raw subscribes to `image`, compressed to `image/compressed` (JPEG or PNG), as does video (H.264 or H.265),"
            " ffmpeg to `image/ffmpeg`, foxglove to `image/foxglove` (packets of these: [video.md](video.md)).",
            Change.INACTIVE,
        ),
        _spec(
            "max_pixels",
            "Pixels of the largest image that is read; others are refused before they take memory.",
            low=1024,
            high=1_000_000_000,
        ),
        _spec(
            "mono16_bits",
            "Bits that the camera fills of images of 16 bits, 8 to 16; 0 finds out from their largest value.",
            low=0,
            high=16,
        ),
        _spec(
            "camera_info_url",
            "Calibration of the camera instead of the topic camera_info (docs/lens.md#calibration-from-a-file):"
            " file:///PATH or package://PACKAGE/PATH of camera_calibration's YAML or INI, or Kalibr's YAML.",
        ),
        _spec(
            "rectify",
            "auto: the lens is undone where camera_info's D is not zero and neither `rect` nor `rectified` is a word of"
            " the image's topic (docs/lens.md). on: whatever the topic is called. off: pictures are taken as a"
            " pinhole's.",
        ),
        _spec(
            "view_fov",
            "Angle from the left to the right edge of the pinhole's picture, where the lens is undone; 0 is as"
            " camera_info's P says it, or K.",
            low=0.0,
            high=150.0,
            unit="deg",
        ),
        _spec(
            "rotation",
            "Angle by which the image has to be turned clockwise to be upright, in degrees: the network sees it so, and"
            " answers are in the image's own grid and frame (docs/lens.md#a-camera-mounted-turned). auto: as `imu` or"
            " floor_frame says.",
        ),
        _spec(
            "mask",
            "Part of the image that has no depth, as the robot's own body (docs/lens.md#own-body): polygons x y, x y,"
            " x y; ..., or a PNG of the image's size, black there.",
        ),
        _spec(
            "gate",
            "What is done with pictures that are not worth answering, as dark, blurred or frozen ones (docs/gate.md)."
            " warn: say so. drop: do not answer them either. off: nobody looks.",
        ),
        _spec(
            "output_size",
            "native: the network's resolution, and the view that it sees. camera: the image's own grid, NaN outside"
            " the view.",
        ),
        _spec(
            "output_camera",
            "Grid of output_size: camera where the lens is undone: the rectified picture's, or the raw one's, whose"
            " pixels look up the depth of their rays.",
        ),
        _spec(
            "depth_encoding",
            "32FC1: metres, NaN no answer, -Inf too close, +Inf out of range (REP-117). 16UC1: millimetres, 0 for all"
            " of these.",
        ),
        _spec(
            "compressed_depth_format",
            "How depth/image_rect/compressedDepth is packed: png is smaller, rvl costs less time (docs/topics.md).",
        ),
        _spec("cloud", "Fields of depth/points."),
        _spec("cloud_stride", "Every n-th pixel of every n-th row becomes a point."),
        _spec("min_depth", "Smallest depth that is an answer, less than max_depth; below it is too close."),
        _spec("max_depth", "Largest depth that is an answer, more than min_depth; above it is out of range."),
        _spec(
            "depth_scale",
            "Factor on the network's depth, before measured depths correct what is left (docs/scale.md). The service"
            " `~/calibrate_scale` finds it.",
        ),
        _spec(
            "calibration_distance",
            "Depth that somebody measured at calibration_pixel, for `~/calibrate_scale`; 0 is none, and the floor or"
            " measured depths say it.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "calibration_pixel",
            f"Column and row of depth/image_rect, as 112 112, that show calibration_distance; {NONE} is its middle.",
        ),
        _spec(
            "max_uncertainty",
            "Depths whose standard deviation is larger are no answers; 0 keeps all of them.",
        ),
        _spec("cloud_sigma", "Whether the points of depth/points carry their depth's standard deviation as `sigma`."),
        _spec(
            "steadiness",
            "How much depth is a mean over the last pictures, whose things it follows (docs/steady.md): 0.5 takes more"
            " than half of the flicker away, 1 most of it; 0 leaves each answer as it is.",
        ),
        _spec(
            "edges",
            "Points that fly between a thing and what is behind it (docs/edges.md). remove: they have no depth. guided:"
            " depth has the resolution and the edges of the picture. keep: depth is as answered.",
        ),
        _spec(
            "anchoring",
            "auto: depths that somebody measured correct the network's, as soon as any arrive (docs/anchors.md). off:"
            " nothing is subscribed to.",
        ),
        _spec(
            "anchor_scale",
            "metric: points on `anchors` are in metres. relative: up to one factor, as of a monocular SLAM.",
        ),
        _spec(
            "anchor_max_age",
            "Time that the stamp of a measurement may be from the image's.",
            low=0.0,
            high=60.0,
            unit="s",
        ),
        _spec(
            "anchor_extrinsics",
            "Places of sensors in the camera's body frame (x forward, y left, z up), instead of tf: SOURCE=x y z roll"
            " pitch yaw [m, rad], or x y z and a quaternion; parted by semicolons.",
        ),
        _spec(
            "camera_height",
            "Height of the camera above the floor, which becomes a source; 0 is no floor, or floor_frame's.",
            low=0.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "camera_pitch",
            "Angle that the camera looks below the horizon, where neither floor_frame nor `imu` says it.",
            low=-1.5708,
            high=1.5708,
            unit="rad",
        ),
        _spec("floor_frame", "A frame of tf whose x and y lie in the floor, z up: gives height and tilt."),
        _spec(
            "scan_output_frame",
            "Frame of depth/scan, x to the front: a frame of tf, by default floor_frame; or, with camera_height alone,"
            " the name of a level one at the camera (docs/nav2.md).",
        ),
        _spec(
            "obstacle_min_height",
            "Height above the floor below which nothing is an obstacle of depth/scan and depth/obstacles.",
            low=-10.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "obstacle_max_height",
            "Height above the floor above which nothing is an obstacle of those.",
            low=-10.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "obstacle_range_min",
            "Smallest range along the floor of those; nearer, a ray is -Inf.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "obstacle_range_max",
            "Largest range along the floor of those; beyond, a ray is +Inf.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "obstacle_leaf",
            "Side of the cubes of which depth/obstacles holds one point each; 0 keeps all points.",
            low=0.0,
            high=1.0,
            unit="m",
        ),
        _spec(
            "obstacle_clearing",
            "Range at which depth/obstacles holds a point where nothing was found, for costmaps to clear; 0 is none.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "max_rate", "Images a second that are answered at most; 0 is all of them.", low=0.0, high=1000.0, unit="Hz"
        ),
        _spec("stale_after", "Without an image for so long, diagnostics complain.", low=0.1, high=3600.0, unit="s"),
        _spec("diagnostics_period", "Time between two messages on /diagnostics.", low=0.1, high=60.0, unit="s"),
        _spec("power_profile", "Power profile: max-n, max-q, or one of power_file. `fastdepth power` shows them."),
        _spec("power_file", f"File of the robot's own profiles; {SHIPPED} is the package's power.yaml.", Change.START),
        _spec(
            "manage_board_mode",
            "Whether nvpmodel may be asked for the mode of a new profile. Whether it is in force is checked always.",
            Change.START,
        ),
        _spec(
            "nvpmodel_command",
            "Program, and words before -q or -m ID; no shell runs it, and nothing that raises privileges.",
            Change.START,
        ),
        _spec("board_root", "Folder of the board's sys and etc.", Change.START),
        _spec(
            "cpu_affinity",
            f"Cores that the node's threads may use, as 0,2-3; {ALL} for every one, {FROM_PROFILE} for the profile's.",
        ),
        _spec(
            "niceness",
            "Niceness of the node's threads: a higher one leaves more to others. Lowering it needs CAP_SYS_NICE.",
            low=-20,
            high=19,
        ),
        _spec("autostart", "Configure and activate at start, without a lifecycle manager.", Change.START),
    )
}
