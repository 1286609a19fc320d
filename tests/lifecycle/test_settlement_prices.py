"""What a close needs of settlement and delivery prices, and which record decides."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from headframe.lifecycle import (
    ClosePrices,
    PriceKind,
    PriceRecords,
    SettlementPrice,
    close_at,
    closes_after,
    last_close,
    prices_for,
)
from headframe.units import Wrong
from tests_support import COLLAR, FUTURE

DAY = date(2026, 12, 25)


def price(
    figure: Any,
    *,
    kind: Any = "delivery",
    instrument: Any = "btc_usd",
    day: Any = DAY,
    source: Any = "deribit",
) -> Any:
    return SettlementPrice(
        day=day,
        instrument=instrument,
        kind=PriceKind(kind),
        price=Decimal(str(figure)),
        source=source,
    )


def prices(day: Any, positions: Any, *records: Any, fixings: Any = None) -> Any:
    return prices_for(day, positions, PriceRecords(records, "BTC"), fixings or {})


@pytest.mark.parametrize(
    ("at", "next_day", "last_day"),
    [
        ("2026-03-27T07:59:59", "2026-03-27", "2026-03-26"),
        ("2026-03-27T08:00:00", "2026-03-28", "2026-03-27"),
        ("2026-03-29T01:30:00", "2026-03-29", "2026-03-28"),
    ],
)
def test_a_close_is_at_eight_utc(at: Any, next_day: Any, last_day: Any) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert closes_after(instant) == date.fromisoformat(next_day)
    assert last_close(instant) == date.fromisoformat(last_day)
    assert close_at(closes_after(instant)) > instant >= close_at(last_close(instant))


def test_an_option_needs_no_price_but_the_index_before_its_expiry_and_its_delivery_on_it() -> None:
    before = prices(date(2026, 12, 24), (COLLAR,), price(77_000, day=date(2026, 12, 24)))
    assert isinstance(before, ClosePrices)
    assert before.deliveries == {}
    on = prices(DAY, (COLLAR,), price(60_000))
    assert on.delivery("T-1", COLLAR.trade.legs[0].instrument) == 60_000
    (missing, index) = prices(DAY, (COLLAR,))
    assert (missing.kind, missing.needed_for) == (PriceKind.DELIVERY, ("T-1",))
    assert index.kind is PriceKind.INDEX
    assert "2026-12-25" in str(missing)
    assert "T-1" in str(missing)


def test_a_future_needs_its_own_settlement_price_each_day_and_the_delivery_on_its_last() -> None:
    day = date(2026, 11, 3)
    (missing,) = prices(day, (FUTURE,), price(77_000, day=day))
    assert str(missing) == "2026-11-03: settlement price of BTC-25DEC26 for T-1"
    own = price(78_500, kind="settlement", instrument="BTC-25DEC26", day=day)
    found = prices(day, (FUTURE,), price(77_000, day=day), own)
    assert found.future(FUTURE.trade.legs[0].instrument) == 78_500
    assert (
        prices(DAY, (FUTURE,), price(60_000)).delivery("T-1", FUTURE.trade.legs[0].instrument)
        == 60_000
    )


def test_the_venues_own_record_decides_unless_a_confirmation_names_another_source() -> None:
    told = (price(60_000), price(60_100, source="a broker"), price(60_200, source="cme-brr"))
    leg = COLLAR.trade.legs[0].instrument
    assert prices(DAY, (COLLAR,), *told).delivery("T-1", leg) == 60_000
    assert prices(DAY, (COLLAR,), *told, fixings={"T-1": "cme-brr"}).delivery("T-1", leg) == 60_200
    (missing,) = prices(DAY, (COLLAR,), *told, fixings={"T-1": "another"})
    assert "from another" in str(missing)
    assert prices(DAY, (COLLAR,), *told[1:]).delivery("T-1", leg) == 60_200, (
        "else the last recorded"
    )


def test_a_snapshot_near_the_close_values_coins_but_delivers_nothing() -> None:
    near = price(60_000, kind="index", source="market sample")
    found = prices(DAY, (COLLAR,), near)
    assert [str(one.kind) for one in found] == ["delivery"]


def test_an_expiry_that_was_passed_over_still_takes_the_price_of_its_own_day() -> None:
    late = date(2026, 12, 28)
    found = prices(late, (COLLAR,), price(60_000), price(90_000, day=late))
    assert found.delivery("T-1", COLLAR.trade.legs[0].instrument) == 60_000
    assert found.index == 90_000


def test_a_day_without_positions_needs_nothing() -> None:
    found = prices(DAY, ())
    assert (found.index, found.futures, found.deliveries) == (None, {}, {})


@pytest.mark.parametrize("figure", ["0", "-1", "NaN", "1e9"])
def test_a_price_is_a_price(figure: Any) -> None:
    with pytest.raises(Wrong, match="price: expected"):
        price(figure)
    with pytest.raises(Wrong, match="source"):
        replace(price(1), source=" ")
