"""Power profiles: what an owner allows the node on each kind of board, and what he expects for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fastdepth_ros import places
from fastdepth_ros.errors import SettingError, brief, quoted
from fastdepth_ros.files.yaml_text import read_yaml
from fastdepth_ros.power.files import parse_list
from fastdepth_ros.power.kinds import KINDS, LINUX

BUILT_IN = Path(__file__).with_name("profiles.yaml")
DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class Budget:
    """Expectations of one device; None where there is none.

    Attributes:
        network_ms: run time of the network alone [ms].
        age_ms: p95 of the depth's age when it is published [ms].
        watts: power of the whole module while frames are computed [W].
        idle_watts: power without the node, for comparison [W].
    """

    network_ms: float | None = None
    age_ms: float | None = None
    watts: float | None = None
    idle_watts: float | None = None


@dataclass(frozen=True)
class Operation:
    """A profile on one kind of board.

    Attributes:
        modes: names of nvpmodel's modes that are right for it; empty where it does not matter.
        threads: of the network; 0 is one on each physical core.
        cores: numbers of the processor cores that the node may use; None for all.
        niceness: of the process, 0 to 19; of its threads that compute only, where this user could not take it back.
        max_rate: images a second that are answered at most [Hz]; 0 is all of them.
        budgets: by device, ``cpu`` or ``cuda``.
    """

    modes: tuple[str, ...] = ()
    threads: int = 0
    cores: tuple[int, ...] | None = None
    niceness: int = 0
    max_rate: float = 0.0
    budgets: Mapping[str, Budget] = field(default_factory=dict)

    def budget(self, device: str = "cpu") -> Budget:
        """Budget of a device; nothing where the profile does not know it."""
        return self.budgets.get(device, Budget())


@dataclass(frozen=True)
class Profile:
    """A named budget.

    Attributes:
        name: what ``power_profile`` calls it.
        description: what it is for.
        boards: by kind of board.
    """

    name: str
    description: str = ""
    boards: Mapping[str, Operation] = field(default_factory=dict)

    def on(self, kind: str) -> Operation:
        """Operation on a kind of board; a kind that the profile does not know is treated as plain Linux."""
        return self.boards.get(kind) or self.boards.get(LINUX.name) or Operation()


class Profiles(dict[str, Profile]):
    """Profiles by name, in the order in which they were defined."""

    def find(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            SettingError: there is none; the remedy names those that there are.
        """
        if name not in self:
            raise SettingError(f"there is no power_profile {quoted(name)}", f"Use one of {', '.join(self)}.")
        return self[name]


def own_file() -> Path | None:
    """The robot's own profiles, ``config/power.yaml``: the checkout's, else that of an installation; None without."""
    return places.find("config/power.yaml")


def load_profiles(own: str | Path | None = None) -> Profiles:
    """The built-in profiles, and those that a file adds or changes.

    Args:
        own: the file; by default ``config/power.yaml``.

    Raises:
        SettingError: a file is missing or is not as :data:`BUILT_IN` describes it.

    Example:
        >>> profiles = load_profiles()
        >>> list(profiles)[:2]
        ['max-n', 'max-q']
        >>> profiles.find("max-q").on("tx2").modes
        ('MAXQ',)
    """
    profiles = Profiles()
    _add(profiles, BUILT_IN)
    path = own_file() if own is None else Path(own)
    if path is not None:
        _add(profiles, path)
    return profiles


def _add(profiles: Profiles, path: Path) -> None:
    try:
        data = read_yaml(path)
    except (OSError, ValueError) as error:  # a text of another encoding is a ValueError, too
        cause = f"the profiles in {brief(path)} cannot be read ({brief(error, 200)})"
        raise SettingError(cause, f"Write it as {BUILT_IN} shows.") from None
    if data in (None, {}):
        return  # it says nothing
    found = data.get("profiles") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise SettingError(f"{path} has no table `profiles`", f"Write it as {BUILT_IN} shows.")
    for name, values in found.items():
        try:
            profiles[str(name)] = _profile(str(name), values, profiles)
        except (ValueError, TypeError) as error:
            raise SettingError(f"profile {brief(name)} in {path}: {error}", f"Write it as {BUILT_IN} shows.") from None


def _profile(name: str, values: Any, known: Profiles) -> Profile:
    table = _table(values, {"description", "like", *KINDS})
    base = known.find(str(table["like"])) if "like" in table else Profile(name)
    boards = dict(base.boards)
    for kind in KINDS:
        if kind in table:
            boards[kind] = _operation(boards.get(kind, Operation()), table[kind])
    if not boards:
        raise ValueError(f"it says nothing of any board ({', '.join(KINDS)})")
    return Profile(name, str(table.get("description", base.description)), boards)


def _operation(base: Operation, values: Any) -> Operation:
    table = _table(values, {"modes", "threads", "cores", "niceness", "max_rate", *DEVICES})
    changes: dict[str, Any] = {}
    if "modes" in table:
        modes = table["modes"]
        if not isinstance(modes, list) or not all(isinstance(mode, str) for mode in modes):
            raise ValueError(f"modes must be a list of names, not {quoted(modes)}")
        changes["modes"] = tuple(modes)
    if "threads" in table:
        changes["threads"] = int(_number("threads", table["threads"], 256, whole=True))
    if "cores" in table:
        changes["cores"] = parse_list(str(table["cores"]))
    if "niceness" in table:
        changes["niceness"] = int(_number("niceness", table["niceness"], 19, whole=True))
    if "max_rate" in table:
        changes["max_rate"] = _number("max_rate", table["max_rate"], 1000)
    budgets = dict(base.budgets)
    for device in DEVICES:
        if device in table:
            figures = _table(table[device], {figure.name for figure in fields(Budget)})
            figures = {figure: _number(figure, value, 1e6) for figure, value in figures.items()}
            budgets[device] = replace(budgets.get(device, Budget()), **figures)
    return replace(base, **changes, budgets=budgets)


def _table(values: Any, allowed: set[str]) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"{quoted(values)} stands where a table of {', '.join(sorted(allowed))} belongs")
    if unknown := [str(key) for key in values if key not in allowed]:
        raise ValueError(f"it does not know {brief(', '.join(unknown))}, only {', '.join(sorted(allowed))}")
    return values


def _number(name: str, value: Any, high: float, *, whole: bool = False) -> float:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value <= high:
        raise ValueError(
            f"{name} must be {'a whole number' if whole else 'a number'} from 0 to {high:g}, not {quoted(value)}"
        )
    return float(value)
