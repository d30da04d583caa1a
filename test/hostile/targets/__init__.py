"""All targets, by name."""

from __future__ import annotations

from hostile.target import Target
from hostile.targets import bundles, importers, intake, messages, recordings, settings

ALL: dict[str, Target] = {
    target.name: target
    for room in (messages, intake, bundles, importers, recordings, settings)
    for target in room.TARGETS
}
