"""The dealers of the paper street and their habits. All are invented."""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a dealer answers.

    ``tightness`` scales the market's half spread, ``skew`` shifts its mid in half spreads;
    ``delay`` and ``life`` are seconds, from and to; ``declines``, ``dawdles`` and ``flickers`` are
    the chances of no answer, of an answer after most response times, and of a quote that dies in seconds.
    """

    tightness: float
    skew: float
    delay: tuple[float, float]
    life: tuple[float, float]
    declines: float
    dawdles: float
    flickers: float


_TABLE = """
amber     0.55  0.1   4 11  90 200  0.00 0.00 0.10
basalt    0.65 -0.1   7 20  90 200  0.05 0.05 0.05
cobalt    0.75  0.0   6 25  60 200  0.10 0.05 0.40
dolomite  0.60  0.3  10 30  60 150  0.45 0.10 0.00
emery     0.70 -0.3  12 38  60 150  0.05 0.50 0.00
"""
"""Name, tightness, skew, delay from and to, life from and to, declines, dawdles, flickers."""


def _habit(cells: list[float]) -> Habit:
    return Habit(
        tightness=cells[0],
        skew=cells[1],
        delay=(cells[2], cells[3]),
        life=(cells[4], cells[5]),
        declines=cells[6],
        dawdles=cells[7],
        flickers=cells[8],
    )


HABITS = {
    name: _habit([float(cell) for cell in cells])
    for name, *cells in (line.split() for line in _TABLE.split("\n") if line)
}
ORDINARY = Habit(
    tightness=0.8, skew=0.0, delay=(8, 35), life=(60, 200), declines=0.15, dawdles=0.1, flickers=0.1
)
DAWDLING_SECONDS = (46.0, 54.0)
FLICKER_SECONDS = (6.0, 12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One two-sided answer: after so many seconds, good for so many, at mid plus shift, half spread wide."""

    dealer: str
    delay: float
    life: float
    shift: float
    half: float
    dawdled: bool


def chance(seed: int, *words: object) -> float:
    """A number in [0, 1) that depends on the words alone."""
    text = ":".join(str(word) for word in (seed, *words))
    return int.from_bytes(sha256(text.encode()).digest()[:7], "big") / 2**56


def answer(dealer: str, *, seed: int, number: int, half_spread: float) -> Answer | None:
    """What a dealer does with the street's so-manieth request; None when it declines."""
    habit = HABITS.get(dealer, ORDINARY)

    def draw(what: str) -> float:
        return chance(seed, number, dealer, what)

    def between(span: tuple[float, float], what: str) -> float:
        return round(span[0] + (span[1] - span[0]) * draw(what), 3)

    if draw("declines") < habit.declines:
        return None
    dawdles = draw("dawdles") < habit.dawdles
    flickers = draw("flickers") < habit.flickers
    noise = draw("noise") - 0.5
    return Answer(
        dealer=dealer,
        delay=between(DAWDLING_SECONDS if dawdles else habit.delay, "delay"),
        life=between(FLICKER_SECONDS if flickers else habit.life, "life"),
        shift=half_spread * (habit.skew + 0.6 * noise),
        half=half_spread * habit.tightness,
        dawdled=dawdles,
    )
