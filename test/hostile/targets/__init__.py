"""All targets, by name."""

from __future__ import annotations

from hostile.target import Target
from hostile.targets import (
    anchors,
    bundles,
    cameras,
    importers,
    messages,
    networks,
    newest_image,
    programs,
    recordings,
    settings,
    videos,
)

ALL: dict[str, Target] = {
    target.name: target
    for room in (
        messages,
        anchors,
        newest_image,
        bundles,
        importers,
        cameras,
        networks,
        programs,
        recordings,
        settings,
        videos,
    )
    for target in room.TARGETS
}
