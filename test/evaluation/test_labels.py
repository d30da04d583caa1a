"""Names beside the points of a figure."""

from itertools import combinations

from matplotlib.figure import Figure

from fastdepth_ros.evaluation.tables.labels import label, shared


def axes_of(points):
    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    axes = figure.subplots()
    axes.scatter([x for x, _, _ in points], [y for _, y, _ in points])
    axes.set(xscale="log", xlim=(1, 100), ylim=(0, 1))
    return axes


def test_no_name_lies_on_another_or_outside():
    crowd = [(10 + n / 20, 0.5 + n / 500, f"a-network-of-name-{n}") for n in range(10)]
    edges = [(1.0, 0.0, "bottom-left"), (100.0, 1.0, "top-right"), (100.0, 0.0, "bottom-right"), (1.0, 1.0, "top-left")]
    axes = axes_of(crowd + edges)
    boxes = label(axes, crowd + edges)
    assert len(boxes) == 14
    assert all(shared(one, other) == 0 for one, other in combinations(boxes, 2))
    frame = axes.get_window_extent()
    for left, bottom, right, top in boxes:
        assert frame.x0 <= left < right <= frame.x1
        assert frame.y0 <= bottom < top <= frame.y1


def test_a_point_that_is_alone_has_its_name_at_its_side_and_no_line():
    axes = axes_of([(10.0, 0.5, "alone")])
    before = len(axes.lines)
    ((left, bottom, _, _),) = label(axes, [(10.0, 0.5, "alone")])
    x, y = axes.transData.transform((10.0, 0.5))
    assert 0 < left - x < 10
    assert 0 < bottom - y < 10
    assert len(axes.lines) == before


def test_points_in_one_place_have_one_name():
    twice = [(10.0, 0.5, "one"), (10.0, 0.5, "two")]
    axes = axes_of(twice)
    assert len(label(axes, twice)) == 1
    assert [text.get_text() for text in axes.texts] == ["one, two"]


def test_points_without_a_name_are_not_covered_either():
    named, free = [(10.0, 0.5, "name")], [(10.5, 0.52, ""), (11.0, 0.52, "")]
    axes = axes_of(named + free)
    (box,) = label(axes, named, free=free)
    for x, y, _ in free:
        across, up = axes.transData.transform((x, y))
        assert not (box[0] < across < box[2] and box[1] < up < box[3])
