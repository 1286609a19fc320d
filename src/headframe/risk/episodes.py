"""The list of stresses a treasurer asks about: real moves and invented ones, with and without the hedge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log

from headframe.mining import Risks
from headframe.numerics import Array, np
from headframe.risk.columns import PathResults, results_by_name
from headframe.risk.courses import Course, course_prices
from headframe.risk.engine import Programme, Stressed, prepare
from headframe.risk.kernels import V0

CERTAIN = Risks(difficulty=False, fees=False, uptime=False, delay=False, luck=False)
"""Nothing of the mine left to chance; it still answers to the price."""
_LOUD, _LOUDER = 0.20, 2.0
"""A move of so much multiplies the market's variance by so much."""


_PLAIN = Stressed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A move of the price over so many days, staying there, and what else goes wrong with it."""

    name: str
    words: str
    move: float = 0.0
    days: int = 1
    stressed: Stressed = _PLAIN


def _worst(days: int, move: float, words: str) -> Stress:
    way = "fall" if move < 0.0 else "rise"
    return Stress(name=f"worst {days}-day {way}", words=words, move=move, days=days)


STRESSES = (
    _worst(1, -0.372, "11 to 12 March 2020"),
    _worst(3, -0.373, "9 to 12 March 2020"),
    _worst(5, -0.442, "7 to 12 March 2020"),
    _worst(10, -0.450, "6 to 16 March 2020"),
    _worst(1, 0.252, "6 to 7 December 2017"),
    _worst(3, 0.536, "4 to 7 December 2017"),
    _worst(5, 0.616, "2 to 7 December 2017"),
    _worst(10, 0.823, "27 November to 7 December 2017"),
    Stress(name="2018", words="6 January to 15 December 2018", move=-0.815, days=343),
    Stress(name="March 2020", words="6 to 12 March 2020", move=-0.455, days=6),
    Stress(name="November 2022", words="5 to 21 November 2022", move=-0.258, days=16),
    Stress(name="February 2026", words="14 January to 5 February 2026", move=-0.353, days=22),
    Stress(name="-60 %", words="at once", move=-0.60),
    Stress(name="+60 %", words="within a month", move=0.60, days=30),
    Stress(name="halving", words="half the subsidy from today", stressed=Stressed(reward=0.5)),
    Stress(name="difficulty +30 %", words="from today", stressed=Stressed(difficulty=1.3)),
    Stress(
        name="margin x 3",
        words="and +40 % within ten days",
        move=0.40,
        days=10,
        stressed=Stressed(margin=3.0),
    ),
)
"""Moves of daily closes 2014-09-17 to 2026-06-05, largest of their length both ways, and episodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressOutcome:
    """What a stress leaves: price at the end, coins, cash made and lowest liquidity both ways, calls."""

    name: str
    words: str
    end_price: float
    coins: float
    bare_usd: float
    hedged_usd: float
    hedge_usd: float
    low_bare_usd: float
    low_usd: float
    called_usd: float


def stressed(
    programme: Programme, stresses: Sequence[Stress] = STRESSES
) -> tuple[StressOutcome, ...]:
    """Each stress walked through the programme, nothing left to chance."""
    engine = prepare(programme, risks=CERTAIN)
    spot, days = programme.surface.spot, engine.calendar.days
    found: list[StressOutcome] = []
    for one in stresses:
        level = log(1.0 + one.move)
        passed = np.minimum(np.arange(days + 1) / one.days, 1.0)
        variance = np.full(days + 1, float(engine.model[V0]))
        if abs(one.move) >= _LOUD:
            variance[1:] *= _LOUDER
        row = engine.courses(
            (spot * np.exp(level * passed))[None, :], variance[None, :], stressed=one.stressed
        )
        found.append(_outcome(results_by_name(row), 0, one.name, one.words))
    return tuple(found)


def walked_courses(programme: Programme, moves: Sequence[float] = ()) -> tuple[StressOutcome, ...]:
    """The bear, the stable and the bull market, and a person's own moves reached half way."""
    engine = prepare(programme, risks=CERTAIN)
    days, spot = engine.calendar.days, programme.surface.spot
    rows: list[Array] = []
    names: list[tuple[str, str]] = []
    for course in Course:
        walked = course_prices(
            course,
            start=spot,
            first=programme.as_of.date(),
            last=(programme.as_of + timedelta(days=days)).date(),
            seed=0,
        )
        line = np.array([price for _, price in walked])[: days + 1]
        line[0] = spot
        rows.append(line)
        names.append((str(course), f"{course.end_ratio - 1.0:+.0%} by the end"))
    for move in moves:
        passed = np.minimum(np.arange(days + 1) / (0.5 * days), 1.0)
        rows.append(spot * np.exp(log(1.0 + move) * passed))
        names.append((f"own {move:+.0%}", "reached half way, then level"))
    table = np.array(rows)
    variances = np.full(table.shape, float(engine.model[V0]))
    found = results_by_name(engine.courses(table, variances, stressed=Stressed()))
    return tuple(_outcome(found, place, *name) for place, name in enumerate(names))


def _outcome(found: PathResults, place: int, name: str, words: str) -> StressOutcome:
    figures = found.figures
    return StressOutcome(
        name=name,
        words=words,
        end_price=float(figures.end_price_usd[place]),
        coins=float(figures.coins[place]),
        bare_usd=float(figures.sales_usd[place] - figures.costs_usd[place]),
        hedged_usd=float(found.month_hedged_usd[place].sum()),
        hedge_usd=float(figures.hedge_usd[place]),
        low_bare_usd=float(figures.lowest_liquidity_unhedged_usd[place]),
        low_usd=float(figures.lowest_liquidity_hedged_usd[place]),
        called_usd=float(figures.largest_cumulative_call_usd[place]),
    )
