"""Findings of ``network_rounds``, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.network_rounds import NetworkBench
from fastdepth_ros.network.count import count, total
from fastdepth_ros.runtime import processor


def report(bench: NetworkBench, target: str) -> dict[str, Any]:
    """Every figure of a network, with its unit in its name."""
    job = bench.job
    sums = total(count(job.graph, job.height, job.width))
    runtimes = []
    for (runtime, threads), timing in bench.timings.items():
        if runtime in bench.missing:
            continue
        ours = bench.timings[OURS, threads]
        runtimes.append(
            {
                "runtime": runtime,
                "version": timing.version,
                "threads": threads,
                "min_ms": round(timing.minimum * 1e3, 3),
                "median_ms": round(timing.median * 1e3, 3),
                "processor_ms": round(timing.processor_median * 1e3, 3),
                "times_ours": round(timing.median / ours.median, 3),
                "times_ours_at_best": round(timing.minimum / ours.minimum, 3),
                "processor_times_ours": round(timing.processor_median / ours.processor_median, 3),
                "difference_of_range": timing.difference,
                "rounds_median_ms": [round(sorted(times)[len(times) // 2] * 1e3, 3) for times in timing.rounds],
            }
        )
    return {
        "network": job.name,
        "input_px": [job.width, job.height],
        "target": target,
        "processor": processor.name(),
        "cores": processor.cores(),
        "weights": sums.weights,
        "macs": sums.macs,
        "macs_without_zeros": sums.macs_without_zeros,
        "maps_mb": round(bench.maps_mb, 2),
        "weights_mb": round(bench.weights_mb, 1),
        "runtimes": runtimes,
        "missing": bench.missing,
    }


def show(console: Console, found: Sequence[dict[str, Any]]) -> None:
    """Print a line for each network, runtime and number of threads."""
    about = found[0]
    table = Table(title=f"Networks with weights of noise, for {about['target']} on {about['processor']}")
    for name in ("network", "runtime"):
        table.add_column(name, no_wrap=True)
    for name in ("picture", "GMAC", "maps MB", "threads", "min ms", "median ms", "processor ms", "of ours"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        width, height = each["input_px"]
        for row in each["runtimes"]:
            ratio = row["processor_times_ours"] if row["threads"] == 1 else row["times_ours"]
            table.add_row(
                each["network"],
                row["runtime"],
                f"{width}x{height}",
                f"{each['macs'] / 1e9:.3f}",
                f"{each['maps_mb']:.1f}" if row["runtime"] == OURS else "",
                str(row["threads"]),
                f"{row['min_ms']:.2f}",
                f"{row['median_ms']:.2f}",
                f"{row['processor_ms']:.2f}",
                f"{ratio:.2f}",
            )
    console.print(table)
    versions = {row["runtime"]: row["version"] for each in found for row in each["runtimes"]}
    console.print(", ".join(f"{runtime} {version}" for runtime, version in versions.items()), highlight=False)
    console.print(
        "GMAC as the papers count: products with inserted zeros are in it, and nobody here computes them. Processor"
        " time is the median, of all threads together; of ours is of it on one thread, of the median on several.",
        highlight=False,
    )
    for each in found:
        for runtime, reason in each["missing"].items():
            console.print(f"not measured: {each['network']} with {runtime}: {reason}", markup=False)
