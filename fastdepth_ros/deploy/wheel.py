"""Writes wheels (PEP 427), the same bytes for the same content."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a wheel: zip's first."""


@dataclass(frozen=True)
class Wheel:
    """Contents of a wheel.

    Attributes:
        name: as pip knows it.
        version: of it.
        tags: of Python, ABI and platform; several where they differ in the platform only.
        summary: one sentence.
        files: path in site-packages -> content.
        data: path below the environment's root -> content.
        requires: what pip installs with it.
        scripts: command -> ``module:function``.
    """

    name: str
    version: str
    tags: tuple[str, ...]
    summary: str
    files: Mapping[str, bytes]
    data: Mapping[str, bytes] = field(default_factory=dict)
    requires: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write it; gives its path, whose name says what it is."""
        base = f"{self.name.replace('-', '_')}-{self.version}"
        python, abi, _ = self.tags[0].split("-", 2)
        platforms = ".".join(tag.split("-", 2)[2] for tag in self.tags)
        pure = platforms == "any"
        info = f"{base}.dist-info"
        metadata = [
            "Metadata-Version: 2.1",
            f"Name: {self.name}",
            f"Version: {self.version}",
            f"Summary: {self.summary}",
        ]
        metadata += [f"Requires-Dist: {name}" for name in self.requires]
        about = ["Wheel-Version: 1.0", "Generator: fastdepth", f"Root-Is-Purelib: {str(pure).lower()}"]
        about += [f"Tag: {tag}" for tag in self.tags]
        members = {
            **self.files,
            **{f"{base}.data/data/{path}": content for path, content in self.data.items()},
            f"{info}/METADATA": _text(metadata),
            f"{info}/WHEEL": _text(about),
        }
        if self.scripts:
            lines = [f"{command} = {function}" for command, function in self.scripts.items()]
            members[f"{info}/entry_points.txt"] = _text(["[console_scripts]", *lines])
        record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in members.items()]
        members[f"{info}/RECORD"] = _text([*record, f"{info}/RECORD,,"])
        path = folder / f"{base}-{python}-{abi}-{platforms}.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                entry = zipfile.ZipInfo(name, LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
                archive.writestr(entry, content)
        return path


def _text(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _digest(content: bytes) -> str:
    """As RECORD wants it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
