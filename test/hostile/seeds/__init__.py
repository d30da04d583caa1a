"""Inputs that know the structure of what they spoil. ``make(rng) -> bytes`` everywhere."""
