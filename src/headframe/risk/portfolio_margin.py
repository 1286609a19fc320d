"""Portfolio margin at the venue: a matrix of price and volatility shocks, its extended table, roll shocks.

Deribit, "Portfolio margin" (support.deribit.com) and the parameters its simulation answers with; parameters
are dated data, one set an index. Amounts are in coin: a change of value in USD at the shocked price.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import exp

from headframe.instrument import Instrument, Kind
from headframe.pricing import Greeks, Surface, black76, black76_greeks
from headframe.risk.rules import PortfolioModel
from headframe.units import year_fraction

_EXTENDED = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
_MONTH_DAYS = 30.0


_BITCOIN = PortfolioModel(
    price_range=0.16, buckets=4, vol_up=0.50, vol_down=0.25, short_power=0.30, long_power=0.13,
    least_vol_up=0.50, extended_factor=1.0, dampener_usd=100_000.0, delta_free_usd=20_000_000.0,
    delta_per_coin=0.00005, greatest_delta=0.10, move_risk=0.075, least_move=0.01, maintenance=0.8,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """The parameters of one index, in force from a day; ``known`` is when they were seen."""

    index: str
    since: date
    known: date
    model: PortfolioModel


MODELS = (
    KnownModel(
        index="BTC_USD",
        since=date(2024, 1, 1),
        known=date(2026, 2, 15),
        model=_BITCOIN,
    ),
    KnownModel(
        index="ETH_USD",
        since=date(2024, 1, 1),
        known=date(2026, 2, 15),
        model=replace(
            _BITCOIN, price_range=0.18, vol_up=0.40, dampener_usd=200_000.0, move_risk=0.05,
            least_move=0.005,
        ),
    ),
)  # fmt: skip
"""BTC of the venue's documents, ETH of an answer of 15 February 2026; its answers carry the present ones."""


def known_model(coin: str, on: date) -> KnownModel | None:
    """The last parameters of a coin in force on a day; None where none are known."""
    found = [one for one in MODELS if one.index == f"{coin}_USD" and one.since <= on]
    return max(found, key=lambda one: one.since, default=None)


@dataclass(frozen=True, slots=True)
class Holding:
    """A position: coins, positive bought; of contracts in USD the coins they are at the index."""

    instrument: Instrument
    coins: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioMargin:
    """What is asked in coin, and what of it: the worst cell with its shock, rolls of expiries, net delta.

    The venue publishes the parameters of the shock to a large net delta and no formula. Taken is: beyond
    ``delta_free_usd`` each coin of it adds ``delta_per_coin`` to the share of the delta that is asked, up to
    ``greatest_delta``, as position size does in its standard margin.
    """

    initial: float
    maintenance: float
    matrix_loss: float
    worst_move: float
    roll: float
    delta: float
    open_orders: float = 0.0
    """What open orders add to initial margin if all of them are filled; the venue publishes no formula."""
    market_maker: float = 0.0
    """What market-maker protection reserves, a share of the maximum quote quantity: initial margin alone."""


def holdings_of(
    rows: Iterable[tuple[Instrument, float, float]], spot: float
) -> tuple[Holding, ...]:
    """Rows of a netted book as holdings: contracts in USD as the coins they are at the index."""
    return tuple(
        Holding(one, amount / spot if one.amount_in_usd else amount) for one, amount, _ in rows
    )


def with_orders(
    margin: PortfolioMargin, filled: PortfolioMargin, market_maker_coins: float
) -> PortfolioMargin:
    """Return a margin with its open orders and market-maker protection: both are initial margin alone.

    ``filled`` is the margin of the same with every open order filled.
    """
    orders = max(filled.initial - margin.initial, 0.0)
    return replace(
        margin,
        initial=margin.initial + orders + market_maker_coins,
        open_orders=orders,
        market_maker=market_maker_coins,
    )


def portfolio_margin(
    holdings: Sequence[Holding], surface: Surface, at: datetime, model: PortfolioModel
) -> PortfolioMargin:
    """Margin of holdings of one index, without open orders and market-maker protection."""
    marked = [_mark(one, surface, at) for one in holdings]
    cells = [*_matrix(marked, model), *_extended(marked, surface.spot, model)]
    loss, move = min(((pnl, move) for move, pnl in cells), default=(0.0, 0.0))
    roll = _roll(marked, model)
    net = abs(sum(one.delta for one in marked))
    beyond = max(net - model.delta_free_usd / surface.spot, 0.0)
    delta = min(model.delta_per_coin * beyond, model.greatest_delta) * net
    asked = max(-loss, 0.0) + roll + delta
    return PortfolioMargin(
        initial=asked,
        maintenance=model.maintenance * asked,
        matrix_loss=max(-loss, 0.0),
        worst_move=move if loss < 0.0 else 0.0,
        roll=roll,
        delta=delta,
    )


@dataclass(frozen=True, slots=True)
class _Marked:
    """A holding with what its shocks need."""

    one: Instrument
    coins: float
    years: float
    forward: float
    carry: float
    vol: float
    delta: float


def _mark(holding: Holding, surface: Surface, at: datetime) -> _Marked:
    one = holding.instrument
    years = max(year_fraction(at, one.expiry), 1e-6)
    forward = surface.forward(years)
    vol, delta = 0.0, holding.coins
    if one.strike is not None:
        vol = surface.vol(years, float(one.strike))
        sign = 1.0 if one.kind is Kind.CALL else -1.0
        greeks = Greeks(*black76_greeks(sign, forward, float(one.strike), vol, years, 1.0))
        delta = holding.coins * greeks.delta
    return _Marked(one, holding.coins, years, forward, forward / surface.spot, vol, delta)


def _option(one: Instrument, forward: float, vol: float, years: float) -> float:
    """Value in USD of one coin's option."""
    assert one.strike is not None
    sign = 1.0 if one.kind is Kind.CALL else -1.0
    return float(black76(sign, forward, float(one.strike), vol, years, 1.0))


def _pnl(marked: Sequence[_Marked], move: float, turn: int, model: PortfolioModel) -> float:
    """Gain in coin after a move of the price and a turn of volatility: up (1), none (0), down (-1)."""
    total = 0.0
    for one in marked:
        if one.one.strike is None:
            total += one.coins * (1.0 - 1.0 / (1.0 + move))
            continue
        vol = _shocked(one.vol, one.years, turn, model)
        before = _option(one.one, one.forward, one.vol, one.years)
        after = _option(one.one, one.forward * (1.0 + move), vol, one.years)
        total += one.coins * (after - before) * one.carry / (one.forward * (1.0 + move))
    return total


def _shocked(vol: float, years: float, turn: int, model: PortfolioModel) -> float:
    if turn == 0:
        return vol
    days = max(years * 365.0, 1e-3)
    power = model.short_power if days < _MONTH_DAYS else model.long_power
    scaled = float((_MONTH_DAYS / days) ** power)
    if turn > 0:
        return max(vol * (1.0 + model.vol_up * scaled), model.least_vol_up)
    return max(vol * (1.0 - model.vol_down * scaled), 1e-9)


def _matrix(marked: Sequence[_Marked], model: PortfolioModel) -> list[tuple[float, float]]:
    """Move and gain of every cell."""
    moves = [
        model.price_range * step / model.buckets
        for step in range(-model.buckets, model.buckets + 1)
    ]
    return [(move, _pnl(marked, move, turn, model)) for move in moves for turn in (-1, 0, 1)]


def _extended(
    marked: Sequence[_Marked], index: float, model: PortfolioModel
) -> list[tuple[float, float]]:
    """Moves far beyond the matrix with volatility up, scaled back to its edge and dampened."""
    found: list[tuple[float, float]] = []
    for move in _EXTENDED:
        edge = 1.0 + (model.price_range if move > 0.0 else -model.price_range)
        scale = model.extended_factor * (model.price_range / abs(move)) * (1.0 + move) / edge
        scaled = _pnl(marked, move, 1, model) * scale
        steps = max(abs(move) / model.price_range, 1.0) - 1.0
        damp = min(steps * model.dampener_usd / (edge * index), abs(scaled))
        found.append((move, scaled + damp if scaled < 0.0 else scaled))
    return found


def _roll(marked: Sequence[_Marked], model: PortfolioModel) -> float:
    """What basis between expiries may cost: the net delta of each by its time."""
    deltas: dict[datetime, tuple[float, float]] = {}
    for one in marked:
        before, _ = deltas.get(one.one.expiry, (0.0, 0.0))
        deltas[one.one.expiry] = (before + one.delta, one.years)
    return sum(
        abs(delta) * max(exp(model.move_risk * years) - 1.0, model.least_move)
        for delta, years in deltas.values()
    )
