"""What the page says of the node, and that no word of others becomes markup."""

from __future__ import annotations

from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level
from fastdepth_ros.view.figures import listed, problems_of, rows_of, table


def status(part: str, level: Level = Level.OK, message: str = "", **values: str) -> Status:
    return Status(level, message, about=part, values={name.replace("__", " "): value for name, value in values.items()})


def test_ages_drops_and_power_are_seen_at_a_glance():
    statuses = {
        "input": Status(Level.OK, "", about="input", values={"rate in [Hz]": "30.0", "lost on the way": "2"}),
        "outputs": Status(Level.OK, "", about="outputs", values={"age p50/p95/max [ms]": "11.0 / 14.2 / 20.1"}),
        "inference": Status(
            Level.OK,
            "",
            about="inference",
            values={"dropped: beyond max_rate": "7", "dropped: no subscribers": "0", "model": "m", "precision": "int8"},
        ),
    }
    rows = dict(rows_of(statuses, {"watts": 4.25, "frame_joules": 0.0512}, age=0.0123, shown=9.7))
    assert rows["images in"] == "30.0 Hz"
    assert rows["age p50 / p95 / max"] == "11.0 / 14.2 / 20.1 ms"
    assert rows["dropped"] == "2 lost on the way; 7 beyond max_rate"
    assert rows["power"] == "4.25 W"
    assert rows["energy of a frame"] == "51.2 mJ"
    assert rows["model"] == "m, int8"
    assert rows["shown here"] == "9.7 Hz"


def test_what_a_machine_does_not_have_is_said_or_left_out():
    rows = dict(rows_of({}, {}, age=None, shown=0.0))
    assert rows["power"] == "no meter here"
    assert "dropped" not in rows
    assert "energy of a frame" not in rows


def test_problems_come_worst_first_and_silence_before_all():
    statuses = {
        "input": status("input"),
        "outputs": status("outputs", Level.WARN, "depth is 150 ms old"),
        "node": status("node", Level.ERROR, "not configured"),
    }
    assert problems_of(statuses, silence=1.0) == ["node: not configured", "outputs: depth is 150 ms old"]
    silent, *rest = problems_of(statuses, silence=12.0, complaint="no camera_info of depth came")
    assert "12 s" in silent
    assert rest[-1] == "no camera_info of depth came"


def test_words_from_outside_are_no_markup():
    evil = "<img src=x onerror=alert(1)>"
    assert "<img" not in table([(evil, evil)])
    assert "<img" not in listed([evil])
    assert "Nothing is wrong" in listed([])
