"""Hostile input: a fuzzer of the project's own, and a soak.

python test/hostile fuzz --minutes 20     # `make fuzz MINUTES=20`
python test/hostile replay FILE ...       # an input that was kept, again
python test/hostile soak --minutes 60     # `make soak MINUTES=60`

seeds/     inputs that know the structure of what they spoil
targets/   what they are given to
board, meter, worker, fuzz, live, table, keep, replay   who runs them, watches and writes down
soak/      a node in a graph where things go wrong for hours
kept/      inputs that once broke something, a folder for each target
"""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent

# Files that other tests write by hand are seeds here.
sys.path.extend(str(folder) for folder in (TESTS, TESTS / "importing", TESTS / "recording"))
