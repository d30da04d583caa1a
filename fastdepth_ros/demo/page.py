"""Report of a run: figures, frames, time, accuracy, and what was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from fastdepth_ros.demo.anchored import Comparison
from fastdepth_ros.demo.anchors_page import anchors_parts
from fastdepth_ros.demo.gallery import Gallery
from fastdepth_ros.demo.results import Results
from fastdepth_ros.demo.summary import figures
from fastdepth_ros.evaluation import report
from fastdepth_ros.evaluation.accuracy import Accuracy
from fastdepth_ros.evaluation.plots import Chart, round_up, spread_bars

STYLES = ("s0", "s1", "s2", "s3")

AGE_WISH = 40.0


def report_page(
    summary: dict[str, Any],
    results: Results,
    accuracy: Accuracy | None,
    gallery: Gallery,
    cloud: Sequence[str],
    comparison: Comparison | None = None,
) -> str:
    """The whole report as one HTML document.

    Args:
        summary: as :func:`~fastdepth_ros.demo.summary.summarise` made it.
        results: what was seen.
        accuracy: None where nothing could be compared.
        gallery: the frames to show.
        cloud: the section on the cloud.
        comparison: with a run without measured depths; None where there was none.
    """
    name = summary["recording"]["name"]
    verdict = "passed" if summary["passed"] else f"failed: {summary['frames_out']} of {summary['frames_in']} answered"
    parts = [
        report.header(f"FastDepth on {name}", verdict, summary["passed"]),
        report.paragraph(_opening(summary), "soft"),
        report.figures((f.name, f.value, f.wish, f.good) for f in figures(summary)),
        *gallery.parts(),
        *cloud,
        *(anchors_parts(comparison, accuracy) if comparison else []),
        *_time(summary, results),
        *(_accuracy(accuracy, summary, results, comparison) if accuracy else _no_accuracy(summary)),
        *_what_was_run(summary),
    ]
    return report.page(f"FastDepth on {name}", parts)


def _opening(summary: dict[str, Any]) -> str:
    recording, machine, model = summary["recording"], summary["machine"], summary["model"]
    kind = recording["image_type"].rsplit("/", 1)[-1]
    rate = "" if recording["rate"] == 1 else f", {recording['rate']:g} times as fast as recorded"
    return (
        f"{model['name']} ({model['network']}) on {machine['processor']}, {machine['cores']} physical cores. "
        f"{summary['frames_in']} frames ({kind}) of {recording['duration_s']:.1f} s were played over DDS to "
        f"depth_node, a process of its own{rate}{_anchors(summary)}. {datetime.now().astimezone():%d %B %Y, %H:%M}."
    )


def _anchors(summary: dict[str, Any]) -> str:
    anchors = summary.get("anchors")
    return f", twice: without measured depths, and with them ({anchors['sensors']})" if anchors else ""


def _time(summary: dict[str, Any], results: Results) -> list[str]:
    parts = [report.heading("Time")]
    panels = []
    if results.answers:
        panels.append(report.panel("Age of every depth image", _age_chart(summary, results), _age_words(summary)))
    stages = summary["stage_ms"]
    if stages:
        rows = [(name, spread["p50"], spread["p95"], spread["max"]) for name, spread in stages.items()]
        chart = spread_bars(rows, "ms", "Time of each stage")
        words = "Median / 95 % / highest, as the node reports them on /diagnostics. The bar ends at the median."
        panels.append(report.panel("Stages inside the node", chart + _stage_chart(results), words))
    return [*parts, report.side_by_side(panels)] if panels else []


def _age_chart(summary: dict[str, Any], results: Results) -> str:
    begin = results.sent[0].stamp
    points = [((a.stamp - begin) / 1e9, 1000 * a.age) for a in results.answers]
    answered = {a.stamp for a in results.answers}
    lost = [(image.stamp - begin) / 1e9 for image in results.sent if image.stamp not in answered]
    end = max((results.sent[-1].stamp - begin) / 1e9, 1e-3)
    age = summary["age_ms"]
    top = round_up(max(AGE_WISH * 1.1, min(age["max"], 5 * AGE_WISH)))
    chart = Chart((0, end), (0, top), "time [s]", "age [ms]", "Age of every depth image over time", height=330)
    chart.level(AGE_WISH, "target for 95 %", "wish").dots(points, "s0").ticks(lost, "lost")
    chart.level(age["p50"], f"median {age['p50']:.1f} ms", "s0").level(age["p95"], f"95 % {age['p95']:.1f} ms", "s1")
    entries = [("s0", "one depth image")]
    if lost:
        entries.append(("lost", f"image without an answer ({len(lost)})"))
    return chart.svg() + report.key(entries)


def _age_words(summary: dict[str, Any]) -> str:
    late = summary["player_late_ms"]
    return (
        "From the stamp, set when the image goes out, to the moment at which the depth image is in the hands of "
        f"another process: both ways through DDS included. The player itself was late by {late['p50']:.1f} ms "
        f"(median; highest {late['max']:.1f} ms), which is not part of the age. Highest age "
        f"{summary['age_ms']['max']:.1f} ms."
    )


def _stage_chart(results: Results) -> str:
    """Chart of the stages' medians over time; empty for a recording too short to tell."""
    if len(results.reports) < 8:
        return ""
    begin = results.reports[0].time
    last = results.reports[-1].stages
    names = sorted(last, key=lambda name: -last[name].p50)[: len(STYLES)]
    end = (results.reports[-1].time - begin) / 1e9
    top = max(report.stages[n].p95 for report in results.reports for n in names if n in report.stages)
    chart = Chart((0, end), (0, round_up(top)), "time [s]", "median of 10 s [ms]", "Stages over time", height=200)
    for style, name in zip(STYLES, names, strict=False):
        chart.line([((s.time - begin) / 1e9, s.stages[name].p50) for s in results.reports if name in s.stages], style)
    return chart.svg() + report.key(zip(STYLES, names, strict=False))


def _accuracy(
    accuracy: Accuracy, summary: dict[str, Any], results: Results, comparison: Comparison | None
) -> list[str]:
    words = {
        "delta1": "delta1, share within a factor of 1.25",
        "rmse_m": "RMSE [m]",
        "mae_m": "mean absolute error [m]",
        "abs_rel": "mean relative error",
        "si_rmse": "scale-invariant RMSE [ln]",
        "coverage": "true depths that got an answer",
        "scale": "factor to the true median",
    }
    rows = [
        (text, f"{accuracy.metric[k]:.3f}", f"{accuracy.scaled[k]:.3f}") for k, text in words.items() if k != "scale"
    ]
    rows.append((words["scale"], "1", f"{accuracy.scaled['scale']:.3f}"))
    measures = report.panel(
        "Measures",
        report.table(("mean over frames", "as it is", "median-scaled"), rows, 1),
        "As it is: metres, as the planner gets them. Median-scaled: each frame multiplied by the factor that brings "
        "its median to the truth's; what then is left is error of shape, and what it takes away is error of scale.",
    )
    distances = report.panel(
        "Error by distance",
        _distance_chart(accuracy),
        "Pixels sorted by their true depth. A bias above zero means: answers are too far.",
    )
    alone = comparison.alone if comparison else None
    worst = min(accuracy.frames.items(), key=lambda item: item[1])
    chart = _over_time(accuracy, results, alone)
    over_time = report.panel("delta1 of every frame", chart, f"Lowest: frame {worst[0]}, {worst[1]:.3f}.")
    topic = summary["recording"]["ground_truth_topic"]
    opening = f"Against {topic}, read at the pixels of the node's depth image through its own camera_info."
    panels = [measures, distances, over_time]
    return [report.heading("Accuracy"), report.paragraph(opening, "soft"), report.side_by_side(panels)]


def _over_time(accuracy: Accuracy, results: Results, alone: Accuracy | None) -> str:
    """delta1 of every frame as a chart, that without measured depths beside it."""
    begin = results.sent[0].stamp

    def points(frames: Mapping[int, float]) -> list[tuple[float, float]]:
        return [((results.sent[i].stamp - begin) / 1e9, v) for i, v in sorted(frames.items())]

    own, mean = points(accuracy.frames), accuracy.metric["delta1"]
    end = max(own[-1][0], 1e-3)
    chart = Chart((0, end), (0, 1), "time [s]", "delta1", "delta1 of every frame", width=1160, height=220)
    if alone is None:
        return chart.line(own, "s0").dots(own, "s0", 2).level(mean, f"mean {mean:.3f}", "s1").svg()
    chart.line(points(alone.frames), "s1").line(own, "s0").dots(own, "s0", 2)
    return chart.svg() + report.key([("s0", "with anchors"), ("s1", "without")])


def _no_accuracy(summary: dict[str, Any]) -> list[str]:
    why = summary["not_compared_because"] or "No answer could be compared with the recording's true depth."
    return [report.heading("Accuracy"), report.paragraph(why)]


def _distance_chart(accuracy: Accuracy) -> str:
    shown = [d for d in accuracy.distances if d.share >= 0.001]
    end = max(d.high for d in shown)
    low = min(0.0, *(d.bias for d in shown))
    bottom = -round_up(-low) if low < 0 else 0.0
    top = round_up(max(d.rmse for d in shown))
    chart = Chart((0, end), (bottom, top), "true depth [m]", "error [m]", "Error by distance")
    for d in shown:
        room = 0.08 * (d.high - d.low)
        title = f"{d.low:g} to {d.high:g} m: RMSE {d.rmse:.2f} m, bias {d.bias:+.2f} m, {d.share:.1%} of the pixels"
        chart.bar(d.low + room, d.high - room, 0, d.rmse, "s0", title)
        middle = (d.low + d.high) / 2
        chart.bar(d.low + 4 * room, d.high - 4 * room, 0, d.bias, "s1", title)
        chart.words(middle, d.rmse, f"{d.share:.0%}" if d.share >= 0.005 else "<1%")
    return chart.svg() + report.key([("s0", "RMSE"), ("s1", "bias"), ("", "numbers: share of the pixels")])


def _what_was_run(summary: dict[str, Any]) -> list[str]:
    recording, model, machine = summary["recording"], summary["model"], summary["machine"]
    rows = [
        ("image", f"{recording['image_topic']} ({recording['image_type']})"),
        ("camera_info", recording["camera_info_topic"] or "none"),
        ("true depth", recording["ground_truth_topic"] or "none"),
        ("frames sent / answered / others", f"{summary['frames_in']} / {summary['frames_out']} / {summary['foreign']}"),
        ("images lost", ", ".join(f"{count} {cause}" for cause, count in summary["lost"].items()) or "none"),
        ("model", f"{model['name']}, weights sha256 {model['weights_sha256']}"),
        ("trained on", model["trained_on"]),
        ("licence of the model", model["licence"]),
        ("machine", f"{machine['processor']}, {machine['cores']} cores; {machine['system']}"),
        ("load before the run", f"{machine['load_before']:.2f}"),
        (
            "node's memory after the run / highest",
            f"{summary['resident_mb']:.0f} MB / {summary['peak_resident_mb']:.0f} MB",
        ),
        ("versions", ", ".join(f"{name} {version}" for name, version in summary["versions"].items())),
    ]
    notes = (
        "An image counts as answered when a depth image with its stamp and frame_id came back. Images go out best "
        "effort, as camera drivers send them; the node answers the newest and drops what waits. A few images are "
        "answered before the recording starts; the time to the first depth is taken from the start of the node's "
        "process. The targets are the project's, for 640x480 at 30 Hz on two cores. Colours of depth: near is red, "
        "far is blue, grey is no answer."
    )
    return [
        report.heading("What was run"),
        report.panel("", report.table((), rows)),
        report.paragraph(notes, "caption"),
    ]


def evenly(numbers: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the numbers, evenly spread, the first and the last among them."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[round(i)] for i in np.linspace(0, len(numbers) - 1, count)]
