"""The five worked examples of the Basel text, limits, and identities."""

from dataclasses import replace
from math import exp, log, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.risk import (
    PLAIN,
    SACCR_HOUSE,
    AssetClass,
    Exposed,
    MarginAgreement,
    Option,
    exposure_at_default,
)
from headframe.units import Wrong


def rates(currency: str, notional: float, end: float, **more: Any) -> Exposed:
    given_: dict[str, Any] = {"long": True, "maturity": end}
    return Exposed(
        asset=AssetClass.RATES, hedging_set=currency, name=currency, notional=notional, end=end, **(given_ | more)
    )  # fmt: skip


def credit(name: str, kind: str, end: float, *, long: bool) -> Exposed:
    return Exposed(
        asset=AssetClass.CREDIT, hedging_set="credit", name=name, notional=10_000.0, end=end, maturity=end, kind=kind, long=long
    )  # fmt: skip


def commodity(group: str, name: str, notional: float, maturity: float, *, long: bool) -> Exposed:
    return Exposed(
        asset=AssetClass.COMMODITY, hedging_set=group, name=name, notional=notional, maturity=maturity, long=long
    )  # fmt: skip


RATES = (
    rates("USD", 10_000.0, 10.0),
    rates("USD", 10_000.0, 4.0, long=False),
    rates(
        "EUR", 5_000.0, 11.0, start=1.0, maturity=11.0,
        option=Option(call=False, bought=True, price=0.06, strike=0.05, years=1.0),
    ),
)  # fmt: skip
CREDIT = (
    credit("Firm A", "AA", 3.0, long=True),
    credit("Firm B", "BBB", 6.0, long=False),
    credit("CDX.IG", "index IG", 5.0, long=True),
)
COMMODITIES = (
    commodity("energy", "crude", 10_000.0, 0.75, long=True),
    commodity("energy", "crude", 20_000.0, 2.0, long=False),
    commodity("metals", "silver", 10_000.0, 5.0, long=True),
)
WEEKLY = MarginAgreement(threshold=0.0, minimum_transfer=5.0, independent=150.0, risk_days=14)
EXAMPLES = {
    "1 rates": (RATES, 60.0, 0.0, None, 569),
    "2 credit": (CREDIT, -20.0, 0.0, None, 381),
    "3 commodities": (COMMODITIES, 20.0, 0.0, None, 5406),
    "4 rates and credit": ((*RATES, *CREDIT), 40.0, 0.0, None, 936),
    "5 rates and commodities, margined": ((*RATES, *COMMODITIES), 80.0, 200.0, WEEKLY, 1879),
}
"""CRE99.1 (first in BCBS 279, annex 4a), in thousands of USD."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_examples_of_the_text(name: str) -> None:
    trades, value, collateral, margin, published = EXAMPLES[name]
    found = exposure_at_default(trades, value=value, collateral=collateral, margin=margin)
    assert round(found.value) == published


def coins(
    amount: float, *, long: bool, maturity: float = 1.0, option: Option | None = None
) -> Exposed:
    return Exposed(
        asset=AssetClass.COINS, hedging_set="coins", name="BTC", notional=amount, maturity=maturity, long=long, option=option
    )  # fmt: skip


def test_coins_by_the_house_and_as_any_commodity() -> None:
    one = (coins(1e6, long=False),)
    assert exposure_at_default(one, value=0.0, factors=SACCR_HOUSE).value == pytest.approx(
        1.4 * 0.32e6
    )
    assert exposure_at_default(one, value=0.0, factors=PLAIN).value == pytest.approx(1.4 * 0.18e6)


def test_a_collar_is_its_two_options_and_its_delta_the_sum() -> None:
    put = Option(call=False, bought=True, price=78_000.0, strike=70_000.0, years=0.5)
    call = Option(call=True, bought=False, price=78_000.0, strike=90_000.0, years=0.5)
    legs = (coins(1e6, long=False, option=put), coins(1e6, long=False, option=call))
    vol = 1.2 * sqrt(0.5)

    def n(x: float) -> float:
        from statistics import NormalDist

        return NormalDist().cdf(x)

    deltas = -n(-(log(78 / 70) / vol + 0.5 * vol)) - n(log(78 / 90) / vol + 0.5 * vol)
    found = exposure_at_default(legs, value=0.0)
    assert found.add_on == pytest.approx(0.32 * 1e6 * abs(deltas))
    assert found.add_on < 0.32 * 2e6


def test_what_is_held_over_the_value_lowers_the_add_on_to_its_floor_and_no_further() -> None:
    one = (coins(1e6, long=True),)
    plain = exposure_at_default(one, value=0.0)
    some = exposure_at_default(one, value=0.0, collateral=1e5)
    assert some.multiplier == pytest.approx(0.05 + 0.95 * exp(-1e5 / (2 * 0.95 * plain.add_on)))
    assert exposure_at_default(one, value=0.0, collateral=1e9).multiplier == pytest.approx(0.05)
    assert exposure_at_default(one, value=1e5, collateral=3e4).replacement == pytest.approx(7e4)


def test_a_margined_set_is_no_more_than_the_same_without_margin() -> None:
    short = (coins(1e6, long=True, maturity=0.02),)
    wide = MarginAgreement(threshold=1e9, minimum_transfer=0.0, independent=0.0, risk_days=20)
    assert exposure_at_default(short, value=0.0, margin=wide) == exposure_at_default(
        short, value=0.0
    )
    daily = replace(wide, threshold=0.0, risk_days=10)
    long = (coins(1e6, long=True),)
    found = exposure_at_default(long, value=0.0, margin=daily)
    assert found.value == pytest.approx(1.4 * 0.32e6 * 1.5 * sqrt(10 / 250))


@given(st.lists(st.tuples(st.floats(1.0, 1e6), st.booleans()), min_size=1, max_size=8))
def test_opposite_trades_offset_within_a_type_and_never_help_across_sets(rows: Any) -> None:
    trades = [coins(amount, long=long) for amount, long in rows]
    net = sum(amount if long else -amount for amount, long in rows)
    assert exposure_at_default(trades, value=0.0).add_on == pytest.approx(0.32 * abs(net), abs=1e-6)
    turned = [replace(one, long=not one.long) for one in trades]
    assert exposure_at_default(turned, value=0.0).value == pytest.approx(
        exposure_at_default(trades, value=0.0).value, abs=1e-6
    )
    other = commodity("energy", "crude", 1e5, 1.0, long=False)
    both = exposure_at_default([*trades, other], value=0.0).add_on
    assert both == pytest.approx(
        exposure_at_default(trades, value=0.0).add_on
        + exposure_at_default([other], value=0.0).add_on
    )


def test_fx_nets_by_pair_and_what_is_not_known_is_refused() -> None:
    fx = Exposed(
        asset=AssetClass.FX, hedging_set="USD/CAD", name="USD/CAD", notional=1e6, maturity=1.0, long=True
    )  # fmt: skip
    assert exposure_at_default([fx, replace(fx, long=False)], value=0.0).value == 0.0
    assert exposure_at_default([fx], value=0.0).add_on == pytest.approx(4e4)
    with pytest.raises(Wrong, match="knows the kinds"):
        exposure_at_default([credit("X", "D", 1.0, long=True)], value=0.0)
    stock = Exposed(
        asset=AssetClass.EQUITY, hedging_set="equity", name="X", notional=1e6, maturity=1.0, long=True, kind="single"
    )  # fmt: skip
    assert exposure_at_default([stock], value=0.0).add_on == pytest.approx(0.32e6)
    bad = Option(call=True, bought=True, price=0.0, strike=1.0, years=1.0)
    with pytest.raises(Wrong, match="above zero"):
        exposure_at_default([coins(1.0, long=True, option=bad)], value=0.0)
