"""Measures of how good and how fast: metrics, comparisons, plots and reports."""
