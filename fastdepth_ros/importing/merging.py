"""One bundle of several: weights that began alike and learned apart have a mean that is better than each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from fastdepth_ros.errors import SettingError
from fastdepth_ros.files.names import LONGEST_TEXT, check_name
from fastdepth_ros.files.writing import check_replaceable
from fastdepth_ros.network.arrays import half, mean
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle

ALIKE = ("network", "input_width", "input_height", "view", "training_focal", "min_depth", "max_depth")
"""Keys of the manifest that bundles have to have in common: a mean of answers to other questions answers none."""


def merge(bundles: Sequence[Bundle], folder: Path, shares: Sequence[float] = (), name: str | None = None) -> Bundle:
    """Write the mean of bundles' weights as a bundle. What the first one knows of its errors is taken over.

    Args:
        bundles: of one network, for one view; two at least.
        folder: the new bundle's; made where it does not exist.
        shares: weight of each, in their order, 0 or above; none takes all alike.
        name: the new bundle's; None takes that of the folder.

    Raises:
        SettingError: there are fewer than two, they differ, the shares cannot be, the name is none, or the folder holds
            something already.
        StorageError: the folder cannot be written.
    """
    name = check_name("the bundle's name", name if name is not None else folder.name)
    if len(bundles) < 2:
        raise SettingError("one bundle has no mean", "Name two at least.")
    if shares and len(shares) != len(bundles):
        raise SettingError(f"{len(shares)} shares are not of {len(bundles)} bundles", "Name one for each, or none.")
    if any(not (math.isfinite(share) and share >= 0) for share in shares) or (shares and not sum(shares)):
        raise SettingError(f"shares cannot be {', '.join(map(str, shares))}", "They are 0 or above, and not all are 0.")
    check_replaceable(folder, lambda _: False)
    first = bundles[0].manifest
    for other in bundles[1:]:
        for word in ALIKE:
            if getattr(other.manifest, word) != getattr(first, word):
                cause = f"{other.path} and {bundles[0].path} differ in their {word.replace('_', ' ')}"
                raise SettingError(cause, "A mean is of weights of one network that see alike.")
    arrays = mean([bundle.weights() for bundle in bundles], shares or None)
    told = {field.name: getattr(first, field.name) for field in fields(Manifest) if field.name in (*ALIKE, "anchoring")}
    manifest = Manifest(
        name=name,
        licence=" and ".join(dict.fromkeys(bundle.manifest.licence for bundle in bundles)),
        trained_on=_about(bundles, shares),
        **told,
    )
    card = f"# {name}\n\n{manifest.trained_on}\n"
    return write_bundle(folder, manifest, {key: half(array) for key, array in arrays.items()}, card)


def _about(bundles: Sequence[Bundle], shares: Sequence[float]) -> str:
    counted = [f"{share / sum(shares):.3g} of " for share in shares] or [""] * len(bundles)
    each = [
        f"{share}{bundle.manifest.name} ({bundle.weights_sha256[:12]}: {bundle.manifest.trained_on})"
        for share, bundle in zip(counted, bundles, strict=True)
    ]
    words = f"mean of {'; '.join(each)}"
    return words if len(words) <= LONGEST_TEXT else words[: LONGEST_TEXT - 3] + "..."
