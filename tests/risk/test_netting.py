"""A netted book is worth what its positions are worth one by one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.instrument import StructureKind, parse_instrument
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import marks, netted, netted_book, position_value_usd
from headframe.units import Month

MARKET = sample_market()
SURFACE = surface_of(MARKET)
MONTH = Month(2026, 11)
NAMES = (
    "BTC-25DEC26",
    "BTC-25DEC26-70000-P",
    "BTC-25DEC26-90000-C",
    "BTC_USDC-25DEC26-70000-P",
    "BTC-26MAR27-80000-P",
)


def position(
    name: str, amount: int, price: int, left: int, *, dealer: str, last: int | None
) -> Position:
    one = parse_instrument(name)
    future = not one.is_option
    trade = Trade(
        id="T", proposal="P", rfq="r", structure=StructureKind.SHORT_FUTURE if future else StructureKind.COSTLESS_COLLAR,
        dealer=dealer, margin=MarginTerms.VENUE if future else MarginTerms.BILATERAL, at=MARKET.as_of, size=Decimal(10),
        net_price=Decimal(price), price_currency="USD", fee=Decimal(0), spot=Decimal(1),
        legs=(TradeLeg(instrument=one, amount=Decimal(amount), price=Decimal(price)),),
        designations=(Designation(month=MONTH, coins=Decimal(10), words="", hedge_for_accounts=True),),
    )  # fmt: skip
    remaining = ((MONTH, Decimal(left)),)
    return Position(
        trade=trade,
        remaining=remaining,
        last_mark=None if last is None or not future else Decimal(last),
    )


HOLDINGS = st.lists(
    st.builds(
        position,
        st.sampled_from(NAMES),
        st.integers(-500, 500).filter(bool),
        st.integers(60_000, 90_000),
        st.integers(1, 10),
        dealer=st.sampled_from(["amber", "basalt"]),
        last=st.one_of(st.none(), st.integers(60_000, 90_000)),
    ),
    max_size=20,
)


@given(HOLDINGS, st.floats(0.4, 2.0))
def test_netting_changes_no_value_at_any_price(held: Any, ratio: float) -> None:
    at = MARKET.as_of + timedelta(days=20)
    moved = SURFACE.at_spot(SURFACE.spot * ratio, at)
    one_by_one = sum(position_value_usd(one, moved, at) for one in held)
    gross = sum(abs(position_value_usd(one, moved, at)) for one in held)
    assert netted(held).value_usd(moved, at) == pytest.approx(one_by_one, abs=1e-9 * gross + 1e-6)
    book = netted_book(held)
    assert book.value_usd(moved, at) == pytest.approx(one_by_one, abs=1e-9 * gross + 1e-6)
    assert [name for name, _ in book.dealers] == sorted(
        {p.trade.dealer for p in held if p.trade.margin is MarginTerms.BILATERAL}
    )
    futures = [one for one in held if not one.trade.legs[0].instrument.is_option]
    assert netted(held).future_coins == pytest.approx(sum(float(one.coins) for one in futures))


@given(HOLDINGS)
def test_marking_a_book_at_once_is_marking_its_positions(held: Any) -> None:
    at = MARKET.as_of + timedelta(days=20)
    step = 1e-4 * SURFACE.spot
    up, down = (SURFACE.at_spot(SURFACE.spot + turn * step, at) for turn in (1.0, -1.0))
    for one, position in zip(marks(held, SURFACE, at), held, strict=True):
        value = position_value_usd(position, SURFACE, at)
        delta = (position_value_usd(position, up, at) - position_value_usd(position, down, at)) / (
            2.0 * step
        )
        assert one.value_usd == pytest.approx(value, rel=1e-9, abs=1e-6)
        assert one.delta_coins == pytest.approx(delta, rel=1e-5, abs=1e-5)


def test_instruments_are_counted_once() -> None:
    one = position("BTC-25DEC26-70000-P", 5, 70_000, 10, dealer="amber", last=None)
    many = netted([replace(one, remaining=((MONTH, Decimal(n)),)) for n in range(1, 11)])
    assert len(many.rows) == 1
    assert many.rows[0][1] == pytest.approx(5 * 5.5)
    assert netted([]).value_usd(SURFACE, MARKET.as_of) == 0.0
