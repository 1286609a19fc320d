"""Sales and rates out of all proportion are refused with figure, bound, source and remedy."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.book import FxRate
from headframe.codec import PriceDefaults, read_flows, read_settlement_prices
from headframe.desk import flows, fx
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.lifecycle import KnownPrice, price_refusal
from headframe.units import Wrong


def sale(office: Office, usd: str, name: str = "s-1") -> Any:
    at = office.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    row = {"id": name, "kind": "sale", "at": at, "coins": "1", "usd": usd}
    return read_flows([(2, row)], "sales.csv")


@pytest.mark.parametrize("usd", ["60000000.00", "0.60", "600.00", "6000000.00"])
def test_a_sale_in_cents_or_thousands_is_refused_until_confirmed(office: Office, usd: str) -> None:
    office.user = "treasurer"
    before = office.state().head.count
    with pytest.raises(Invalid, match=r"s-1: price of the sale .*--confirm-price s-1") as refused:
        flows.take(office, sale(office, usd), "sales.csv")
    assert "by the market imported" in str(refused.value)
    assert office.state().head.count == before
    taken = flows.take(office, sale(office, usd), "sales.csv", ["s-1"])
    assert [one.id for one in taken.booked] == ["s-1"]
    told = [record.body for record in office.journal.read() if record.kind == "flows"]
    assert told[-1]["confirmed_prices"] == ["s-1"]
    assert not flows.take(office, sale(office, usd), "sales.csv", ["s-1"]).booked


def test_an_honest_sale_needs_no_confirmation_and_a_stray_one_is_refused(office: Office) -> None:
    office.user = "treasurer"
    index = office.market().index
    with pytest.raises(Invalid, match="expected the id of a sale in it"):
        flows.take(office, sale(office, f"{index:.2f}"), "sales.csv", ["s-2"])
    for number, times in enumerate((0.6, 1.0, 1.8)):
        flows.take(office, sale(office, f"{index * times:.2f}", f"ok-{number}"), "sales.csv")


@pytest.mark.parametrize(
    ("off", "factor"), [(0, 2), (30, 2), (31, 4), (180, 4), (181, 10), (730, 10), (731, 1_000)]
)
def test_the_bound_widens_with_the_age_of_what_is_known(off: int, factor: int) -> None:
    day = date(2026, 6, 1)
    known = [KnownPrice(day - timedelta(days=off), Decimal(60_000), "x")]
    for price in (Decimal(60_000) * factor, Decimal(60_000) / factor):
        assert not price_refusal(day, price, known)
    assert "of 20" in price_refusal(day, Decimal(60_001) * factor, known)
    assert price_refusal(day, Decimal(59_999) / factor, known)
    assert not price_refusal(day, Decimal(1), [])


@pytest.mark.parametrize(
    ("code", "usd"),
    [("CAD", "73"), ("CAD", "0.0073"), ("EUR", "117"), ("USDC", "100"), ("GBP", "0.6")],
)
def test_a_rate_in_cents_is_refused(office: Office, code: str, usd: str) -> None:
    office.user = "treasurer"
    with pytest.raises(Invalid, match=f"{code}: expected .* got {usd}; fix: give dollars"):
        fx.put(office, [FxRate(currency=code, usd=Decimal(usd), at=office.now())])


def test_a_coins_rate_is_held_against_the_one_kept(office: Office) -> None:
    office.user = "treasurer"
    now = office.now()
    fx.put(office, [FxRate(currency="LTC", usd=Decimal(80), at=now - timedelta(days=1))])
    with pytest.raises(Invalid, match=r"LTC: expected 40\.00 to 160\.00 USD per coin"):
        fx.put(office, [FxRate(currency="LTC", usd=Decimal(8_000), at=now)])
    fx.put(office, [FxRate(currency="LTC", usd=Decimal(90), at=now)])


@pytest.mark.parametrize(
    ("day", "seen", "words"),
    [
        ("1970-01-02", "", "date: expected 2009-01-03"),
        ("2008-12-31", "", "date: expected 2009-01-03"),
        ("2026-06-01", "2026-06-01T12:00:00Z", "observed_at: expected"),
        ("2026-06-01", "2026-05-30T12:00:00Z", "observed_at: expected"),
        ("2026-06-01", "2026-06-01T08:20:00Z", ""),
    ],
)
def test_a_close_has_a_day_with_coins_and_is_seen_by_then(day: str, seen: str, words: str) -> None:
    row = {"date": day, "instrument": "btc_usd", "price": "60000", "observed_at": seen}
    given = PriceDefaults(coin="BTC", source="bank")
    if not words:
        assert len(read_settlement_prices([(2, row)], "p.csv", given)) == 1
        return
    with pytest.raises(Wrong, match=words):
        read_settlement_prices([(2, row)], "p.csv", given)
