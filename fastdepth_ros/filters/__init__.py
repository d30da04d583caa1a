"""Filters around a frame: each is one idea and a pure function of arrays, and off costs nothing."""
