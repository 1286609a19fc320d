"""Profit by trade, and added up by month, strategy or counterparty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from headframe.book import Position, Trade
from headframe.risk import Mark
from headframe.units import Money, Month


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePnl:
    """One trade: what it brought so far by currency, what is left of it and what that is worth."""

    trade: Trade
    position: Position | None
    realised_coins: Money
    realised_usd: Money
    mark: Mark | None

    def total_usd(self, spot: float) -> float:
        """Realised and unrealised, coins at a price."""
        worth = self.mark.value_usd if self.mark is not None else 0.0
        return float(self.realised_usd) + float(self.realised_coins) * spot + worth


class By(StrEnum):
    """What profit is added up by; months are those whose coins a trade hedges."""

    MONTH = "month"
    STRATEGY = "strategy"
    COUNTERPARTY = "counterparty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Profit of one month, strategy or counterparty in USD, coins at today's price."""

    name: str
    coins: float
    coins_left: float
    realised_usd: float
    unrealised_usd: float
    delta_coins: float

    @property
    def total_usd(self) -> float:
        """Realised and unrealised."""
        return self.realised_usd + self.unrealised_usd


def added_up(trades: Sequence[TradePnl], spot: float, by: By) -> tuple[Sum, ...]:
    """Profit added up; the sums of every way are the programme's profit.

    A trade's profit is shared out to the months it hedges: what it is worth by the coins left of each, what
    it brought by the coins dealt, since a fill has one price for all of them.
    """
    sums: dict[str, list[float]] = {}
    for one in trades:
        realised = float(one.realised_usd) + float(one.realised_coins) * spot
        worth = 0.0 if one.mark is None else one.mark.value_usd
        delta = 0.0 if one.mark is None else one.mark.delta_coins
        left = {} if one.position is None else dict(one.position.remaining)
        for name, dealt, kept in _shares(one.trade, left, by):
            size = float(one.trade.size)
            part = kept / float(one.position.coins) if one.position is not None else 0.0
            row = sums.setdefault(name, [0.0] * 5)
            for place, figure in enumerate(
                (dealt, kept, realised * dealt / size, worth * part, delta * part)
            ):
                row[place] += figure
    return tuple(
        Sum(
            name=name,
            coins=row[0],
            coins_left=row[1],
            realised_usd=row[2],
            unrealised_usd=row[3],
            delta_coins=row[4],
        )
        for name, row in sorted(sums.items())
    )


def _shares(trade: Trade, left: Mapping[Month, Decimal], by: By) -> list[tuple[str, float, float]]:
    """Under which names a trade counts, with coins dealt and coins left."""
    if by is By.MONTH:
        return [
            (str(part.month), float(part.coins), float(left.get(part.month, 0)))
            for part in trade.designations
        ]
    name = trade.dealer if by is By.COUNTERPARTY else str(trade.structure).replace("_", " ")
    return [(name, float(trade.size), float(sum(left.values(), Decimal(0))))]
