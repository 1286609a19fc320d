"""Margin rules of venues as dated data: the sets known here, and those a workspace names itself.

At the venue: Deribit's standard margin before August 2026 (support.deribit.com, "Standard margin"). Futures:
initial 2 % + 0.005 % a coin of position, maintenance 1 % + 0.005 %. Options bought: nothing, their premium is
paid. Options sold, in coins of the underlying: the greater of 15 % less how far they are out of the money and
10 %, and their mark; a put at least its maintenance, 7.5 % (or 7.5 % of a mark above one) and its mark. The
model that replaced it in August 2026 was not published when this was written: it is a row of
``[[margin_rules]]`` in headframe.toml when it is.
"""

from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise
from math import exp
from typing import Protocol, TypeVar

from headframe.units import Month, Wrong, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthMargin:
    """Initial margin of the futures of some contract months as a share, as exchanges publish it."""

    first: Month
    last: Month
    initial: float

    def __post_init__(self) -> None:
        if self.last < self.first:
            refuse(f"contract months run from {self.first} to {self.last}")
        if not 0.0 <= self.initial <= 1.0:
            refuse(
                f"initial of {self.first} to {self.last} lies between 0 and 1, was {self.initial}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioModel:
    """A venue's portfolio margin: shocks of price and volatility, and what is added to the worst of them.

    ``price_range`` in so many ``buckets`` a side; volatility up and down by shares that fade with the days to
    expiry by two powers, up to ``least_vol_up`` at least; the extended table's factor and dampener; the net
    delta that is free, what each coin beyond it adds and the most of it; rolls by a rate a year, at least
    ``least_move``; and maintenance as a share of it all.
    """

    price_range: float
    buckets: int
    vol_up: float
    vol_down: float
    short_power: float
    long_power: float
    least_vol_up: float
    extended_factor: float
    dampener_usd: float
    delta_free_usd: float
    delta_per_coin: float
    greatest_delta: float
    move_risk: float
    least_move: float
    maintenance: float

    def __post_init__(self) -> None:
        if not (0.0 < self.price_range < 1.0 and 1 <= self.buckets <= 50):
            refuse(
                f"price_range lies between 0 and 1 in 1 to 50 buckets, was {self.price_range} in "
                f"{self.buckets}"
            )
        for one in fields(self):
            value: float = getattr(self, one.name)
            most = 1e12 if one.name.endswith("_usd") else 50.0
            if not 0.0 <= value <= most:
                refuse(f"{one.name} of a portfolio model lies between 0 and {most:g}, was {value}")

    @property
    def edge(self) -> float:
        """The most a coin of a future can ask: its loss at the matrix's edge, and a roll of a year."""
        return self.price_range / (1.0 - self.price_range) + max(
            exp(self.move_risk) - 1.0, self.least_move
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueMargin:
    """A venue's margin as shares of the position, in force from a day until another; options as above.

    Where ``months`` says a share for a contract month, that counts for its futures in place of ``initial``;
    months of opposite sides are margined each, without credit for the spread. With ``portfolio`` all that is
    held there is margined together by that model, and the shares count where a model cannot be asked: on the
    engine's paths.
    """

    name: str
    since: date
    until: date | None = None
    initial: float
    maintenance: float
    per_coin: float
    option_initial: float
    option_least: float
    option_maintenance: float
    months: tuple[MonthMargin, ...] = ()
    portfolio: PortfolioModel | None = None
    mmp_coins: float = 0.0
    """Maximum quote quantity of the account's market-maker protection, all groups; 0 where none is set."""
    mmp_share: float = 0.03
    """Share of it that is reserved as initial margin (docs.deribit.com, private/set_mmp_config)."""

    def __post_init__(self) -> None:
        for name in (
            "initial",
            "maintenance",
            "per_coin",
            "option_initial",
            "option_least",
            "option_maintenance",
            "mmp_share",
        ):
            share: float = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                refuse(f"{name} of {self.name} lies between 0 and 1, was {share}")
        if not 0.0 <= self.mmp_coins <= 1e6:
            refuse(
                f"mmp_coins of {self.name}: expected 0 to 1e6 coins, got {self.mmp_coins}; fix: give "
                "the maximum quote quantity of all groups"
            )
        if self.until is not None and self.until <= self.since:
            refuse(f"{self.name} ends {self.until}, not after it begins {self.since}")
        for one, other in pairwise(sorted(self.months, key=lambda one: one.first)):
            if other.first <= one.last:
                refuse(f"{self.name} has two shares for the contract month {other.first}")

    @property
    def market_maker_coins(self) -> float:
        """Return the initial margin reserved for market-maker protection, in coins."""
        return self.mmp_share * self.mmp_coins

    def initial_of(self, month: Month) -> float:
        """The share of a contract month."""
        found = (one.initial for one in self.months if one.first <= month <= one.last)
        return next(found, self.initial)

    @property
    def greatest(self) -> float:
        """The largest share any contract month asks, or the portfolio's edge."""
        edge = 0.0 if self.portfolio is None else self.portfolio.edge
        return max((self.initial, edge, *(one.initial for one in self.months)))


RULE_SETS = (
    VenueMargin(
        name="deribit-standard-to-2026-07",
        since=date(2020, 1, 1),
        until=date(2026, 8, 1),
        initial=0.02,
        maintenance=0.01,
        per_coin=0.00005,
        option_initial=0.15,
        option_least=0.10,
        option_maintenance=0.075,
    ),
)


class Dated(Protocol):
    """What is in force from a day until another, or for ever."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def since(self) -> date: ...  # noqa: D102

    @property
    def until(self) -> date | None: ...  # noqa: D102


D = TypeVar("D", bound=Dated)


def in_order(sets: tuple[D, ...]) -> tuple[D, ...]:
    """Sets from the earliest to the latest; Wrong where two are in force on one day."""
    ordered = tuple(sorted(sets, key=lambda one: one.since))
    for one, other in pairwise(ordered):
        if one.until is None or one.until > other.since:
            raise Wrong(f"{one.name} and {other.name} are both in force on {other.since}")
    return ordered


def in_force(on: date, sets: tuple[D, ...]) -> tuple[D, bool]:
    """The set of a day, and whether it is in force or the nearest one known."""
    for rules in sets:
        if rules.since <= on and (rules.until is None or on < rules.until):
            return rules, True
    past = [rules for rules in sets if rules.since <= on]
    return (past[-1] if past else sets[0]), False


def rule_set(on: date, sets: tuple[VenueMargin, ...] = RULE_SETS) -> tuple[VenueMargin, bool]:
    """The margin rules of a day, and whether they are in force or the nearest known."""
    return in_force(on, sets)
