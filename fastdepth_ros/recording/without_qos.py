"""rosbags' readers without what they make of QoS profiles, which nobody needs here.

A recording holds them as YAML in metadata.yaml, in MCAP's channels and in sqlite3's tables, as long as somebody likes.
rosbags reads them with a parser in Python, which a megabyte takes twenty seconds; so it does metadata.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

from fastdepth_ros.files.yaml_text import load_yaml

Method = Callable[..., Any]


class _Yaml:
    """Stands for ruamel's parser, where rosbags asks for one: the same plain values."""

    def __init__(self, **_: object) -> None:
        pass

    def load(self, text: str) -> Any:
        """The values of a text."""
        return load_yaml(text)


def _no_profiles(_: object) -> list[Any]:
    return []


_REPLACED = {"parse_qos": _no_profiles, "get_qos": _no_profiles, "YAML": _Yaml}


def without_qos(method: Method) -> Method:
    """Make a method of a reader of rosbags find no profiles: a copy of it, rosbags itself stays as it is."""
    plain = cast("FunctionType", method)
    known = {**plain.__globals__, **{name: stand for name, stand in _REPLACED.items() if name in plain.__globals__}}
    made = FunctionType(plain.__code__, known, plain.__name__, plain.__defaults__, plain.__closure__)
    made.__kwdefaults__, made.__doc__ = plain.__kwdefaults__, plain.__doc__
    return made
