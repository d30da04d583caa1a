"""The figures of start-up, memory and frames beside their aims."""

import io

from rich.console import Console

from fastdepth_ros.evaluation.benchmark import aims

ENGINE = {"ready_s": {"median": 0.2}, "resident_mb": {"median": 95.0}}


def case(width, height, jpeg, **figures):
    known = {"first_depth_s": 0.5, "resident_mb": 150.0, "network_ms": 3.0, "depth_ms": 1.9, "cloud_ms": 3.1}
    return {"width": width, "height": height, "jpeg": jpeg, **known, **figures}


def test_every_figure_stands_beside_its_aim():
    found = {row["what"]: row for row in aims.rows(ENGINE, [case(640, 480, False), case(640, 480, True)])}
    assert found["engine alone: ready"]["ok"] is True
    assert found["engine alone: resident"]["ok"] is False
    assert found["640x480 raw: depth"]["ok"] is True
    assert found["640x480 JPEG: depth and xyzrgb cloud"]["ok"] is False


def test_measured_depths_have_lines_where_they_were_measured():
    cases = [case(640, 480, False, sigma_ms=0.25, anchors_ms=1.2), case(640, 480, True)]
    found = {row["what"]: row for row in aims.rows(ENGINE, cases)}
    assert found["640x480 raw: of that, uncertainty"]["ok"] is True
    assert found["640x480 raw: of that, 300 points"]["ok"] is False
    assert not any("JPEG: of that" in name for name in found)


def test_larger_pictures_have_no_aim():
    found = {row["what"]: row for row in aims.rows(ENGINE, [case(1920, 1080, False, depth_ms=9.0)])}
    assert found["1920x1080 raw: depth"]["aim"] is None
    assert found["1920x1080 raw: depth"]["ok"] is None


def test_the_largest_node_and_the_median_start_count():
    cases = [case(640, 480, False, first_depth_s=s, resident_mb=m) for s, m in ((0.4, 100), (0.5, 500), (9.0, 200))]
    found = {row["what"]: row["value"] for row in aims.rows(ENGINE, cases)}
    assert found["depth_node: start to first depth"] == 0.5
    assert found["depth_node: resident, at most"] == 500


def test_the_table_says_what_holds_and_what_does_not():
    text = io.StringIO()
    aims.show(Console(file=text, width=120), aims.rows(ENGINE, [case(640, 480, False)]))
    line = next(line for line in text.getvalue().splitlines() if "raw: depth and" in line)
    assert "3.10 ms" in line
    assert "3.00 ms" in line
    assert "not" in line
