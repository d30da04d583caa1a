"""The node's parameters: one table, and one function that holds values against it, at start and at run time.

spec       a row of the table
values     the values of all parameters, checked
table      the table; `make tables` writes its documents
meanings   what some words and numbers mean, as a mask or cores
checks     holds values against the table
"""

from fastdepth_ros.parameters.checks import check_change, check_scan, nearest, validate
from fastdepth_ros.parameters.meanings import (
    FILES,
    MEANINGS,
    affinity_of,
    calibration_of,
    command_of,
    extrinsics_of,
    mask_of,
    pixel_of,
    profiles_of,
)
from fastdepth_ros.parameters.spec import Change, Spec
from fastdepth_ros.parameters.table import TABLE
from fastdepth_ros.parameters.values import ALL, FROM_PROFILE, NONE, SHIPPED, Parameters

__all__ = [
    "ALL",
    "FILES",
    "FROM_PROFILE",
    "MEANINGS",
    "NONE",
    "SHIPPED",
    "TABLE",
    "Change",
    "Parameters",
    "Spec",
    "affinity_of",
    "calibration_of",
    "check_change",
    "check_scan",
    "command_of",
    "extrinsics_of",
    "mask_of",
    "nearest",
    "pixel_of",
    "profiles_of",
    "validate",
]
