"""The power room: profiles, the board's real state, and what a depth image costs. Knows no ROS, torch or TVM.

`PowerMonitor` watches the machine and tells a `PowerState`; `Governor` holds the budget of age; `load_profiles` gives
the profiles by name; `process` sets niceness and cores of this process.
"""

from fastdepth_ros.errors import Finding
from fastdepth_ros.power.governor import Decision, Governor
from fastdepth_ros.power.monitor import PowerMonitor, PowerState
from fastdepth_ros.power.profiles import Budget, Operation, Profile, Profiles, load_profiles

__all__ = [
    "Budget",
    "Decision",
    "Finding",
    "Governor",
    "Operation",
    "PowerMonitor",
    "PowerState",
    "Profile",
    "Profiles",
    "load_profiles",
]
