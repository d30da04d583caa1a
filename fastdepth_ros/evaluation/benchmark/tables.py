"""What a benchmark found, as JSON and as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from fastdepth_ros.evaluation.benchmark.rounds import OURS, Comparison, Timing
from fastdepth_ros.network import Network
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import CompiledModule


def report(bundle: Bundle, module: CompiledModule, comparison: Comparison) -> dict[str, Any]:
    """Every figure, with its unit in its name."""
    about = module.description
    flop = 2 * Network.from_json(about.network).macs(about.input.height, about.input.width)
    rows = [row(timing, comparison, flop) for timing in comparison.timings]
    return {
        "processor": processor.name(),
        "cores": processor.cores(),
        "model": bundle.manifest.name,
        "target": about.target,
        "cpu": about.cpu,
        "input_px": [about.input.width, about.input.height],
        "gmac": flop / 2e9,
        "sgemm_gflops": {str(n): gflops(comparison.peak(n)) for n in sorted({t.threads for t in comparison.timings})},
        "runtimes": rows,
    }


def row(timing: Timing, comparison: Comparison, flop: int) -> dict[str, Any]:
    """The figures of one runtime."""
    speed, peak = flop / timing.median, comparison.peak(timing.threads)
    return {
        "runtime": timing.runtime,
        "version": timing.version,
        "threads": timing.threads,
        "min_ms": round(timing.minimum * 1e3, 3),
        "median_ms": round(timing.median * 1e3, 3),
        "p95_ms": round(timing.p95 * 1e3, 3),
        "times_ours": round(timing.median / comparison.of(OURS, timing.threads).median, 3),
        "gflops": gflops(speed),
        "share_of_sgemm": round(speed / peak, 3) if peak else None,
        "largest_difference_m": timing.difference,
        "rounds_median_ms": [round(sorted(times)[len(times) // 2] * 1e3, 3) for times in timing.rounds],
    }


def gflops(speed: float | None) -> float | None:
    return round(speed / 1e9, 1) if speed else None


def show(console: Console, found: dict[str, Any]) -> None:
    """Print the comparison."""
    width, height = found["input_px"]
    table = Table(
        title=f"{found['model']}, {width}x{height}, float32, batch 1, for {found['cpu']} on {found['processor']}",
        caption="sgemm: "
        + ", ".join(f"{speed} GFLOP/s with {n}" for n, speed in found["sgemm_gflops"].items() if speed)
        if any(found["sgemm_gflops"].values())
        else None,
    )
    table.add_column("runtime")
    for name in ("threads", "min ms", "median ms", "p95 ms", "of ours", "GFLOP/s", "of sgemm"):
        table.add_column(name, justify="right")
    for r in found["runtimes"]:
        table.add_row(
            f"{r['runtime']} {r['version']}",
            str(r["threads"]),
            f"{r['min_ms']:.2f}",
            f"{r['median_ms']:.2f}",
            f"{r['p95_ms']:.2f}",
            f"{r['times_ours']:.2f}",
            f"{r['gflops']:.0f}",
            f"{r['share_of_sgemm']:.0%}" if r["share_of_sgemm"] else "",
        )
    console.print(table)
