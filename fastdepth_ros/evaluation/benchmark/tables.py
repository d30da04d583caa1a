"""Findings of a benchmark, as JSON and as tables."""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import DEFAULT, FLOAT32
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS
from fastdepth_ros.evaluation.benchmark.timings import Comparison, Timing
from fastdepth_ros.network import Network
from fastdepth_ros.network.count import count
from fastdepth_ros.network.halved import halved
from fastdepth_ros.network.stored import from_json
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.module import CompiledModule, Description


def comparison_report(module: CompiledModule, comparison: Comparison) -> dict[str, Any]:
    """Every figure of a comparison, with its unit in its name."""
    about = module.description
    flop = 2 * _macs(about)
    threads = sorted({t.threads for t in comparison.timings})
    return {
        "processor": processor.name(),
        "cores": processor.cores(),
        "target": about.target,
        "cpu": about.cpu,
        "network": about.network["name"],
        "input_px": [about.input.width, about.input.height],
        "gmac": flop / 2e9,
        "sgemm_gflops": {str(n): _gflops(comparison.peak(n)) for n in threads},
        "sgemm_median_gflops": {str(n): _gflops(comparison.median_peak(n)) for n in threads},
        "best": {str(n): [_best_row(timing, comparison) for timing in comparison.best(n)] for n in threads},
        "runtimes": [_row(timing, comparison, flop) for timing in comparison.timings],
        "missing": comparison.missing,
        "free_of_the_targets_instructions": comparison.free,
    }


def _macs(about: Description) -> int:
    """Multiply-accumulates of a picture."""
    height, width = about.input.height, about.input.width
    if "layers" in about.network:
        return sum(row.macs for row in count(halved(from_json(about.network)), height, width))
    return Network.from_json(about.network).macs(height, width)


def _best_row(timing: Timing, comparison: Comparison) -> dict[str, Any]:
    ours = comparison.of(OURS, timing.threads, comparison.taken)
    return {
        **_who(timing),
        "min_ms": round(timing.minimum * 1e3, 3),
        "median_ms": round(timing.median * 1e3, 3),
        "times_ours": round(timing.median / ours.median, 3),
        "times_ours_by_round": _by_round(timing.medians, ours.medians),
        "times_ours_at_best": round(timing.minimum / ours.minimum, 3),
        "processor_ms": _processor(timing),
        "processor_times_ours_by_round": _by_round(timing.processor_medians, ours.processor_medians),
    }


def _by_round(these: list[float], ours: list[float]) -> float | None:
    """The median of the rounds' ratios: what lies side by side is compared. None where nothing was measured."""
    ratios = [one / other for one, other in zip(these, ours, strict=False)]
    return round(median(ratios), 3) if ratios else None


def _processor(timing: Timing) -> float | None:
    return round(timing.processor_median * 1e3, 3) if timing.processor_rounds else None


def _who(timing: Timing) -> dict[str, Any]:
    runtime, way = timing.entrant
    peer = PEERS.get(runtime)
    model = peer.models[way] if peer else None
    return {
        "runtime": runtime,
        "way": way,
        "version": timing.version,
        "precision": timing.precision,
        "quantised_by": model.tool if model else "",
        "weights_of": "the reference" if model and model.from_reference else "the bundle",
        "rmse_m": timing.rmse,
    }


def _row(timing: Timing, comparison: Comparison, flop: int) -> dict[str, Any]:
    speed = flop / timing.median
    peak, median_peak = comparison.peak(timing.threads), comparison.median_peak(timing.threads)
    ours = comparison.of(OURS, timing.threads)
    return {
        **_who(timing),
        "threads": timing.threads,
        "min_ms": round(timing.minimum * 1e3, 3),
        "median_ms": round(timing.median * 1e3, 3),
        "p95_ms": round(timing.p95 * 1e3, 3),
        "processor_ms": _processor(timing),
        "times_ours": round(timing.median / ours.median, 3),
        "times_ours_at_best": round(timing.minimum / ours.minimum, 3),
        "gflops": _gflops(speed),
        "share_of_sgemm": round(speed / peak, 3) if peak else None,
        "share_of_median_sgemm": round(speed / median_peak, 3) if median_peak else None,
        "share_of_sgemm_at_best": round(flop / timing.minimum / peak, 3) if peak else None,
        "largest_difference_m": timing.difference,
        "rounds_median_ms": [round(times * 1e3, 3) for times in timing.medians],
    }


def _gflops(speed: float | None) -> float | None:
    return round(speed / 1e9, 1) if speed else None


def show_comparison(console: Console, found: dict[str, Any]) -> None:
    """Print a comparison: best against best, then all ways of all, then what was not measured, and why."""
    width, height = found["input_px"]
    title = f"{found['network']}, {width}x{height}, for {found['cpu']} on {found['processor']}"
    if any(len(rows) > 1 for rows in found["best"].values()):
        _show_best(console, found, title)
    _show_all(console, found, title)
    for threads, speed in found["sgemm_gflops"].items():
        if speed:
            ours = _ours(found, int(threads))
            console.print(
                f"threads: {threads}; sgemm of the fastest runtime: {speed:.0f} GFLOP/s at best and"
                f" {found['sgemm_median_gflops'][threads]:.0f} by medians, of which {OURS} in float32 reaches"
                f" {ours['share_of_median_sgemm']:.0%} by medians"
            )
    if found["free_of_the_targets_instructions"]:
        names = ", ".join(found["free_of_the_targets_instructions"])
        console.print(f"Nothing holds to the instructions of {found['cpu']}, and may have used wider ones: {names}")
    for name, reason in found["missing"].items():
        console.print(f"not measured: {name}: {reason}", markup=False)


def _ours(found: dict[str, Any], threads: int) -> dict[str, Any]:
    wanted = (OURS, FLOAT32, threads)
    return next(row for row in found["runtimes"] if (row["runtime"], row["way"], row["threads"]) == wanted)


def _show_best(console: Console, found: dict[str, Any], title: str) -> None:
    table = Table(title=f"Best against best: {title}")
    table.add_column("runtime", no_wrap=True)
    table.add_column("computes in")
    names = ("threads", "min ms", "median ms", "min/ours", "by rounds", "CPU ms", "by rounds", "RMSE")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for threads, rows in found["best"].items():
        for r in rows:
            table.add_row(
                f"{r['runtime']} {r['version']}",
                _how(r),
                threads,
                f"{r['min_ms']:.2f}",
                f"{r['median_ms']:.2f}",
                f"{r['times_ours_at_best']:.2f}",
                f"{r['times_ours_by_round']:.2f}",
                _digits(r["processor_ms"]),
                _digits(r["processor_times_ours_by_round"]),
                _metres(r),
            )
    console.print(table)
    console.print(
        f"Each in its fastest way; {OURS} as its precision has it. By rounds: medians of the rounds' ratios to it. CPU:"
        " time of all cores together, which other programs hardly change. RMSE: from float32, on computed rooms."
    )


def _how(row: dict[str, Any]) -> str:
    """The arithmetic, in the runtime's words, and who quantised what."""
    tool = f" ({row['quantised_by']})" if row["quantised_by"] else ""
    default = " (its default)" if row["way"] == DEFAULT else ""
    return f"{row['precision']}{tool}{default}"


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _metres(row: dict[str, Any]) -> str:
    error = row["rmse_m"]
    return "" if error is None else f"{error:.4f} m" + "*" * (row["weights_of"] != "the bundle")


def _show_all(console: Console, found: dict[str, Any], title: str) -> None:
    table = Table(title=title)
    table.add_column("runtime", no_wrap=True)
    table.add_column("computes in")
    for name in ("threads", "min ms", "median", "p95", "CPU ms", "median/ours", "min/ours", "of sgemm", "RMSE"):
        table.add_column(name, justify="right", no_wrap=True)
    for r in found["runtimes"]:
        share = r["share_of_sgemm"], r["share_of_sgemm_at_best"]
        table.add_row(
            f"{r['runtime']} {r['version']}",
            _how(r),
            str(r["threads"]),
            f"{r['min_ms']:.2f}",
            f"{r['median_ms']:.2f}",
            f"{r['p95_ms']:.2f}",
            _digits(r["processor_ms"]),
            f"{r['times_ours']:.2f}",
            f"{r['times_ours_at_best']:.2f}",
            f"{share[0]:.0%}, {share[1]:.0%}" if share[0] and share[1] else "",
            _metres(r),
        )
    console.print(table)
    console.print(
        f"ours: {OURS} in float32, which a runtime without a row for its default computes in unasked."
        " Of sgemm: of the fastest matrix product, by medians and at best."
    )
    if any(row["weights_of"] != "the bundle" for row in found["runtimes"]):
        console.print("*: with the authors' weights, from their answers in float32")


def show_sizes(console: Console, reports: list[dict[str, Any]]) -> None:
    """Print how our cost per pixel grows with the input; the first size is 1."""
    table = Table("input", "threads", "min ms", "ns per pixel", "of the first", "by medians", title="Cost per pixel")
    first: dict[int, tuple[float, list[float]]] = {}
    for found in reports:
        width, height = found["input_px"]
        for row in (r for r in found["runtimes"] if (r["runtime"], r["way"]) == (OURS, FLOAT32)):
            cost = row["min_ms"] * 1e6 / (width * height)
            rounds = [duration * 1e6 / (width * height) for duration in row["rounds_median_ms"]]
            least, others = first.setdefault(row["threads"], (cost, rounds))
            # Sizes take turns: a round's ratio is of times that lie side by side.
            medians = median(one / other for one, other in zip(rounds, others, strict=True))
            size, threads = f"{width}x{height}", str(row["threads"])
            numbers = (f"{row['min_ms']:.2f}", f"{cost:.1f}", f"{cost / least:.2f}", f"{medians:.2f}")
            table.add_row(size, threads, *numbers)
    console.print(table)


def show_layers(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print where the time goes."""
    total = sum(row["min_us"] for row in rows)
    table = Table(title=f"Kernels, threads: {rows[0]['threads']}", show_footer=True)
    table.add_column("kernel", footer="all")
    table.add_column("min us", justify="right", footer=f"{total:.0f}")
    table.add_column("median us", justify="right", footer=f"{sum(row['median_us'] for row in rows):.0f}")
    table.add_column("share", justify="right")
    table.add_column("MFLOP", justify="right", footer=f"{sum(row['mflop'] for row in rows):.0f}")
    table.add_column("GFLOP/s", justify="right", footer=f"{sum(row['mflop'] for row in rows) / total * 1e3:.0f}")
    for row in rows:
        table.add_row(
            row["kernel"],
            f"{row['min_us']:.0f}",
            f"{row['median_us']:.0f}",
            f"{row['min_us'] / total:.0%}",
            f"{row['mflop']:.1f}",
            f"{row['gflops']:.0f}",
        )
    console.print(table)


def show_start(console: Console, found: dict[str, Any]) -> None:
    """Print start-up time and memory."""
    table = Table("from process start", "min", "median", title=f"Engine alone, {found['starts']} processes")
    table.add_row("engine ready", f"{found['ready_s']['min']:.3f} s", f"{found['ready_s']['median']:.3f} s")
    table.add_row("first depth", f"{found['first_depth_s']['min']:.3f} s", f"{found['first_depth_s']['median']:.3f} s")
    table.add_row("resident", f"{found['resident_mb']['min']:.0f} MB", f"{found['resident_mb']['median']:.0f} MB")
    console.print(table)
