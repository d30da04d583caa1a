"""Memory that maps share: two that are needed at the same time never overlap, and no more is taken than has to be."""

from hypothesis import given
from hypothesis import strategies as st

from fastdepth_ros.lowering.storage import ALIGNMENT, Life, places, share, without_gaps

LIVES = st.builds(
    lambda size, first, length: Life(size, first, first + length),
    st.integers(1, 500),
    st.integers(0, 30),
    st.integers(0, 12),
)


@given(st.lists(LIVES, max_size=25))
def test_maps_that_live_at_the_same_time_lie_apart(lives):
    arena = share({str(number): life for number, life in enumerate(lives)})
    placed = [(arena.starts[str(number)], life) for number, life in enumerate(lives)]
    for number, (start, life) in enumerate(placed):
        assert start % ALIGNMENT == 0
        assert start + life.size <= arena.size
        for other_start, other in placed[:number]:
            meet = life.first <= other.last and other.first <= life.last
            assert not meet or start + life.size <= other_start or other_start + other.size <= start


def test_a_chain_takes_the_memory_of_two_neighbours():
    assert share({str(turn): Life(160, turn, turn + 1) for turn in range(9)}).size == 2 * 160
    halving = {str(turn): Life(2**12 >> turn, turn, turn + 1) for turn in range(6)}
    assert share(halving).size == 2**12 + 2**11


def test_channels_of_parts_begin_at_whole_vectors():
    assert places((3, 8, 1), 8).tolist() == [0, 1, 2, *range(8, 16), 16]
    assert without_gaps((16, 8, 3), 8)
    assert not without_gaps((3, 8), 8)
