"""The account at a venue: maintenance by the published formulas, open orders, protection, liquidation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.instrument import StructureKind, parse_instrument
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import (
    RULE_SETS,
    Units,
    equity_coins,
    known_model,
    leg_price,
    maintenance_coins,
    netted,
    open_order_coins,
    rule_set,
    sold_option_maintenance,
    venue_account,
    venue_margin_coins,
)
from headframe.units import Month, Wrong

MARKET = sample_market()
AT, SURFACE = MARKET.as_of, surface_of(MARKET)
UNITS = Units(SURFACE, AT)
RULES, _ = rule_set(date(2026, 7, 1))
_KNOWN = known_model("BTC", date(2026, 8, 22))
assert _KNOWN is not None
PORTFOLIO = replace(RULES, portfolio=_KNOWN.model)
FORWARD = SURFACE.forward((parse_instrument("BTC-25DEC26").expiry - AT).total_seconds() / 86400 / 365)  # fmt: skip


def held(name: str, amount: float, price: float, coins: float) -> Position:
    """Return a position at the venue in one instrument; ``amount`` as the venue counts it."""
    instrument = parse_instrument(name)
    kind = StructureKind.COSTLESS_COLLAR if instrument.is_option else StructureKind.SHORT_FUTURE
    size = Decimal(repr(coins))
    trade = Trade(
        id=name, proposal="P-1", rfq="r", structure=kind, dealer="paper-book", margin=MarginTerms.VENUE,
        at=AT, size=size, net_price=Decimal(0), price_currency="BTC",
        legs=(TradeLeg(instrument=instrument, amount=Decimal(repr(amount)), price=Decimal(repr(price))),),
        designations=(Designation(month=Month(2026, 11), coins=size, words="", hedge_for_accounts=True),),
        fee=Decimal(0), spot=Decimal(77054),
    )  # fmt: skip
    return Position(trade=trade, remaining=((Month(2026, 11), size),))


FUTURE = held("BTC-25DEC26", -100 * round(FORWARD, 0), round(FORWARD, 0), 100.0)
CALL = held("BTC-25DEC26-88000-C", -50.0, 0.05, 50.0)
PUT = held("BTC-25DEC26-70000-P", 50.0, 0.05, 50.0)
SOLD_PUT = held("BTC-25DEC26-70000-P", -50.0, 0.05, 50.0)


def mark(one: Position) -> float:
    return leg_price(one.trade.legs[0].instrument, SURFACE, AT)


@pytest.mark.parametrize(
    ("positions", "wanted"),
    [
        ((FUTURE,), (0.01 + 0.00005 * 100.0) * 100.0),  # 1 % + 0.005 % a coin: 1.5 coins
        ((CALL,), 50.0 * (0.075 + mark(CALL))),
        ((SOLD_PUT,), 50.0 * (0.075 + mark(SOLD_PUT))),
        ((PUT,), 0.0),  # its premium is paid
        ((FUTURE, CALL, PUT), 1.5 + 50.0 * (0.075 + mark(CALL))),
        ((), 0.0),
    ],
)
def test_maintenance_under_standard_rules_is_the_published_formula(
    positions: tuple[Position, ...], wanted: float
) -> None:
    mine = netted(positions)
    assert maintenance_coins(mine, UNITS, RULES) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert maintenance_coins(mine, UNITS, RULES) <= venue_margin_coins(mine, UNITS, RULES)


def test_a_put_worth_more_than_a_coin_is_maintained_at_its_mark() -> None:
    put = parse_instrument("BTC-25DEC26-70000-P")
    assert sold_option_maintenance(put, 2.0, RULES) == pytest.approx(0.075 * 2.0 + 2.0)
    call = parse_instrument("BTC-25DEC26-70000-C")
    assert sold_option_maintenance(call, 0.2, RULES) == pytest.approx(0.075 + 0.2)


def test_under_portfolio_margin_maintenance_is_four_fifths_of_the_matrix_alone() -> None:
    mine = netted((FUTURE, CALL, PUT))
    matrix = venue_margin_coins(mine, UNITS, PORTFOLIO)
    assert maintenance_coins(mine, UNITS, PORTFOLIO) == pytest.approx(0.8 * matrix, rel=1e-12)
    making = replace(PORTFOLIO, mmp_coins=40.0)
    assert venue_margin_coins(mine, UNITS, making) == pytest.approx(matrix + 1.2, rel=1e-12)
    assert maintenance_coins(mine, UNITS, making) == pytest.approx(0.8 * matrix, rel=1e-12)


def test_contract_months_keep_the_proportion_of_maintenance_to_initial() -> None:
    from headframe.risk import MonthMargin

    months = (MonthMargin(first=Month(2026, 12), last=Month(2026, 12), initial=0.40),)
    rules = replace(RULES, months=months, per_coin=0.0)
    assert maintenance_coins(netted((FUTURE,)), UNITS, rules) == pytest.approx(0.20 * 100.0)


@pytest.mark.parametrize("rules", [RULES, PORTFOLIO])
def test_open_orders_ask_what_filling_them_adds_and_premiums(rules: Any) -> None:
    mine = netted((FUTURE,))
    for orders in ((CALL,), (FUTURE,), (PUT,), (PUT, CALL)):
        filled = netted((FUTURE, *orders))
        adds = venue_margin_coins(filled, UNITS, rules) - venue_margin_coins(mine, UNITS, rules)
        premium = 50.0 * mark(PUT) if PUT in orders else 0.0
        asked = open_order_coins(mine, filled, UNITS, rules)
        assert asked == pytest.approx(max(adds, 0.0) + premium, rel=1e-9)
    assert open_order_coins(mine, mine, UNITS, rules) == 0.0


@pytest.mark.parametrize("rules", [RULES, PORTFOLIO])
@pytest.mark.parametrize("positions", [(FUTURE,), (CALL, PUT), (FUTURE, CALL)])
def test_at_the_liquidation_price_equity_is_the_maintenance_margin(
    positions: tuple[Position, ...], rules: Any
) -> None:
    mine = netted(positions)
    posted = 1.5 * venue_margin_coins(mine, UNITS, rules)
    account = venue_account(mine, mine, (SURFACE, AT), rules, posted_coins=posted)
    assert account.equity > account.maintenance
    assert account.liquidation_above is not None
    assert account.liquidation_above > SURFACE.spot
    there = Units(SURFACE.at_spot(account.liquidation_above, AT), AT)
    equity = equity_coins(mine, there, rules, posted)
    assert equity == pytest.approx(maintenance_coins(mine, there, rules), rel=1e-6)


def test_a_short_future_is_liquidated_where_the_closed_form_says() -> None:
    """Coins N (S/F) lose N (1 - 1/ratio) of ratio 1 + move: posted 2.5 of 100 coins, maintained 1.5."""
    mine = netted((FUTURE,))
    account = venue_account(mine, mine, (SURFACE, AT), RULES, posted_coins=2.5)
    assert account.initial == pytest.approx(2.5)
    assert account.liquidation_below is None, "a short future gains as the price falls"
    entry = round(FORWARD, 0)
    # -N F0 (1/F0 - 1/(F r)) coins of loss equal posted less maintenance
    ratio = entry / FORWARD / (1.0 - (2.5 - 1.5) / 100.0)
    assert account.liquidation_above == pytest.approx(ratio * SURFACE.spot, rel=1e-6)
    bare = venue_account(mine, mine, (SURFACE, AT), RULES, posted_coins=1.0)
    assert bare.liquidation_above == SURFACE.spot, "already below its maintenance margin"


def test_market_maker_protection_reserves_three_per_cent_with_nothing_held() -> None:
    making = replace(RULES, mmp_coins=100.0)
    nothing = netted(())
    account = venue_account(nothing, nothing, (SURFACE, AT), making, posted_coins=3.0)
    assert (account.initial, account.maintenance, account.market_maker) == (0.0, 0.0, 3.0)
    assert account.required == 3.0
    assert account.liquidation_above is None
    wrong: list[dict[str, Any]] = [
        {"mmp_coins": -1.0},
        {"mmp_coins": float("nan")},
        {"mmp_share": 1.5},
    ]
    for bad in wrong:
        with pytest.raises(Wrong):
            replace(RULE_SETS[0], **bad)
