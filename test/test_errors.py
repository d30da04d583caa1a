"""One type says what users are told, and one table how much it matters."""

from __future__ import annotations

import json

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from fastdepth_ros.cli import main
from fastdepth_ros.errors import Finding, Level, SettingError


def test_an_error_is_a_finding_with_cause_and_remedy():
    error = SettingError("threads is -1.", "Use 0 or more.")
    assert error.finding == Finding(Level.ERROR, "threads is -1.", "Use 0 or more.")
    assert str(error) == str(error.finding) == "threads is -1. Use 0 or more."


def test_a_finding_without_remedy_is_its_cause():
    assert str(Finding(Level.OK, "30.0 Hz", about="input")) == "30.0 Hz"


@pytest.mark.parametrize(
    ("level", "byte"),
    [
        (Level.OK, DiagnosticStatus.OK),
        (Level.NOTE, DiagnosticStatus.OK),
        (Level.WARN, DiagnosticStatus.WARN),
        (Level.ERROR, DiagnosticStatus.ERROR),
    ],
)
def test_levels_are_those_of_diagnostics(level, byte):
    assert bytes((level.byte,)) == byte


def test_levels_are_read_back_and_a_stale_status_is_an_error():
    assert [Level.of(byte) for byte in range(4)] == [Level.OK, Level.WARN, Level.ERROR, Level.ERROR]


def test_commands_share_one_vocabulary_of_levels(tmp_path, capsys):
    main(["power", "--root", str(tmp_path), "--seconds", "0.1", "--json"])
    power = json.loads(capsys.readouterr().out)
    main(["doctor", "--root", str(tmp_path), "--wait", "0", "--model", str(tmp_path), "--json"])
    doctor = json.loads(capsys.readouterr().out)
    words = {level.word for level in Level}
    assert {finding["level"] for finding in power["findings"]} <= words
    assert {check["level"] for check in doctor["checks"]} <= words
    assert any(finding["level"] == "NOTE" for finding in power["findings"])
