"""Common parts of all meters: channels, each of which gives the energy that flowed since it was last read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastdepth_ros.errors import Finding
from fastdepth_ros.power.files import Files, Unreadable

MOST = 10_000.0
"""Watts that nothing a robot carries draws: what shows more is a fault of the meter."""

GAP = 2.0
"""Seconds without a reading after which nobody knows what the power was in between."""


class Channel:
    """One rail of a meter.

    Args:
        rail: its name, as the board calls it.
        path: the file that stands for it.
        remedy: what to do when it cannot be read.
        named: False where the board did not say what it is called.
    """

    def __init__(self, rail: str, path: str, remedy: str, named: bool = True) -> None:
        self.rail = rail
        self.named = named
        self.path = path
        self.remedy = remedy

    def energy(self, files: Files, now: float) -> tuple[float, float] | None:
        """Energy since the last call, by an exact counter or by the power at both ends; None at the first call.

        Args:
            now: the time [s].

        Returns:
            When the last call was [s], and the energy since then [J].

        Raises:
            Unreadable: it says nothing that makes sense; the next call starts anew.
        """
        raise NotImplementedError

    def works(self, files: Files) -> bool:
        """Whether it can be read now."""
        try:
            self.energy(files, 0.0)
        except Unreadable:
            return False
        finally:
            self.forget()
        return True

    def forget(self) -> None:
        """Start anew at the next call."""
        raise NotImplementedError


class PowerChannel(Channel):
    """A rail that tells its power: the energy is the mean of both ends times the time between them."""

    def __init__(self, rail: str, path: str, remedy: str, watts: Callable[[Files], float], named: bool = True) -> None:
        super().__init__(rail, path, remedy, named)
        self._watts = watts
        self._last: tuple[float, float] | None = None

    def energy(self, files: Files, now: float) -> tuple[float, float] | None:
        last, self._last = self._last, None
        watts = self._watts(files)
        if watts > MOST:
            raise Unreadable(files.path(self.path), f"means {watts:.3g} W, which cannot be")
        self._last = (now, watts)
        if last is None or now - last[0] > GAP:
            return None
        return last[0], (watts + last[1]) / 2 * (now - last[0])

    def forget(self) -> None:
        self._last = None


class CounterChannel(Channel):
    """A rail that counts its energy, and starts again at zero when its counter is full."""

    def __init__(
        self, rail: str, path: str, remedy: str, joules: Callable[[Files], tuple[float, float]], named: bool = True
    ) -> None:
        super().__init__(rail, path, remedy, named)
        self._joules = joules
        self._last: tuple[float, float] | None = None

    def energy(self, files: Files, now: float) -> tuple[float, float] | None:
        last, self._last = self._last, None
        joules, full = self._joules(files)
        self._last = (now, joules)
        if last is None:
            return None
        used = joules - last[1]
        if used < 0:
            used += full
        if not 0 <= used <= MOST * max(now - last[0], 1e-3):
            raise Unreadable(files.path(self.path), f"went from {last[1]:.0f} J to {joules:.0f} J, which cannot be")
        return last[0], used

    def forget(self) -> None:
        self._last = None


@dataclass(frozen=True)
class Meter:
    """A power meter with its channels.

    Attributes:
        name: as a user knows it; ``none`` where there is none.
        channels: its rails.
        select: picks, among names of rails, those that together measure the whole machine.
        findings: what was odd about it when it was found.
    """

    name: str
    channels: tuple[Channel, ...] = ()
    select: Callable[[Sequence[str]], Sequence[str]] = tuple
    findings: tuple[Finding, ...] = ()

    @property
    def whole(self) -> tuple[str, ...]:
        """Names of the rails that together are what the machine draws."""
        return tuple(self.select([channel.rail for channel in self.channels]))

    def works(self, files: Files) -> bool:
        """Whether any channel can be read now."""
        return any(channel.works(files) for channel in self.channels)

    def successor(self, new: Meter) -> Meter:
        """The meter that was found now in the place of this one.

        Channels that are still there go on as they are. Channels that are gone stay, so that they are missed by name; a
        rail whose name cannot be read any more keeps the one that it had.
        """
        old = {channel.path: channel for channel in self.channels}
        channels: list[Channel] = []
        for channel in new.channels:
            known = old.pop(channel.path, None)
            kept = known is not None and (known.rail == channel.rail or (known.named and not channel.named))
            channels.append(known if known is not None and kept else channel)
        rails = {channel.rail for channel in channels}
        gone = [channel for channel in old.values() if channel.rail not in rails]
        return Meter(new.name, (*channels, *gone), new.select, new.findings)
