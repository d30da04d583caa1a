"""The topics of answers: each is where a user looks for it, in documents and configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS, RVIZ

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("output", OUTPUT_TOPICS, ids=lambda output: output.name)
@pytest.mark.parametrize("page", ["README.md", "docs/topics.md"])
def test_documents_name_each_topic_with_its_type(output, page):
    kind = f"sensor_msgs/{output.message.__name__}"
    assert f"| `{output.topic}` | {kind} |" in (ROOT / page).read_text(encoding="utf-8")


def test_the_security_policy_lets_the_node_publish_all_of_them():
    text = (ROOT / "config" / "sros2_policy.xml").read_text(encoding="utf-8")
    published = re.search(r'<topics publish="ALLOW">(.*?)</topics>', text, re.DOTALL)[1]
    assert {output.topic for output in OUTPUT_TOPICS} <= set(re.findall(r"<topic>(.*)</topic>", published))


def test_rviz_shows_those_that_it_reads():
    text = (ROOT / "config" / "depth.rviz").read_text(encoding="utf-8")
    shown = {output.name for output in OUTPUT_TOPICS if f"Value: /{output.topic}\n" in text}
    assert shown == {output.name for output in OUTPUT_TOPICS if RVIZ in output.readers}


def test_camera_info_goes_out_before_what_is_paired_with_it():
    assert OUTPUT_TOPICS[0].name == "camera_info"
