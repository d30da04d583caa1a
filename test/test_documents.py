"""Documents are true: the README's Python runs, links lead somewhere, pages stay short."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
GENERATED = {"parameters.md"}
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)]*))?\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    cv2.imwrite("photo.jpg", noise)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, {}, "README", "README.md", 0)
    assert len(example.examples) >= 8
    assert doctest.DocTestRunner().run(example).failed == 0


def test_what_the_documents_import_is_public():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    imported = re.findall(r"^ *(?:>>> )?from (fastdepth_ros[\w.]*) import (.+)$", text, re.MULTILINE)
    assert len(imported) >= 5
    for module, names in imported:
        public = importlib.import_module(module).__all__
        assert set(re.findall(r"\w+", names)) <= set(public), module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    broken = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(f"{target}#{anchor}")
    assert not broken


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_a_page_can_be_read_at_one_sitting(page):
    assert page.name in GENERATED or len(page.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_sentence_begins_with_of_what(page):
    assert not re.findall(r"(?:^|[.:] )Of what\b", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_paragraph_begins_with_what_it_speaks_of(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"(?:^|\n)\n(?:[-*] |\d+\. )?(?:Of|That|Those|The same|What|How|Where|Which)\b.*", text)


def docstrings(file: Path) -> list[str]:
    """First lines of all strings that stand alone: of modules, classes, functions, and under constants."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    texts = [node.value.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return [text.strip().split("\n")[0] for text in texts if isinstance(text, str)]


def test_a_docstring_begins_with_what_it_speaks_of():
    wrong = {}
    for file in [file for folder in ("fastdepth_ros", "launch", "tools") for file in (ROOT / folder).rglob("*.py")]:
        words = "Of|That|Those|The same|What|How|Where|Which"
        if found := [line for line in docstrings(file) if re.match(rf"({words})\b", line)]:
            wrong[str(file.relative_to(ROOT))] = found
    assert not wrong


def test_the_picture_of_the_readme_is_small():
    assert (ROOT / "docs" / "pictures" / "readme.png").stat().st_size <= 300_000
