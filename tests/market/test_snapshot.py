from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headframe.market import ForwardQuote, OptionQuote, TypedSmile, sample_market
from headframe.units import Wrong, expiry_label, parse_expiry

MARKET = sample_market()


def test_the_sample_market_is_the_table_typed_in() -> None:
    assert MARKET.index == 77_054.0
    assert [expiry_label(quote.expiry) for quote in MARKET.forwards] == [
        "28-AUG-26", "25-SEP-26", "30-OCT-26", "25-DEC-26", "26-MAR-27", "25-JUN-27",
    ]  # fmt: skip
    assert [quote.price for quote in MARKET.forwards] == [
        77_181,
        77_405,
        77_723,
        78_343,
        79_203,
        80_104,
    ]
    assert dict(MARKET.typed[3].vols)[0.75] == pytest.approx(0.432)
    assert "22 Aug 2026" in MARKET.source


def test_the_first_listed_expiry_at_or_after_an_instant() -> None:
    october = parse_expiry("30-OCT-26")
    assert MARKET.listed_expiry_from(october) == october
    assert MARKET.listed_expiry_from(october + timedelta(milliseconds=1)) == parse_expiry(
        "25-DEC-26"
    )
    assert MARKET.listed_expiry_from(parse_expiry("26-JUN-27")) is None
    assert MARKET.forward(october) == MARKET.forwards[2]
    assert MARKET.forward(october + timedelta(days=1)) is None


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), 1e12])
def test_prices_that_cannot_be_are_refused(price: Any) -> None:
    with pytest.raises(Wrong):
        ForwardQuote(expiry=MARKET.forwards[0].expiry, price=price)
    with pytest.raises(Wrong):
        replace(MARKET, index=price)


def test_forwards_come_in_order_and_once() -> None:
    for forwards in ((), (MARKET.forwards[1], MARKET.forwards[0]), (MARKET.forwards[0],) * 2):
        with pytest.raises(Wrong):
            replace(MARKET, forwards=forwards)


def test_quotes_and_smiles_check_themselves() -> None:
    given: dict[str, Any] = {
        "expiry": MARKET.forwards[0].expiry,
        "strike": 70_000.0,
        "is_call": True,
        "mark": None,
        "vol": None,
        "open_interest": None,
    }
    assert OptionQuote(bid=0.1, ask=0.2, **given).two_sided
    assert not OptionQuote(bid=0.0, ask=0.2, **given).two_sided
    with pytest.raises(Wrong):
        OptionQuote(bid=float("nan"), ask=0.2, **given)
    for vols in (((0.0, 0.4),), ((1.5, 0.4),), ((None, -0.1),)):
        with pytest.raises(Wrong):
            TypedSmile(expiry=MARKET.forwards[0].expiry, vols=vols)
