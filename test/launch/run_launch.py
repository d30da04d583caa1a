"""depth.launch.py in a process of its own, as `ros2 launch` runs it: run_launch.py SHARE NAME:=VALUE..."""

import sys

import launch
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

share, *arguments = sys.argv[1:]
pairs = [tuple(argument.split(":=", 1)) for argument in arguments]
source = PythonLaunchDescriptionSource(f"{share}/launch/depth.launch.py")
service = launch.LaunchService(argv=[])
service.include_launch_description(launch.LaunchDescription([IncludeLaunchDescription(source, launch_arguments=pairs)]))
sys.exit(service.run())
