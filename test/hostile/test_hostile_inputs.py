"""What strangers send is taken or refused, and does nothing else: a short run of the fuzzer, and what it once found.

`make fuzz MINUTES=20` is the long run. A case that takes over a second is told there; no test looks at a clock.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile import replay
from hostile.fuzz import run_cases
from hostile.keep import KEPT
from hostile.seeds import archives, flatbuffers, jpegs, pngs
from hostile.targets import ALL

KINDS = ("message", "file", "setting")
CASES = {"message": 400, "file": 150, "setting": 150}
KEPT_FILES = sorted(path for path in KEPT.glob("*/*") if path.is_file())


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs_are_taken_or_refused_and_nothing_else(kind: str, tmp_path: Path) -> None:
    chosen = [target.name for target in ALL.values() if target.kind == kind]
    keeper = run_cases(CASES[kind], chosen, "make test", tmp_path / "out", tmp_path / "work")
    found = {key for key in keeper.findings if key[1] != "slow"}
    assert not found, f"replay them: {[str(keeper.files.get(key)) for key in found]}"
    for name, row in keeper.rows.items():
        assert row.cases == CASES[kind], name
        assert any(verdict.startswith("refused") for verdict in row.verdicts) or name == "sequence", name


@pytest.fixture(scope="module")
def verdicts() -> dict[Path, str]:
    """What becomes of all kept inputs now."""
    return replay.apart(KEPT_FILES)


@pytest.mark.parametrize("file", KEPT_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_once_broke_something_does_not_any_more(file: Path, verdicts: dict[Path, str]) -> None:
    verdict = verdicts[file].removeprefix("slow ")
    assert verdict.startswith(replay.GOOD), verdict


def test_kept_inputs_are_small_and_belong_to_a_target() -> None:
    assert KEPT_FILES
    for file in KEPT_FILES:
        assert file.parent.name in ALL
        assert file.stat().st_size < 20_000


def test_seeds_without_fault_are_accepted(tmp_path: Path) -> None:
    import random

    from hostile.seeds import cdr, images
    from hostile.worker import Runner

    def verdict(name: str, data: bytes) -> str:
        runner = Runner(ALL[name], tmp_path / name)
        return " ".join(runner.run(data)).strip()

    rng = random.Random(0)
    assert verdict("image", images.good_image()) == "accepted"
    for file in (*jpegs.plain(), pngs.SIGNATURE + b"".join(pngs.chunk(*each) for each in pngs._chunks(rng))):
        fields = [*cdr.header(rng), ("s", b"rgb8; jpeg compressed bgr8"), ("bytes", file)]
        assert verdict("compressed_image", cdr.write(fields)) == "accepted"
    assert verdict("npz", archives._archive(random.Random(1), list(archives._arrays().items()))) == "accepted"
    assert verdict("tflite", flatbuffers.write(flatbuffers.model(False, 38))) != "exception"
