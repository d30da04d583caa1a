"""depth.launch.py with a recording ends when the recording does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch_scene import make_bundle, make_recording, own_graph


def test_launch_ends_with_the_recording_and_with_status_0(tmp_path):
    launch = pytest.importorskip("launch", reason="ROS 2's launch is not installed")
    pytest.importorskip("launch_ros", reason="ROS 2's launch_ros is not installed")
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    try:
        share = Path(get_package_share_directory("fastdepth_ros"))
    except PackageNotFoundError:
        pytest.skip("fastdepth_ros is not installed where ament finds it (AMENT_PREFIX_PATH)")
    own_graph()
    arguments = {
        "bag": str(make_recording(tmp_path / "recording", compressed=False)),
        "model": str(make_bundle(tmp_path / "random").path),
    }
    source = PythonLaunchDescriptionSource(str(share / "launch" / "depth.launch.py"))
    service = launch.LaunchService(argv=[])
    service.include_launch_description(
        launch.LaunchDescription([IncludeLaunchDescription(source, launch_arguments=arguments.items())])
    )
    assert service.run() == 0
