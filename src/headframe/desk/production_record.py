"""Coins mined as all sources say them, and what bounds a figure of production where it comes in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from headframe.book import Flow, FlowKind
from headframe.chain import chain_of, latest, retargets
from headframe.codec import Settings
from headframe.desk.ports import Invalid
from headframe.desk.state import State
from headframe.mining import (
    PaidAmount,
    ProductionScale,
    check_coins,
    check_hashrate,
    check_sums,
    production_by_day,
)
from headframe.units import BTC, Money, Wrong


def production(state: State, coin: str) -> dict[date, Decimal]:
    """Return coins mined by day, from the production record and the payouts booked, each counted once."""
    recorded = {day: Decimal(coins) for day, coins in state.mined.items()}
    return production_by_day(recorded, _paid(state, coin))


def _paid(state: State, coin: str) -> Iterable[tuple[date, Decimal]]:
    for one in state.payouts.values():
        if one.at is not None and one.coins.currency.code == coin:
            yield one.at.date(), _decimal(one.coins)


def _decimal(money: Money) -> Decimal:
    return Decimal(money.smallest).scaleb(-money.currency.decimals)


def _scale(state: State, settings: Settings, coin: str) -> ProductionScale:
    """Return what bounds the production of a coin; by the mine's own plan where it is the planned coin."""
    rows = {row.height: row for row in (*retargets(), latest())} if coin == "BTC" else {}
    rows |= {row.height: row for row in state.retargets.get(coin, ())}
    return ProductionScale(
        chain=chain_of(coin),
        history=tuple(row for _, row in sorted(rows.items())),
        operation=settings.operation if coin == settings.operation.coin else None,
        hashrates={day: float(hashes) for day, hashes in state.hashrates.items()},
    )


def check_payouts(state: State, settings: Settings, flows: Sequence[Flow], source: str) -> None:
    """Raise Invalid where payouts are more than can have been paid, or interest more than all coins."""
    by_coin: dict[str, list[PaidAmount]] = {}
    held = state.ledger.total("assets:coins", BTC)
    for one in flows:
        if one.kind is FlowKind.INTEREST and held < one.coins:
            raise Invalid(
                f"{source}: {one.id}: coins: expected interest of at most {held} BTC (all coins held), got "
                f"{one.coins}; fix: check the unit: it is likely in satoshi"
            )
        if one.kind is FlowKind.PAYOUT:
            row = PaidAmount(name=one.id, day=one.at.date(), coins=_decimal(one.coins))
            by_coin.setdefault(one.coins.currency.code, []).append(row)
    for coin, rows in by_coin.items():
        if coin == settings.operation.coin:
            known = production(state, coin)
        else:
            known = production_by_day({}, _paid(state, coin))
        _checked(_scale(state, settings, coin), rows, known, source)


def check_recorded(
    state: State, settings: Settings, rows: Sequence[tuple[date, str]], source: str
) -> None:
    """Raise Invalid where coins of a production record are more than can have been mined."""
    coin = settings.operation.coin
    fresh = [
        PaidAmount(name=str(day), day=day, coins=Decimal(coins))
        for day, coins in rows
        if state.mined.get(day) != coins
    ]
    days = {row.day for row in fresh}
    known = {day: coins for day, coins in production(state, coin).items() if day not in days}
    _checked(_scale(state, settings, coin), fresh, known, source)


def _checked(
    scale: ProductionScale, rows: Sequence[PaidAmount], known: Mapping[date, Decimal], source: str
) -> None:
    try:
        check_coins(scale, rows, known)
        check_sums(scale, rows, known)
    except Wrong as error:
        raise Invalid(f"{source}: {error}") from error


def check_hashrates(
    state: State, settings: Settings, rows: Sequence[tuple[date, str]], source: str
) -> None:
    """Raise Invalid where a hashrate is beyond the network's, or far beyond the mine's plan."""
    scale = _scale(state, settings, settings.operation.coin)
    for day, hashes in rows:
        try:
            check_hashrate(scale, day, float(hashes))
        except Wrong as error:
            raise Invalid(f"{source}: {error}") from error
