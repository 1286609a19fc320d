"""How contracts end: dated rules, delivery averages, production, funding."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from headframe.instrument import (
    Delivery,
    DifficultySwap,
    HashpriceForward,
    Perpetual,
    delivers,
    delivery_price,
    delivery_window,
    parse_instrument,
    settlement_rule,
)
from headframe.units import Wrong


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("BTC-31JUL26-70000-P", Delivery.CASH),
        ("BTC-1AUG26-70000-P", Delivery.FUTURE_THEN_CASH),
        ("BTC-25DEC26-90000-C", Delivery.FUTURE_THEN_CASH),
        ("BTC_USDC-25DEC26-90000-C", Delivery.CASH),
        ("BTC-25DEC26", Delivery.CASH),
    ],
)
def test_options_settled_in_coin_deliver_a_future_since_august_2026(
    name: str, gives: Delivery
) -> None:
    assert delivers(parse_instrument(name)) is gives


def test_the_delivery_price_counts_each_index_for_as_long_as_it_stood() -> None:
    future = parse_instrument("BTC-25DEC26")
    begin, end = delivery_window(future)
    assert (begin.hour, begin.minute, end.hour, end.minute) == (7, 30, 8, 0)
    at = datetime(2026, 12, 25, 7, 45, tzinfo=UTC)
    early = datetime(2026, 12, 25, 7, 0, tzinfo=UTC)
    found = delivery_price(
        future, [(at, Decimal(80_000)), (early, Decimal(78_000)), (end, Decimal(1))]
    )
    assert found == Decimal(79_000)
    with pytest.raises(Wrong, match="at or before"):
        delivery_price(future, [(at, Decimal(80_000))])
    with pytest.raises(Wrong, match="above zero"):
        delivery_price(future, [(early, Decimal(0))])
    with pytest.raises(Wrong, match="no settlement rule"):
        settlement_rule(date(2026, 1, 1), "nowhere")


def test_hashprice_settles_every_day_in_dollars_or_coin() -> None:
    sold = HashpriceForward(
        first=date(2026, 9, 1), last=date(2026, 9, 30), phs=Decimal(100), fixed=Decimal("36.5")
    )
    assert len(sold.days) == 30
    assert sold.settle(date(2026, 9, 3), Decimal("35.25")) == Decimal("125.00")
    assert sold.settle(date(2026, 9, 3), Decimal(40)) == Decimal("-350.0")
    coin = HashpriceForward(
        first=date(2026, 9, 1),
        last=date(2026, 9, 1),
        phs=Decimal(-10),
        fixed=Decimal("0.00045"),
        in_coin=True,
    )
    assert coin.settle(date(2026, 9, 1), Decimal("0.00046")) == Decimal("0.00010")
    with pytest.raises(Wrong):
        sold.settle(date(2026, 10, 1), Decimal(1))
    with pytest.raises(Wrong):
        sold.settle(date(2026, 9, 1), Decimal("NaN"))


def test_difficulty_settles_on_the_mean_of_all_blocks() -> None:
    swap = DifficultySwap(
        first=date(2026, 9, 1),
        last=date(2026, 9, 30),
        fixed_t=Decimal(135),
        usd_per_t=Decimal(1_000),
    )
    blocks = {Decimal(133) * 10**12: 1_000, Decimal(140) * 10**12: 3_000}
    assert swap.settle(blocks) == Decimal(3_250)
    with pytest.raises(Wrong):
        swap.settle({})


def test_a_perpetual_gains_in_coins_and_pays_funding() -> None:
    short = Perpetual(coin="BTC", amount_usd=Decimal(-100_000), entry=Decimal(80_000))
    assert short.gain_coins(Decimal(100_000)) == Decimal("-0.25")
    assert short.gain_coins(Decimal(80_000)) == 0
    assert short.funding_coins(Decimal("0.0001"), Decimal(24), Decimal(80_000)) == Decimal(
        "0.000375"
    ), "a short receives"
    with pytest.raises(Wrong):
        short.gain_coins(Decimal(0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: HashpriceForward(
            first=date(2026, 9, 2), last=date(2026, 9, 1), phs=Decimal(1), fixed=Decimal(1)
        ),
        lambda: HashpriceForward(
            first=date(2026, 9, 1), last=date(2026, 9, 1), phs=Decimal(0), fixed=Decimal(1)
        ),
        lambda: HashpriceForward(
            first=date(2026, 9, 1), last=date(2026, 9, 1), phs=Decimal(1), fixed=Decimal("NaN")
        ),
        lambda: DifficultySwap(
            first=date(2026, 9, 1), last=date(2026, 9, 2), fixed_t=Decimal(-1), usd_per_t=Decimal(1)
        ),
        lambda: DifficultySwap(
            first=date(2026, 9, 1), last=date(2026, 9, 2), fixed_t=Decimal(1), usd_per_t=Decimal(0)
        ),
        lambda: Perpetual(coin="BTC", amount_usd=Decimal(1), entry=Decimal(0)),
    ],
)
def test_impossible_terms_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(Wrong):
        make()
