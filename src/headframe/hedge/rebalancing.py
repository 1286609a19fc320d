"""The delta of option hedges against its band, by expiry: how many coins of futures would bring it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from headframe.book import Position
from headframe.instrument import StructureKind
from headframe.mandate import Rebalance
from headframe.risk import Mark

_STEP = Decimal("0.1")
_OPTIONS = {StructureKind.PROTECTIVE_PUT, StructureKind.COSTLESS_COLLAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One expiry: coins under options, delta a coin with the futures of that expiry in, and what is asked.

    ``sell`` is coins of futures to sell, ``buy_back`` futures to close: trade and coins, the oldest first.
    """

    expiry: datetime
    coins: float
    futures: float
    delta: float
    sell: Decimal
    buy_back: tuple[tuple[str, Decimal], ...]


def balances(
    positions: Sequence[Position], marks: Sequence[Mark], rule: Rebalance
) -> tuple[Balance, ...]:
    """Every expiry that has option hedges, in order; ``marks`` are those of the positions."""
    deltas = {one.trade: -one.delta_coins for one in marks}
    expiries = sorted({p.trade.expiry for p in positions if p.trade.structure in _OPTIONS})
    return tuple(_balance(expiry, positions, deltas, rule) for expiry in expiries)


def _balance(
    expiry: datetime, positions: Sequence[Position], deltas: dict[str, float], rule: Rebalance
) -> Balance:
    here = [one for one in positions if one.trade.expiry == expiry]
    options = [one for one in here if one.trade.structure in _OPTIONS]
    futures = [one for one in here if one.trade.structure is StructureKind.SHORT_FUTURE]
    coins = sum(float(one.coins) for one in options)
    delta = sum(deltas[one.trade.id] for one in (*options, *futures)) / coins
    sell, back = Decimal(0), list[tuple[str, Decimal]]()
    if delta < rule.delta_low:
        sell = _steps(min((rule.delta_target - delta) * coins, rule.coins_max))
    elif delta > rule.delta_high:
        left = _steps(min((delta - rule.delta_target) * coins, rule.coins_max))
        for one in futures:
            part = min(left, _steps(float(one.coins)))
            if part > 0:
                back.append((one.trade.id, part))
                left -= part
    return Balance(
        expiry=expiry,
        coins=coins,
        futures=sum(float(one.coins) for one in futures),
        delta=delta,
        sell=sell,
        buy_back=tuple(back),
    )


def _steps(coins: float) -> Decimal:
    return Decimal(repr(max(coins, 0.0))).quantize(_STEP, rounding=ROUND_DOWN)
