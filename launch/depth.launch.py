"""Depth from one camera: the node, and if wanted a recording in the camera's place, and RViz.

    ros2 launch fastdepth_ros depth.launch.py image:=/camera/image_raw
    ros2 launch fastdepth_ros depth.launch.py bag:=~/recordings/kitchen rviz:=true

An argument that is left empty leaves the parameter as the params_file has it.
"""

import os
import sys
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PACKAGE = "fastdepth_ros"
CONFIG = Path(get_package_share_directory(PACKAGE)) / "config"

# Fast DDS reads its profiles from the second of these up to Jazzy; from Kilted on, that name brings a warning.
DDS_PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
UP_TO_JAZZY = ("humble", "iron", "jazzy")

PARAMETERS = ("model", "target", "precision", "image_transport", "output_size", "cloud", "power_profile", "board_root")

ARGUMENTS = [
    DeclareLaunchArgument("image", default_value="/camera/image_raw", description="Topic of the camera's images."),
    DeclareLaunchArgument(
        "camera_info", default_value="", description="Topic of its camera_info; empty: camera_info beside the images."
    ),
    DeclareLaunchArgument("namespace", default_value="", description="Of the node and its outputs (depth/...)."),
    DeclareLaunchArgument("model", default_value="", description="Model bundle: its folder or its name."),
    DeclareLaunchArgument("target", default_value="", description="Processor that the model is compiled for."),
    DeclareLaunchArgument(
        "precision",
        default_value="",
        choices=["", "float32", "int8"],
        description="int8 is about twice as fast where the processor has AVX-512 VNNI.",
    ),
    DeclareLaunchArgument(
        "image_transport",
        default_value="",
        choices=["", "raw", "compressed"],
        description="compressed reads the topic <image>/compressed; with bag:= it is found out.",
    ),
    DeclareLaunchArgument(
        "output_size",
        default_value="",
        choices=["", "native", "camera"],
        description="Depth in the network's resolution, or in the camera's own grid.",
    ),
    DeclareLaunchArgument(
        "cloud", default_value="", choices=["", "off", "xyz", "xyzrgb"], description="Fields of depth/points."
    ),
    DeclareLaunchArgument(
        "power_profile", default_value="", description="Power profile: max-n, max-q, or one of config/power.yaml."
    ),
    DeclareLaunchArgument("board_root", default_value="", description="Where the board's sys and etc are."),
    DeclareLaunchArgument(
        "params_file", default_value=str(CONFIG / "depth.yaml"), description="Parameters of the node, YAML."
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
        "frame",
        default_value="camera",
        description="RViz's fixed frame: the frame_id of the images, where there is no tf.",
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
    image = given["image"]
    camera_info = given["camera_info"] or f"{image.rpartition('/')[0]}/camera_info"
    bag = Path(given["bag"]).expanduser() if given["bag"] else None
    if bag:
        compressed, given["frame"] = look_into(bag)
        given["image_transport"] = "compressed" if compressed else "raw"
    node = Node(
        package=PACKAGE,
        executable="depth_node",
        namespace=given["namespace"],
        remappings=[("image", image), ("camera_info", camera_info)],
        parameters=[given["params_file"], {name: given[name] for name in PARAMETERS if given[name]}],
        output="screen",
    )
    entities: list[LaunchDescriptionEntity] = [node]
    if bag:
        entities += play(bag, image, camera_info, loop=given["loop"] == "true")
    if given["rviz"] == "true":
        entities.append(rviz(given["namespace"], image, given["frame"]))
    return entities


def look_into(bag: Path) -> tuple[bool, str]:
    """Whether the recorded images are compressed, and their frame_id."""
    from fastdepth_ros import cdr
    from fastdepth_ros.recording import Recording, find_camera

    with Recording.open(bag) as recording:
        topics = find_camera(recording)
        first = recording.first(topics.image.name)
        return topics.compressed, cdr.frame_of(first.data) if first else ""


def play(bag: Path, image: str, camera_info: str, loop: bool) -> list[LaunchDescriptionEntity]:
    """The project's own player, which needs no rosbag2 and gives the images new stamps."""
    order = [sys.executable, "-m", f"{PACKAGE}.recording", str(bag), "--image", image, "--camera-info", camera_info]
    player = ExecuteProcess(
        cmd=[*order, "--wait", "120", *(["--loop"] if loop else [])], name="player", output="screen"
    )
    ended = EmitEvent(event=Shutdown(reason="the recording was played"))
    return [player, RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[ended]))]


def rviz(namespace: str, image: str, frame: str) -> Node:
    """RViz on the outputs of the node; it has to be installed."""
    own = f"/{namespace.strip('/')}/depth".replace("//", "/")
    return Node(
        package="rviz2",
        executable="rviz2",
        arguments=["--display-config", str(CONFIG / "depth.rviz"), *(["--fixed-frame", frame] if frame else [])],
        remappings=[("/image", image), ("/depth/image_rect", f"{own}/image_rect"), ("/depth/points", f"{own}/points")],
    )
