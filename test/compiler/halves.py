"""Cases of kernels by halves: each has every kind of kernel, every shape, and every kind of convolution."""

import re

COLUMNS = {"rows": 3, "fused": 3, "up": 2, "wide": 2}
"""Kinds of cases whose numbers count through a table -> its columns."""


def in_half(name, half):
    """Whether a case, by its kind and number, is of half 0 or 1; None is both."""
    kind, number = re.fullmatch(r"([a-z]+)(\d+)", name).groups()
    row, column = divmod(int(number), COLUMNS.get(kind, 1))
    return half is None or (row + column + (kind == "wide")) % 2 == half
