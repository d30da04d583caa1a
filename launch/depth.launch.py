"""Depth from one camera or several: the node, and if wanted a recording in the camera's place, RViz, and a page.

    ros2 launch fastdepth_ros depth.launch.py image:=/camera/image_raw
    ros2 launch fastdepth_ros depth.launch.py cameras:=front,rear image:='/{camera}/image_raw'
    ros2 launch fastdepth_ros depth.launch.py bag:=~/recordings/kitchen rviz:=true

An argument that is left empty leaves the parameter as the params_file has it. What is missing is told before anything
starts. A node that cannot start, or dies, ends the launch, and not with status 0; respawn:=true starts it again.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown
from launch.logging import launch_config
from launch.substitutions import LaunchConfiguration, SubstitutionFailure
from launch_ros.actions import Node
from launch_ros.substitutions import ExecutableInPackage
from launch_ros.utilities.namespace_utils import make_namespace_absolute, prefix_namespace

PACKAGE = "fastdepth_ros"
PREFIX = Path(get_package_prefix(PACKAGE))
CONFIG = Path(get_package_share_directory(PACKAGE)) / "config"

# Fast DDS reads its profiles from the second of these up to Jazzy; from Kilted on, that name brings a warning.
DDS_PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
UP_TO_JAZZY = ("humble", "iron", "jazzy")

NAME = "fastdepth"
"""Name of the node, where it is given no other."""

DECOMPRESSES = "compressed_image_transport"
"""Package of the plugin with which RViz shows compressed images."""

PLAYER_WAITS = 3600.0
"""Time in which the node has to listen to the player [s]: a slow board compiles its model first, and whoever wants to
configures it by hand. A node that cannot start, or dies, ends the launch before."""

VIEW_WAITS = 300.0
"""Time in which the node has to be there for the page [s]: it is, before its model is compiled."""

FRAME_TRIES = 3
"""Starts at most of the process that asks for the camera's frame_id, where it dies."""

RESPAWN_DELAY = 2.0
"""Before a node that died is started again [s]."""

ENDS_WITH_LAUNCH = {"FASTDEPTH_LAUNCH": str(os.getpid())}
"""Environment of what ends when launch does: on SIGTERM, launch itself leaves its processes behind."""


def python_of(prefix: Path) -> str:
    """The Python that finds what the node needs: a virtual environment's, where this package was installed with one.

    `ros2 launch` itself runs with the system's Python, whatever is activated, and does not see what is installed there.
    """
    scripts = prefix / "lib" / PACKAGE
    found = [interpreter(scripts / "fastdepth"), interpreter(scripts / "depth_node"), str(prefix / "bin" / "python3")]
    return next((path for path in found if os.access(path, os.X_OK)), sys.executable)


def interpreter(script: Path) -> str:
    """The Python that a script names in its first line; empty where it is no script, or another's."""
    try:
        with script.open("rb") as file:
            found = re.match(rb"#! *(/\S*/python[\d.]*)\s*$", file.readline(1024))
    except OSError:
        return ""
    return os.fsdecode(found[1]) if found else ""


PYTHON = python_of(PREFIX)
"""Runs our own processes."""

OF_OTHERS = f"{shlex.quote(PYTHON)} -m {PACKAGE}.children"
"""Prefix of the same for programs of other packages. They do without launch's own ``--launch-prefix``."""

PARAMETERS = (
    "model",
    "target",
    "precision",
    "cameras",
    "image_transport",
    "camera_info_url",
    "rectify",
    "rotation",
    "mask",
    "output_size",
    "cloud",
    "anchoring",
    "anchor_scale",
    "anchor_extrinsics",
    "floor_frame",
    "power_profile",
    "board_root",
)

MEASURED = ("anchors", "scan", "range", "anchor_depth", "imu")
"""Topics of what corrects depth (docs/anchors.md)."""

IMAGE = "/camera/image_raw"
"""Topic of the images, where there is one camera and it is given no other."""

PLACE = "{camera}"
"""Stands in the name of a topic for that of each of several cameras."""

ARGUMENTS = [
    DeclareLaunchArgument(
        "image",
        default_value="/camera/image_raw",
        description="Topic of the camera's images. With cameras it holds {camera} for the name of each; by default"
        " each has image_raw below its name.",
    ),
    DeclareLaunchArgument(
        "camera_info", default_value="", description="Topic of its camera_info; empty: camera_info beside the images."
    ),
    DeclareLaunchArgument(
        "namespace",
        default_value="",
        description="Namespace of the node, its outputs (depth/...), and relative topics.",
    ),
    DeclareLaunchArgument("name", default_value="", description="Name of the node; empty: fastdepth."),
    DeclareLaunchArgument(
        "anchors", default_value="", description="Topic of points that are measured, as of SLAM; empty: anchors."
    ),
    DeclareLaunchArgument("scan", default_value="", description="Topic of a planar lidar; empty: scan."),
    DeclareLaunchArgument("range", default_value="", description="Topic of a ranger; empty: range."),
    DeclareLaunchArgument(
        "anchor_depth",
        default_value="",
        description="Topic of a small depth image, with a camera_info beside it; empty: anchor_depth.",
    ),
    DeclareLaunchArgument(
        "imu", default_value="", description="Topic of an inertial unit, which says where the floor is; empty: imu."
    ),
    DeclareLaunchArgument(
        "anchoring", default_value="", choices=["", "auto", "off"], description="Whether measured depths correct depth."
    ),
    DeclareLaunchArgument(
        "anchor_scale",
        default_value="",
        choices=["", "metric", "relative"],
        description="relative: points of a SLAM that knows them up to one factor.",
    ),
    DeclareLaunchArgument(
        "anchor_extrinsics",
        default_value="",
        description="Places of sensors, seen from the camera: scan=x y z roll pitch yaw; ... (docs/anchor-topics.md).",
    ),
    DeclareLaunchArgument("floor_frame", default_value="", description="A frame of tf that lies in the floor."),
    DeclareLaunchArgument("model", default_value="", description="Model bundle: its folder or its name."),
    DeclareLaunchArgument("target", default_value="", description="Processor that the model is compiled for."),
    DeclareLaunchArgument(
        "precision",
        default_value="",
        choices=["", "auto", "float32", "float16", "int8"],
        description="Of the network; auto is the fastest that loses next to nothing here.",
    ),
    DeclareLaunchArgument(
        "cameras",
        default_value="",
        description="Names of several cameras, by comma, that the node answers in turn: front,rear (docs/cameras.md).",
    ),
    DeclareLaunchArgument(
        "image_transport",
        default_value="",
        choices=["", "raw", "compressed", "video", "ffmpeg", "foxglove"],
        description="compressed and video read <image>/compressed, others <image>/NAME; with bag:= it is found out.",
    ),
    DeclareLaunchArgument(
        "camera_info_url",
        default_value="",
        description="Calibration from a file instead of camera_info: file:///PATH or package://PACKAGE/PATH.",
    ),
    DeclareLaunchArgument(
        "rectify",
        default_value="",
        choices=["", "auto", "on", "off"],
        description="Whether the lens of distorted images is undone (docs/lens.md).",
    ),
    DeclareLaunchArgument(
        "rotation",
        default_value="",
        choices=["", "0", "90", "180", "270", "auto"],
        description="Angle by which the images have to be turned clockwise to be upright, in degrees.",
    ),
    DeclareLaunchArgument(
        "mask",
        default_value="",
        description="Part of the images without depth: polygons, or a PNG that is black there.",
    ),
    DeclareLaunchArgument(
        "output_size",
        default_value="",
        choices=["", "native", "camera"],
        description="Depth in the network's resolution, or in the camera's own grid; for RViz by default the latter.",
    ),
    DeclareLaunchArgument(
        "cloud",
        default_value="",
        choices=["", "off", "xyz", "xyzrgb"],
        description="Fields of depth/points; for RViz by default xyzrgb.",
    ),
    DeclareLaunchArgument(
        "power_profile", default_value="", description="Power profile: max-n, max-q, or one of config/power.yaml."
    ),
    DeclareLaunchArgument("board_root", default_value="", description="Folder of the board's sys and etc."),
    DeclareLaunchArgument(
        "params_file", default_value=str(CONFIG / "depth.yaml"), description="Parameters of the node, YAML."
    ),
    DeclareLaunchArgument(
        "use_sim_time", default_value="", choices=["", "true", "false"], description="Take the time from /clock."
    ),
    DeclareLaunchArgument(
        "log_level", default_value="", description="debug, info, warn, error; or one logger's, as rcl:=debug."
    ),
    DeclareLaunchArgument(
        "respawn",
        default_value="false",
        choices=["true", "false"],
        description="Start a node that died again; else the launch ends with it.",
    ),
    DeclareLaunchArgument(
        "bag",
        default_value="",
        description="Recording (rosbag2 folder, .mcap, .db3) that plays in the camera's place; launch ends with it.",
    ),
    DeclareLaunchArgument(
        "loop", default_value="false", choices=["true", "false"], description="Play the recording over and over."
    ),
    DeclareLaunchArgument(
        "rviz", default_value="false", choices=["true", "false"], description="Show images, depth and cloud in RViz."
    ),
    DeclareLaunchArgument(
        "view", default_value="false", choices=["true", "false"], description="Show all in a browser (docs/view.md)."
    ),
    DeclareLaunchArgument("view_port", default_value="8080", description="Port of that page, on this machine alone."),
    DeclareLaunchArgument(
        "frame", default_value="", description="RViz's fixed frame; empty: the frame_id of the first image."
    ),
    DeclareLaunchArgument(
        "rviz_config", default_value=str(CONFIG / "depth.rviz"), description="Configuration of RViz, a file."
    ),
]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*ARGUMENTS, *dds_profile(), OpaqueFunction(function=start)])


def dds_profile() -> list[LaunchDescriptionEntity]:
    """Shared memory that images fit into, unless the user has a profile already."""
    if any(name in os.environ for name in DDS_PROFILES):
        return []
    name = DDS_PROFILES[os.environ.get("ROS_DISTRO") in UP_TO_JAZZY]
    return [SetEnvironmentVariable(name, str(CONFIG / "fastdds.xml"))]


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Everything that depends on the arguments' values."""
    given = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    expand(given)
    rviz, bag = given["rviz"] == "true", given["bag"]
    refuse_what_is_missing(context, given)
    cameras = names_of(given)
    given["camera_info"] = given["camera_info"] or beside(given["image"])
    resolve = resolver(context, given)
    if bag:
        transport, frame = look_into(Path(bag))
        given["frame"] = given["frame"] or frame
        # RViz shows compressed images only where the plugin for them is installed; so it is given raw ones.
        given["image_transport"] = "raw" if rviz else transport
    if rviz and given["params_file"] == str(CONFIG / "depth.yaml"):
        given["output_size"] = given["output_size"] or "camera"
        given["cloud"] = given["cloud"] or "xyzrgb"
    entities = depth_node(given, cameras)
    if bag:
        entities += play(Path(bag), resolve, given, raw=rviz)
    if rviz:
        entities += show(resolve, given, cameras[0] if cameras else "")
    if given["view"] == "true":
        entities += page(resolve, given)
    return entities


def names_of(given: dict[str, str]) -> list[str]:
    """Names of several cameras; none where there is one. What they cannot be, the node says.

    Raises:
        RuntimeError: an argument is of one camera.
    """
    cameras = [name.strip() for name in given["cameras"].strip("[]").split(",") if name.strip() not in ("", "none")]
    if not cameras:
        return []
    if given["bag"]:
        raise RuntimeError("bag:= plays one camera. Leave cameras out, or play the recording beside the node.")
    if given["view"] == "true":
        raise RuntimeError("view:=true shows one camera. Leave view or cameras out.")
    if given["image"] == IMAGE:
        given["image"] = f"{PLACE}/image_raw"
    for argument in ("image", "camera_info"):
        if given[argument] and PLACE not in given[argument]:
            remedy = f"Write {PLACE} where their names go, as {argument}:='/{PLACE}/{argument}'."
            raise RuntimeError(f"{argument}:={given[argument]} is one topic, and cameras:= names several. {remedy}")
    return cameras


def expand(given: dict[str, str]) -> None:
    """Replace ~ in every path."""
    for name in ("bag", "params_file", "rviz_config", "board_root"):
        given[name] = os.path.expanduser(given[name])
    if given["model"].startswith("~"):
        given["model"] = os.path.expanduser(given["model"])


def refuse_what_is_missing(context: LaunchContext, given: dict[str, str]) -> None:
    """Look for files and packages before anything starts.

    Raises:
        RuntimeError: something is missing; it names what.
    """
    for name in ("params_file", *(["rviz_config"] if given["rviz"] == "true" else [])):
        if not Path(given[name]).is_file():
            raise RuntimeError(f"{name}:={given[name]} is no file. Name one, or leave {name} out.")
    if given["rviz"] == "true" and not executable(context, "rviz2", "rviz2"):
        remedy = f"Install it ({how_to_install('rviz2')}), or leave rviz out."
        raise RuntimeError(f"rviz:=true needs the package rviz2, which is not installed. {remedy}")
    if given["view"] == "true" and not is_there("viser"):
        remedy = "Install it (pip install 'fastdepth_ros[view]'), or leave view out."
        raise RuntimeError(f"view:=true needs the package viser, which is not installed. {remedy}")
    if given["model"]:
        refuse_missing_model(given["model"])


def is_there(module: str) -> bool:
    """Whether the node's Python finds a module."""
    asks = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([PYTHON, "-c", asks], check=False).returncode == 0


def refuse_missing_model(model: str) -> None:
    """Look for the bundle, where this Python can; else the node does."""
    try:
        from fastdepth_ros.models import find_bundle
    except ImportError:
        return
    find_bundle(model)


def executable(context: LaunchContext, package: str, name: str) -> str:
    """Path of a package's executable; empty where it is not installed."""
    try:
        return ExecutableInPackage(package=package, executable=name).perform(context)
    except (PackageNotFoundError, SubstitutionFailure):
        return ""


def how_to_install(package: str) -> str:
    """Command that installs a package of this ROS distribution."""
    distribution = os.environ.get("ROS_DISTRO") or "DISTRO"
    return f"sudo apt install ros-{distribution}-{package.replace('_', '-')}"


def beside(image: str) -> str:
    """Name of the camera_info of an image: in the same namespace, and as relative."""
    namespace, slash, _ = image.removesuffix("/compressed").rpartition("/")
    return f"{namespace}{slash}camera_info"


def resolver(context: LaunchContext, given: dict[str, str]) -> Callable[[str], str]:
    """A function that gives the full name of a topic of the node, as the node resolves it."""
    pushed = context.launch_configurations.get("ros_namespace")
    namespace = make_namespace_absolute(prefix_namespace(pushed, given["namespace"] or None)) or "/"

    def resolve(topic: str) -> str:
        if topic.startswith("/"):
            return topic
        if topic == "~" or topic.startswith("~/"):
            topic = (given["name"] or NAME) + topic[1:]
        return f"{namespace.rstrip('/')}/{topic}".rstrip("/") or "/"

    return resolve


def depth_node(given: dict[str, str], cameras: list[str]) -> list[LaunchDescriptionEntity]:
    """The node, and what is to happen where it ends."""
    parameters: dict[str, Any] = {name: given[name] for name in PARAMETERS if given[name]}
    if given["use_sim_time"]:
        parameters["use_sim_time"] = given["use_sim_time"] == "true"
    respawn = given["respawn"] == "true"
    node = Node(
        package=PACKAGE,
        executable="depth_node",
        name=given["name"] or None,
        namespace=given["namespace"],
        remappings=[pair for camera in cameras or [""] for pair in remapped(given, camera)],
        parameters=[given["params_file"], parameters],
        ros_arguments=["--log-level", given["log_level"]] if given["log_level"] else [],
        additional_env=ENDS_WITH_LAUNCH,
        respawn=respawn,
        respawn_delay=RESPAWN_DELAY,
        output="screen",
    )
    if respawn:
        return [node]
    watch = Watch()
    return [
        node,
        RegisterEventHandler(OnProcessIO(target_action=node, on_stdout=watch.heard, on_stderr=watch.heard)),
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=ended("depth_node"))),
    ]


def remapped(given: dict[str, str], camera: str) -> list[tuple[str, str]]:
    """Remappings of one of several cameras; of the only one, where the name is empty."""
    pairs = [("image_raw" if camera else "image", given["image"]), ("camera_info", given["camera_info"])]
    pairs += measured(given)
    if not camera:
        return pairs
    return [(f"{camera}/{name}", to.replace(PLACE, camera)) for name, to in pairs]


def measured(given: dict[str, str]) -> list[tuple[str, str]]:
    """Remappings of what is measured besides."""
    found = [(name, given[name]) for name in MEASURED if given[name]]
    if given["anchor_depth"]:
        found.append(("anchor_depth/camera_info", beside(given["anchor_depth"])))
    return found


class Watch:
    """Hears whether the node could start: one that could not stays, and waits for other parameters.

    Of what happens once it was active, that is for whoever sets its parameters to see.
    """

    def __init__(self) -> None:
        self._line = b""
        self._started = False

    def heard(self, event: Any) -> None:
        """Take what the node wrote.

        Raises:
            RuntimeError: it says that it cannot start, which ends the launch with status 1.
        """
        *lines, self._line = (self._line + event.text).split(b"\n")
        for line in lines:
            self._started = self._started or b"]: answers " in line
            if not self._started and any(words in line for words in (b"not configured: ", b"not active: ")):
                raise RuntimeError(f"depth_node cannot start: {line.decode('utf-8', 'replace')}")


def ended(what: str, well: str = "") -> Callable[[Any, LaunchContext], list[LaunchDescriptionEntity]]:
    """Actions where a process ends by itself.

    Args:
        what: name of the process.
        well: why the launch ends well with it, if its status is 0; empty where it should not have ended at all.
    """

    def on_exit(event: Any, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        if context.is_shutdown:
            return []
        if well and not event.returncode:
            return [EmitEvent(event=Shutdown(reason=well))]
        # An exception is launch's way to end with another status than 0.
        raise RuntimeError(f"{what} has ended with status {event.returncode}")

    return on_exit


def look_into(bag: Path) -> tuple[str, str]:
    """The image_transport of the recorded images, and their frame_id.

    Raises:
        RuntimeError: it cannot be played; it says why.
    """
    order = [PYTHON, "-m", f"{PACKAGE}.recording.its_camera", str(bag)]
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    transport, frame = json.loads(done.stdout)
    return transport, frame


def play(bag: Path, resolve: Callable[[str], str], given: dict[str, str], raw: bool) -> list[LaunchDescriptionEntity]:
    """The project's own player, which needs no rosbag2 and gives the images new stamps."""
    order = [PYTHON, "-m", f"{PACKAGE}.recording", str(bag), "--namespace", resolve("")]
    order += ["--image", resolve(given["image"]), "--camera-info", resolve(given["camera_info"])]
    order += ["--wait", f"{PLAYER_WAITS:g}"]
    for source in MEASURED:
        order += ["--publish", f"{source}={resolve(given[source] or source)}"]
    info = beside(given["anchor_depth"]) if given["anchor_depth"] else "anchor_depth/camera_info"
    order += ["--publish", f"anchor_depth/camera_info={resolve(info)}"]
    order += ["--camera-only"] if given["anchoring"] == "off" else []
    order += ["--raw"] if raw else []
    order += ["--loop"] if given["loop"] == "true" else []
    player = ExecuteProcess(cmd=order, name="player", additional_env=ENDS_WITH_LAUNCH, output="screen")
    on_exit = ended("the player", well="the recording was played")
    return [player, RegisterEventHandler(OnProcessExit(target_action=player, on_exit=on_exit))]


def page(resolve: Callable[[str], str], given: dict[str, str]) -> list[LaunchDescriptionEntity]:
    """The page in the browser; depth goes on without it."""
    order = [PYTHON, "-m", f"{PACKAGE}.cli", "view", "--node", resolve("~"), "--port", given["view_port"]]
    order += ["--wait", f"{VIEW_WAITS:g}"]
    return [ExecuteProcess(cmd=order, name="view", additional_env=ENDS_WITH_LAUNCH, output="screen")]


def show(resolve: Callable[[str], str], given: dict[str, str], camera: str) -> list[LaunchDescriptionEntity]:
    """RViz, once the frame of the images is known; of several cameras it shows the one of that name."""
    given = {**given, **{name: given[name].replace(PLACE, camera) for name in ("image", "camera_info")}}
    outputs = f"{camera}/depth" if camera else "depth"
    if given["frame"]:
        return rviz(resolve, given, given["frame"], outputs)
    topics = [resolve(given["image"]), resolve(given["camera_info"])]
    return first_frame(topics, lambda frame: rviz(resolve, given, frame, outputs))


def first_frame(
    topics: list[str], then: Callable[[str], list[LaunchDescriptionEntity]], tries: int = FRAME_TRIES
) -> list[LaunchDescriptionEntity]:
    """Actions that wait for the camera, followed by ``then(frame_id)``; by ``then("")`` where it dies each time."""
    first = ExecuteProcess(
        cmd=[PYTHON, "-m", f"{PACKAGE}.node.first_frame", *topics],
        name="first_frame",
        additional_env=ENDS_WITH_LAUNCH,
        output="log",
    )
    said: list[bytes] = []

    def go_on(event: Any, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        if context.is_shutdown:
            return []
        frame = b"".join(said).decode("utf-8", "replace").strip()
        if frame:  # however it ended then
            return then(frame)
        ended = f"first_frame has ended with status {event.returncode} and without the frame_id of the images"
        if tries > 1:
            return [LogInfo(msg=f"{ended}: once more."), *first_frame(topics, then, tries - 1)]
        remedy = "RViz keeps the fixed frame of its configuration. Name that of the camera: frame:=..."
        return [LogInfo(msg=f"{ended}. {remedy}"), *then("")]

    return [
        first,
        RegisterEventHandler(OnProcessIO(target_action=first, on_stdout=lambda event: said.append(event.text))),
        RegisterEventHandler(OnProcessExit(target_action=first, on_exit=go_on)),
    ]


def rviz(
    resolve: Callable[[str], str], given: dict[str, str], frame: str, outputs: str = "depth"
) -> list[LaunchDescriptionEntity]:
    """RViz on a camera and its outputs; without a frame its configuration has one."""
    image = resolve(given["image"])
    config = Path(given["rviz_config"])
    told: list[LaunchDescriptionEntity] = []
    if given["image_transport"] == "compressed" and config == CONFIG / "depth.rviz":
        config = with_compressed_images(config)
        told = told_of_missing_plugin()
    own = resolve(outputs)
    names = {
        "/image": image,
        "/image/compressed": f"{image.removesuffix('/compressed')}/compressed",
        "/depth/image_rect": f"{own}/image_rect",
        "/depth/points": f"{own}/points",
    }
    window = Node(
        package="rviz2",
        executable="rviz2",
        arguments=["--display-config", str(config), *(["--fixed-frame", frame] if frame else [])],
        parameters=[{"use_sim_time": given["use_sim_time"] == "true"}],
        remappings=[(name, to) for name, to in names.items() if name != to],
        additional_env=ENDS_WITH_LAUNCH,
        prefix=OF_OTHERS,
    )
    return [*told, window, *([OpaqueFunction(function=frame_for_rviz, args=[frame])] if frame else [])]


def with_compressed_images(config: Path) -> Path:
    """A copy of our configuration whose camera is compressed: RViz tells that by the topic's name."""
    copy = Path(launch_config.log_dir) / "depth_compressed.rviz"
    text = config.read_text(encoding="utf-8").replace("Value: /image\n", "Value: /image/compressed\n")
    copy.write_text(text, encoding="utf-8")
    return copy


def told_of_missing_plugin() -> list[LaunchDescriptionEntity]:
    """A line where RViz lacks its plugin for compressed images: depth and cloud are shown all the same."""
    try:
        get_package_prefix(DECOMPRESSES)
    except PackageNotFoundError:
        remedy = f"Install {DECOMPRESSES} ({how_to_install(DECOMPRESSES)})."
        return [LogInfo(msg=f"RViz's Camera stays empty, for its plugin for compressed images is missing. {remedy}")]
    return []


def frame_for_rviz(context: LaunchContext, frame: str) -> list[LaunchDescriptionEntity]:
    """A frame below the images': where nobody publishes tf, RViz warns that its fixed frame is unknown."""
    if not executable(context, "tf2_ros", "static_transform_publisher"):
        return []
    names = ["--frame-id", frame, "--child-frame-id", f"{frame}_in_rviz"]
    name = f"frame_for_rviz_{os.getpid()}"
    return [
        Node(
            package="tf2_ros",
            executable="static_transform_publisher",
            name=name,
            arguments=names,
            additional_env=ENDS_WITH_LAUNCH,
            prefix=OF_OTHERS,
            output="log",
        )
    ]
