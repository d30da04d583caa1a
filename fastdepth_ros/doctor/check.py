"""Findings of an examination, as its checks make them."""

from __future__ import annotations

from dataclasses import replace

from fastdepth_ros.errors import FastDepthError, Finding, Level


def ok(name: str, fact: str) -> Finding:
    """All is as it should be."""
    return Finding(Level.OK, fact, about=name)


def warn(name: str, fact: str, remedy: str) -> Finding:
    """Depth works, but not as well as it could."""
    return Finding(Level.WARN, fact, remedy, about=name)


def fail(name: str, fact: str, remedy: str) -> Finding:
    """Depth does not work."""
    return Finding(Level.ERROR, fact, remedy, about=name)


def failed(name: str, error: FastDepthError) -> Finding:
    """An error's finding: depth does not work."""
    return replace(error.finding, about=name)
