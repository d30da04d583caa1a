"""Which nodes a parameter file names, by rcl's own rules."""

import pytest

from fastdepth_ros.node.parameter_files import matches, unheard


@pytest.mark.parametrize(
    ("pattern", "front", "root"),
    [
        ("/**", True, True),
        ("/*", False, True),
        ("/front/*", True, False),
        ("/*/fastdepth", True, False),
        ("/front/fastdepth", True, False),
        ("front/fastdepth", True, False),
        ("/front/**", True, False),
        ("/**/fastdepth", True, True),
        ("fastdepth", False, True),
        ("/fastdepth", False, True),
        ("/fast.epth", False, False),
        ("/fast", False, False),
    ],
)
def test_a_name_or_a_pattern_is_that_of_a_node(pattern, front, root):
    """As rclpy 9.1 has it, which was asked for all of these but the last two."""
    assert (matches(pattern, "/front/fastdepth"), matches(pattern, "/fastdepth")) == (front, root)


def told(tmp_path, text, *before):
    (tmp_path / "a.yaml").write_text(text)
    found = unheard(
        [*(before or ["node", "--ros-args"]), "--params-file", str(tmp_path / "a.yaml")], "/front/fastdepth"
    )
    return [name for names in found.values() for name in names]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("depth_node: {ros__parameters: {a: 1}}", ["/depth_node"]),
        (
            "/rear: {fastdepth: {ros__parameters: {a: 1}}, /other: {ros__parameters: {}}}",
            ["/rear/fastdepth", "/rear/other"],
        ),
        ("front: {fastdepth: {ros__parameters: {a: {ros__parameters: 1}}}}", []),
        ("a: {ros__parameters: {b: 1}}\n/**: {ros__parameters: {c: 1}}", []),
        ("[1, 2]", []),
        ("a: 1", []),
        ("{", []),
        ("5: {ros__parameters: {}}", []),
    ],
)
def test_a_file_that_names_other_nodes_alone_is_told_with_their_names(tmp_path, text, names):
    assert told(tmp_path, text) == names


def test_files_that_are_not_for_ros_or_not_there_are_no_concern(tmp_path):
    assert told(tmp_path, "a: {ros__parameters: {}}", "node") == []
    assert told(tmp_path, "a: {ros__parameters: {}}", "node", "--ros-args", "--") == []
    assert unheard(["node", "--ros-args", "--params-file", "/nowhere.yaml", "--params-file"], "/fastdepth") == {}
