"""The kernel that looks at a picture: its means of 8 x 8 pixels, and what the gate asks of it.

:mod:`fastdepth_ros.filters.seen` is the same in OpenCV, which rounds at each halving, and so does this. Halves and
quarters stay where their first pixel was: a row of them has numbers between that are of no use, which costs less than
to move those that are.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Cell, Vector, real, whole
from fastdepth_ros.compiler.filters.words import Body, Buffers, named
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import keep, splat
from fastdepth_ros.filters import functions
from fastdepth_ros.filters.functions import DECODERS_GREEN, EIGHTH, LIMIT, LOOK, PAD, PRINT, ROWS

CHANNELS, GREEN = 3, 1
PIXEL, HALF, QUARTER = CHANNELS, 2 * CHANNELS, 4 * CHANNELS
"""Numbers from a pixel, from a half and from a quarter to the next of the same channel."""

TURN = 5
"""Bits by which a print is turned before the next numbers join it."""


def look(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a picture of so many pixels, with vectors of so many float32 numbers."""
    names = [each.name for each in functions.look(rows, columns)]

    def body(*buffers: Buffer) -> None:
        work = _Looking(named(names, buffers), rows, columns, lanes)
        work.pass_over()
        work.count()

    return body


class _Looking:
    """Arguments by name, and sums that grow row by row."""

    def __init__(self, given: Buffers, rows: int, columns: int, lanes: int) -> None:
        self.given, self.rows, self.row = given, rows, CHANNELS * columns
        self.tall, self.broad = rows // EIGHTH, columns // EIGHTH
        self.wide = 2 * lanes
        self.stride = self.row + PAD
        self.along, self.across = Vector(self.wide), Vector(self.wide)
        # Of 16 bits: sums of whole numbers of more are not defined where they overflow.
        self.print = ir.registers(lanes, "uint32")
        self.lanes = lanes
        ir.store(self.print, splat(0, lanes, "uint32"), 0, lanes)

    def pass_over(self) -> None:
        """Write the eighths and the print, and sum up fine detail."""
        per_eighth = EIGHTH // 2
        with ir.serial(self.tall) as block:
            first = block * per_eighth
            for number in range(per_eighth):
                self._halve(first + whole(number))
                if number % 2 == 0:
                    self._detail_along(first + whole(number))
                else:
                    self._quarter(first + whole(number), ("quarters", "others")[number // 2])
                if number == 0:
                    with ir.when(block > whole(0)):
                        self._detail_across(first)
                elif number % 2 == 0:
                    self._detail_across(first + whole(number))
            self._eighth(block)
        with ir.serial(PRINT // self.lanes) as i:
            ir.store(self.given["print"], splat(0, self.lanes, "uint32"), i * self.lanes, self.lanes)
        ir.store(self.given["print"], ir.load(self.print, 0, self.lanes), 0, self.lanes)
        # Rows 0, 2, ... of halves have a difference beginning at each but the last two, rows 1, 3, ... at each.
        halves, fewer = self.row // HALF, self.rows // 2
        self._write("fine_along", self.along.sum(), -(-fewer // 2) * (halves - 2))
        self._write("fine_across", self.across.sum(), (fewer - 1) // 2 * halves)

    def _start(self, half: Expr) -> Expr:
        """Start of a row of halves among those that are kept."""
        return (half & whole(ROWS - 1)) * self.stride

    def _halve(self, half: Expr) -> None:
        """Write a row of halves, and have it join the print."""
        given, wide = self.given, self.wide
        upper = half * (2 * self.row)
        with ir.serial(self.row // wide) as i:
            one, other = (
                ir.load(given["pixels"], upper + at + i * wide, wide).astype(f"int16x{wide}") for at in (0, self.row)
            )
            ir.store(given["sums"], one + other, i * wide, wide)
        start = Cell(self._start(half), "int32")
        with ir.serial(self.row // wide) as i:
            pair = ir.load(given["sums"], i * wide, wide) + ir.load(given["sums"], i * wide + PIXEL, wide)
            mean = keep(self._fourth(pair), wide, "int16")
            ir.store(given["halves"], mean, start.value + i * wide, wide)
            held = ir.load(self.print, 0, self.lanes)
            left, right = (splat(bits, self.lanes, "uint32") for bits in (TURN, 32 - TURN))
            words = T.reinterpret(f"uint32x{self.lanes}", mean)
            ir.store(self.print, (held << left) ^ (held >> right) ^ words, 0, self.lanes)

    def _fourth(self, total: Expr) -> Expr:
        """Sums of four, as their rounded mean."""
        return (total + splat(2, self.wide, "int16")) >> splat(2, self.wide, "int16")

    def _quarter(self, half: Expr, name: str) -> None:
        """Write a row of quarters from a row of halves and the one before."""
        wide, halves = self.wide, self.given["halves"]
        upper, lower = (Cell(self._start(each), "int32") for each in (half - whole(1), half))
        with ir.serial(self.row // wide) as i:
            total = splat(0, wide, "int16")
            for start in (upper, lower):
                for right in (0, HALF):
                    total = total + ir.load(halves, start.value + i * wide + right, wide)
            ir.store(self.given[name], self._fourth(total), i * wide, wide)

    def _eighth(self, block: Expr) -> None:
        """Write a row of eighths from two of quarters, without gaps."""
        quarters, others = self.given["quarters"], self.given["others"]
        with ir.serial(self.broad) as x:
            for channel in range(CHANNELS):
                at = x * (2 * QUARTER) + channel
                total = quarters[at] + quarters[at + QUARTER] + others[at] + others[at + QUARTER]
                mean = (total + tirx.const(2, "int16")) >> tirx.const(2, "int16")
                place = (block * self.broad + x) * CHANNELS + channel
                ir.put(self.given["eighths"], mean.astype("uint8"), place)

    def _detail_along(self, half: Expr) -> None:
        start = Cell(self._start(half), "int32")
        self._detail(self.along, "along", (start.value, start.value + HALF, start.value + 2 * HALF))

    def _detail_across(self, half: Expr) -> None:
        starts = [Cell(self._start(half - whole(before)), "int32").value for before in (2, 1, 0)]
        self._detail(self.across, "across", (starts[0], starts[1], starts[2]))

    def _detail(self, total: Vector, mask: str, starts: tuple[Expr, Expr, Expr]) -> None:
        """Add squares of second differences of a row, where the mask has ones."""
        wide, halves = self.wide, self.given["halves"]
        with ir.serial(self.row // wide) as i:
            one, middle, other = (ir.load(halves, start + i * wide, wide) for start in starts)
            difference = (one + other - middle - middle).astype(f"float32x{wide}")
            total.add(difference * difference * ir.load(self.given[mask], i * wide, wide))

    def count(self) -> None:
        """Write what eighths say: sums, how many are bright or the decoder's green, and their detail."""
        low, high = DECODERS_GREEN
        names = ("red", "green", "blue", "squares", "most", "bright", "broken")
        sums = {name: Cell(0, "int32") for name in names}
        with ir.serial(self.tall * self.broad) as i:
            colours = [
                Cell(self.given["eighths"][i * CHANNELS + channel].astype("int32"), "int32")
                for channel in range(CHANNELS)
            ]
            for name, colour in zip(("red", "green", "blue"), colours, strict=True):
                sums[name].add(colour.value)
            green = colours[GREEN].value
            sums["squares"].add(green * green)
            sums["most"].set(tirx.max(sums["most"].value, green))
            sums["bright"].add((green >= whole(LIMIT)).astype("int32"))
            inside = [
                tirx.all(each.value >= whole(least), each.value <= whole(most))
                for each, least, most in zip(colours, low, high, strict=True)
            ]
            sums["broken"].add(tirx.all(*inside).astype("int32"))
        for name, total in sums.items():
            self._write(name, total.value.astype("float32"), 1)
        self._coarse("coarse_along", -(-self.tall // 2), self.broad - 2, (0, 1, 2), (0, 0, 0))
        self._coarse("coarse_across", (self.tall - 1) // 2, self.broad, (0, 0, 0), (0, 1, 2))

    def _coarse(self, name: str, tall: int, broad: int, right: tuple[int, ...], below: tuple[int, ...]) -> None:
        """Write the mean of squares of second differences of eighths in every second row."""
        total = Cell(0.0)
        with ir.serial(tall) as y, ir.serial(broad) as x:
            one, middle, other = (
                self._green(y * 2 + whole(down), x + whole(across)) for down, across in zip(below, right, strict=True)
            )
            difference = Cell(one + other - middle - middle)
            total.add(difference.value * difference.value)
        self._write(name, total.value, tall * broad)

    def _green(self, y: Expr, x: Expr) -> Expr:
        return self.given["eighths"][(y * self.broad + x) * CHANNELS + GREEN].astype("float32")

    def _write(self, name: str, total: Expr, count: int) -> None:
        ir.put(self.given["numbers"], total * real(1 / max(1, count)), LOOK.index(name))
