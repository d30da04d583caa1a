"""The table of what `max_uncertainty` leaves says what is left, and how wrong that is."""

from __future__ import annotations

import numpy as np

from tools.anchor_limits import row


def test_sure_points_are_left_and_are_as_wrong_as_they_are():
    sure = np.array([0.1, 0.1, 0.35, 0.6, 1.0])
    errors = np.array([0.3, -0.3, 0.3, 3.0, -3.0])
    cells = [cell.strip() for cell in row("points", errors, sure).strip("|").split("|")]
    all_of_them = np.sqrt((3 * 0.09 + 18) / 5)
    few = f"{0.3 / all_of_them:.2f}"
    four = f"{np.sqrt((3 * 0.09 + 9) / 4) / all_of_them:.2f}"
    assert cells == [
        "points",
        f"{all_of_them:.2f}",
        f"0.80 / {four}",
        *[f"0.60 / {few}"] * 2,
        *[f"0.40 / {few}"] * 3,
        "0.350 m, 0.60 left",
    ]


def test_where_the_surest_are_the_most_wrong_no_limit_halves_the_error():
    sure = np.linspace(0.1, 1, 50)
    assert row("alone", 1 / sure, sure).endswith("| nowhere |")
