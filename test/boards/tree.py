"""A made-up machine: the files of /sys and /etc that the power room reads, with values that a test changes at will."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

NVPMODEL = """\
#!/bin/sh
# Answers as nvpmodel does, and behaves as the file `behaviour` says.
root={root}
echo "$@" >> "$root/calls"
read -r behaviour < "$root/behaviour"
case "$behaviour" in
    hang) exec sleep 600 ;;
    question)
        echo "NVPM WARN: Reboot required for changing to this power mode: $2"
        echo "NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:"
        if read -r reply; then echo "$reply" >> "$root/replies"; fi
        exit 255 ;;
    denied) [ "$1" = -q ] || {{ echo "NVPM ERROR: Error opening /dev/tegra: Permission denied"; exit 1; }} ;;
    garbage) echo "Segmentation fault? 0x17"; exit 0 ;;
    flood) while :; do echo "NVPM VERB: and another thing"; done ;;
esac
if [ "$1" = -q ]; then
    read -r name number < "$root/mode"
    echo "NV Power Mode: $name"
    echo "$number"
else
    cp "$root/modes/$2/.mode" "$root/.mode.new" && mv "$root/.mode.new" "$root/mode"
    cd "$root/modes/$2" && find * -type f | while read -r file; do
        cp "$file" "$root/$file.new" && mv "$root/$file.new" "$root/$file"
    done
fi
"""


DAMAGE = ("delete", "empty", "garbage", "folder", "pipe")
"""Damages that a file can suffer."""


class Tree:
    """Files below a folder. Changing one is atomic, as a kernel file never shows half of a value."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: list[str] = []
        """Names of all files that the power room reads, in the order in which they were made."""
        self.unread: set[str] = set()
        """Files among them that it has no need of."""
        root.mkdir(parents=True, exist_ok=True)
        (root / "behaviour").write_text("normal\n")

    def write(self, name: str, value: object) -> None:
        """Give a file a value; make it where there is none."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(value if isinstance(value, bytes) else f"{value}\n".encode())
        os.replace(new, path)
        if name not in self.names:
            self.names.append(name)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def damage(self, name: str, how: str | bytes) -> None:
        """Have one of :data:`DAMAGE` happen to a file, or put bytes into it."""
        if how == "delete":
            self.remove(name)
        elif how == "empty":
            self.write(name, b"")
        elif how == "garbage":
            self.write(name, b"\x00\xff\xfe\x80\x07")
        elif how == "pipe":
            self.pipe(name)
        elif how == "folder":
            self.remove(name)
            (self.root / name).mkdir()
        else:
            self.write(name, how)

    def mend(self, name: str, good: bytes) -> None:
        """Undo a damage."""
        path = self.root / name
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        self.write(name, good)

    def pipe(self, name: str) -> None:
        """Put a pipe in the place of a file: whoever opens it carelessly waits for ever."""
        (self.root / name).unlink(missing_ok=True)
        os.mkfifo(self.root / name)

    # --- nvpmodel ---

    def add_nvpmodel(self, modes: dict[str, tuple[int, dict[str, object]]]) -> None:
        """Make an executable ``nvpmodel`` that knows modes: by name its number and the files that it changes."""
        self.modes = modes
        for name, (number, files) in modes.items():
            folder = self.root / "modes" / str(number)
            for file, value in {".mode": f"{name} {number}", **files}.items():
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{value}\n")
        tool = self.root / "nvpmodel"
        tool.write_text(NVPMODEL.format(root=self.root))
        tool.chmod(0o755)

    @property
    def nvpmodel(self) -> list[str]:
        return [str(self.root / "nvpmodel")]

    def set_mode(self, name: str) -> None:
        """Put the board into a mode, as somebody else's nvpmodel would."""
        number, files = self.modes[name]
        for file, value in files.items():
            self.write(file, value)
        (self.root / "mode").write_text(f"{name} {number}\n")

    def behave(self, how: str) -> None:
        """``normal``, ``hang``, ``question``, ``denied``, ``garbage`` or ``flood``."""
        (self.root / "behaviour").write_text(f"{how}\n")

    @property
    def calls(self) -> list[str]:
        path = self.root / "calls"
        return path.read_text().splitlines() if path.exists() else []


def configuration(modes: dict[str, tuple[int, dict[int, int], dict[str, int], int]]) -> str:
    """An nvpmodel.conf: by name of the mode its number, cores on and off, CPU clusters' kHz and the GPU's Hz."""
    blocks = ["< PARAM TYPE=FILE NAME=CPU_ONLINE >\nCORE_1 /sys/devices/system/cpu/cpu1/online\n"]
    for name, (number, cores, clusters, gpu) in modes.items():
        lines = [f"< POWER_MODEL ID={number} NAME={name} >"]
        lines += [f"CPU_ONLINE CORE_{core} {on}" for core, on in cores.items()]
        for cluster, limit in clusters.items():
            lines += [f"{cluster} MIN_FREQ 0", f"{cluster} MAX_FREQ {limit}"]
        lines += ["GPU MIN_FREQ 0", f"GPU MAX_FREQ {gpu}", "EMC MAX_FREQ 0"]
        blocks.append("\n".join(lines) + "\n")
    blocks.append("# mandatory section to configure the default power mode\n< PM_CONFIG DEFAULT=0 >\n")
    return textwrap.dedent("\n".join(blocks))
