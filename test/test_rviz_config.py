"""config/depth.rviz: what RViz makes of our depth images, by its own arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

CONFIG = Path(__file__).resolve().parents[1] / "config" / "depth.rviz"


def display(name):
    manager = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["Visualization Manager"]
    return next(display for display in manager["Displays"] if display["Name"] == name)


def greys(depth, shown):
    """Bytes that RViz's Image display shows for 32FC1 (rviz_default_plugins, ROSImageTexture::convertTo8bit)."""
    if shown.get("Normalize Range", True):
        low, high = np.nanmin(depth), np.nanmax(depth)
    else:
        low, high = int(shown.get("Min Value", 0)), int(shown.get("Max Value", 1))  # it cuts decimals off
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.clip((depth - low) / (high - low), 0, 1) * 255, nan=0).astype(np.uint8)


@pytest.mark.parametrize("mark", [np.inf, -np.inf, np.nan], ids=["out of range", "too close", "no answer"])
@pytest.mark.parametrize(("nearest", "farthest"), [(0.6, 2.0), (1.0, 4.5)])
def test_a_room_is_seen_whatever_single_pixels_are_marked(nearest, farthest, mark):
    room = np.linspace(nearest, farthest, 300, dtype=np.float32)
    grey = greys(np.append(room, np.float32(mark)), display("Depth"))
    assert grey[0] >= 25
    assert (np.diff(grey[:300].astype(int)) >= 0).all()
    assert int(grey[299]) - int(grey[0]) >= 60
    assert grey[300] == (255 if mark == np.inf else 0)


def test_the_scale_of_depth_is_in_whole_metres_as_rviz_reads_it():
    depth = display("Depth")
    assert isinstance(depth["Min Value"], int)
    assert isinstance(depth["Max Value"], int)


def test_the_cloud_is_drawn_in_its_colours():
    assert display("Points")["Color Transformer"] == "RGB8"
