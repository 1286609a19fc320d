import csv
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.feed import market_from_text
from headframe.market import Flaw, OptionQuote, Snapshot, findings, sample_market
from headframe.numerics import quantile
from headframe.pricing import (
    Mixture,
    Smile,
    Surface,
    arbitrage,
    black76,
    black76_greeks,
    fit_of,
    forward_curve,
    inverse_greeks,
    listed_strikes,
    parity_forward,
    surface_of,
    tradable,
    zero_cost_call,
    zero_cost_pair,
    zero_cost_strike,
)
from headframe.units import Wrong, instant, parse_expiry, year_fraction

MARKET = sample_market()
SURFACE = surface_of(MARKET)
DECEMBER = parse_expiry("25-DEC-26")


def chains(real_data: Path) -> list[Snapshot]:
    folder = real_data / "deribit_chains"
    return [
        market_from_text(path.read_text(), name=path.name, as_of=None)
        for path in sorted(folder.glob("*.csv"))
    ]


def test_the_typed_figures_come_back_where_they_were_typed() -> None:
    for row in MARKET.typed:
        smile = next(s for s in SURFACE.smiles if s.expiry == row.expiry)
        for delta, vol in row.vols:
            found = (
                SURFACE.vol_at(smile.years, 0.0)
                if delta is None
                else SURFACE.vol_at_delta(smile.years, delta)
            )
            assert found == pytest.approx(vol, abs=5e-5)
    december = next(s for s in SURFACE.smiles if s.expiry == DECEMBER)
    assert SURFACE.forward(december.years) == pytest.approx(78_343.0, rel=1e-9)
    assert SURFACE.forward(0.0) == 77_054.0


@given(st.floats(-1.5, 1.5), st.floats(0.2, 2.5))
def test_a_mixture_is_its_log_normals_and_scales_in_convex_order(k: Any, a: Any) -> None:
    mixture = SURFACE.smiles[3].mixture
    strike = math.exp(k)
    sign = 1.0 if strike >= 1.0 else -1.0
    plain = sum(
        w * black76(sign, m, strike, s, 1.0, 1.0)
        for w, m, s in zip(mixture.weights, mixture.means, mixture.deviations, strict=True)
    )
    assert mixture.otm(strike) == pytest.approx(plain, rel=1e-12)
    assert mixture.scaled(a * 1.05).otm(strike) >= mixture.scaled(a).otm(strike) - 1e-16
    mean = sum(
        w * m for w, m in zip(mixture.scaled(a).weights, mixture.scaled(a).means, strict=True)
    )
    assert mean == pytest.approx(1.0, abs=1e-14)


def two(early: Any, late: Any) -> Any:
    """A surface of two flat smiles of these deviations, half a year and a year away."""
    smiles = tuple(
        Smile(expiry=DECEMBER, forward=100.0, years=years, mixture=Mixture((1.0,), (1.0,), (s,)))
        for years, s in ((0.5, early), (1.0, late))
    )
    return Surface(as_of=MARKET.as_of, spot=100.0, smiles=smiles, rivals=((), (0,)))


def test_a_later_expiry_is_never_worth_less() -> None:
    fallen = two(0.30, 0.25)
    assert fallen.value(1.0, 1.0, 110.0) == pytest.approx(fallen.value(1.0, 0.5, 110.0))
    assert fallen.vol(1.0, 110.0) == pytest.approx(0.30, abs=1e-9)
    assert arbitrage(fallen, strikes=101).calendar == 0
    naive = Surface(as_of=fallen.as_of, spot=100.0, smiles=fallen.smiles, rivals=((), ()))
    assert arbitrage(naive, strikes=101).calendar > 0, "the check sees what the rivals prevent"


def test_variance_at_the_money_is_linear_between_expiries() -> None:
    surface = two(0.20, 0.30)
    middle = surface.vol_at(0.75, 0.0) ** 2 * 0.75
    assert middle == pytest.approx(0.5 * (0.04 + 0.09), rel=2e-3)
    assert surface.vol(0.25, 100.0) == pytest.approx(0.20 / math.sqrt(0.5), rel=1e-9)


def test_beyond_the_last_expiry_volatility_holds_level_and_is_labelled() -> None:
    last = SURFACE.smiles[-1]
    later = SURFACE.forward(2.0)
    assert SURFACE.vol(2.0, later) == pytest.approx(SURFACE.vol_at(last.years, 0.0), rel=2e-2)
    assert later > last.forward
    assert SURFACE.extrapolated(2.0)
    assert not SURFACE.extrapolated(last.years)


def test_moving_the_spot_keeps_moneyness() -> None:
    moved = SURFACE.at_spot(SURFACE.spot * 1.5, SURFACE.as_of)
    assert moved.forward(0.5) == pytest.approx(SURFACE.forward(0.5) * 1.5)
    assert moved.vol(0.5, 90_000.0) == pytest.approx(SURFACE.vol(0.5, 60_000.0))


def test_volatility_at_a_delta_has_that_delta() -> None:
    for delta in (0.05, 0.25, 0.5, 0.9):
        vol = SURFACE.vol_at_delta(0.4, delta)
        s = vol * math.sqrt(0.4)
        k = 0.5 * s * s - quantile(delta) * s
        assert SURFACE.vol_at(0.4, k) == pytest.approx(vol, rel=1e-7)
    with pytest.raises(Wrong):
        SURFACE.vol_at_delta(0.4, 1.0)


def test_the_six_real_chains_are_met_inside_bid_and_ask_without_arbitrage(real_data: Path) -> None:
    inside = quotes = 0
    markets = chains(real_data)
    assert len(markets) == 6
    for market in markets:
        surface = surface_of(market)
        assert len(surface.smiles) == len(market.forwards)
        fit = fit_of(surface, market)
        assert fit.share >= 0.99
        inside, quotes = inside + fit.inside, quotes + fit.quotes
        found = arbitrage(surface, strikes=121, times=3)
        assert (found.butterfly, found.calendar) == (0, 0), market.source
        for point, smile in zip(forward_curve(market), surface.smiles, strict=True):
            assert point.inside
            assert point.bid is not None
            assert point.ask is not None
            assert point.bid <= smile.forward <= point.ask
        assert not [
            f
            for f in findings(market, at=market.as_of, age_max=timedelta(minutes=1))
            if f.flaw is Flaw.STALE
        ]
    assert quotes > 2_400
    assert inside / quotes >= 0.995


def test_the_files_own_deltas_pick_quotes_that_are_met_as_well(real_data: Path) -> None:
    """Counted apart from the surface: the file's delta, its two sides, our price."""
    inside = count = 0
    for path in sorted((real_data / "deribit_chains").glob("*.csv")):
        surface = surface_of(market_from_text(path.read_text(), name=path.name, as_of=None))
        smiles = {smile.expiry: smile for smile in surface.smiles}
        with path.open() as file:
            for row in csv.DictReader(file):
                smile = smiles.get(instant(row["expiry_datetime"].replace("+00:00", "Z")))
                sides = row["bid_price"] and row["ask_price"]
                if not smile or not sides or not 0.1 <= abs(float(row["delta"])) <= 0.9:
                    continue
                sign = 1.0 if row["option_type"] == "call" else -1.0
                value = surface.value(sign, smile.years, float(row["strike"])) / smile.forward
                count += 1
                low, high = float(row["bid_price"]) - 1e-9, float(row["ask_price"]) + 1e-9
                inside += low <= value <= high
    assert count == 2_521
    assert inside / count >= 0.999


def test_marks_come_back_from_their_own_volatilities_where_the_forward_is_of_their_instant(
    real_data: Path,
) -> None:
    """One tick of 0.0001 coins. A row is of one instant with its forward where the marks of its
    strike's call and put imply that forward, to half a tick: c - p = 1 - K/F."""
    seen: dict[str, tuple[int, int, int]] = {}
    for path in sorted((real_data / "deribit_chains").glob("*.csv")):
        with path.open() as file:
            rows = list(csv.DictReader(file))
        marks = {
            (r["expiry_datetime"], r["strike"], r["option_type"]): float(r["mark_price"])
            for r in rows
        }
        met = together = without = 0
        for row in rows:
            if not row["futures_price"]:
                without += 1
                continue
            at = instant(row["timestamp"].replace("+00:00", "Z"))
            years = year_fraction(at, instant(row["expiry_datetime"].replace("+00:00", "Z")))
            sign = 1.0 if row["option_type"] == "call" else -1.0
            forward, strike = float(row["futures_price"]), float(row["strike"])
            vol = float(row["implied_volatility"])
            value = black76(sign, forward, strike, vol, years, 1.0) / forward
            near = abs(value - float(row["mark_price"])) <= 1e-4
            met += near
            where = row["expiry_datetime"], row["strike"]
            gap = marks[*where, "call"] - marks[*where, "put"] - (1.0 - strike / forward)
            if abs(gap) <= 5e-5:
                together += 1
                assert near, row["instrument_name"]
        seen[path.name[10:18]] = (met, together, without)
    assert seen == {
        "20251230": (630, 615, 0),
        "20260114": (656, 656, 0),
        "20260206": (765, 398, 0),
        "20260327": (972, 972, 0),
        "20260626": (727, 620, 210),
        "20260822": (1_035, 994, 0),
    }


def test_a_missing_forward_comes_from_put_call_parity(real_data: Path) -> None:
    text = (real_data / "deribit_chains" / "btc_chain_20260626T222121Z.csv").read_text()
    market = market_from_text(text, name="june", as_of=None)
    full = market.forwards[-2]
    quotes = tuple(q for q in market.options if q.expiry == full.expiry)
    assert parity_forward(quotes, market.index) == pytest.approx(full.price, rel=2e-3)
    assert parity_forward((), market.index) is None


def test_a_collar_is_solved_on_tradable_prices_and_snapped() -> None:
    pair = zero_cost_call(MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER)
    assert pair is not None
    assert pair.residual <= 0.0
    assert pair.call_strike % 1_000 == 0
    assert pair.call_strike <= pair.exact_call_strike < pair.call_strike + 1_000
    above = tradable(
        MARKET, SURFACE, is_call=True, strike=pair.call_strike + 1_000, expiry=DECEMBER
    )
    assert above is not None
    assert above.bid < pair.put_ask
    paying = zero_cost_call(MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER, debit_max=0.01)
    assert paying is not None
    assert paying.call_strike > pair.call_strike


def test_a_real_chain_trades_only_on_its_two_sided_quotes(real_data: Path) -> None:
    text = (real_data / "deribit_chains" / "btc_chain_20260822T153351Z.csv").read_text()
    market = market_from_text(text, name="august", as_of=None)
    surface = surface_of(market)
    expiry = parse_expiry("25-JUN-27")
    pair = zero_cost_call(market, surface, put_strike=70_000.0, expiry=expiry)
    assert pair is not None
    quoted = {(q.strike, q.is_call): q for q in market.options if q.expiry == expiry}
    assert pair.put_ask == quoted[70_000.0, False].ask
    assert pair.call_bid == quoted[pair.call_strike, True].bid
    assert zero_cost_call(market, surface, put_strike=70_500.0, expiry=expiry) is None


def test_the_zero_cost_strike_is_worth_its_put() -> None:
    strike = zero_cost_strike(
        forward=40_000, put_strike=35_000, put_vol=0.6, call_vol=0.6, years=0.25
    )
    assert 47_000 < strike < 47_100
    with pytest.raises(Wrong):
        zero_cost_strike(forward=0, put_strike=1, put_vol=1, call_vol=1, years=1)


def test_listed_strikes_widen_away_from_the_money() -> None:
    strikes = listed_strikes(MARKET, DECEMBER, 78_343.0)
    steps = np.diff(strikes)
    near = [s for k, s in zip(strikes, steps, strict=False) if abs(k / 78_343.0 - 1) < 0.14]
    assert set(near) == {1000.0}
    assert steps.max() == 5000.0
    assert (steps > 0).all()


def test_findings_name_what_is_wrong() -> None:
    def quote(bid: Any, ask: Any, strike: Any = 70_000.0) -> Any:
        return OptionQuote(
            expiry=DECEMBER,
            strike=strike,
            is_call=False,
            bid=bid,
            ask=ask,
            mark=None,
            vol=0.4,
            open_interest=1.0,
        )

    chain = type(MARKET)(
        as_of=MARKET.as_of,
        coin="BTC",
        index=77_000.0,
        source="made",
        forwards=MARKET.forwards,
        options=(quote(0.2, 0.1), quote(None, 0.1, 71_000.0), quote(None, None, 72_000.0)),
    )
    late = findings(chain, at=MARKET.as_of + timedelta(hours=2), age_max=timedelta(hours=1))
    assert [f.flaw for f in late if f.flaw is not Flaw.MISSING] == [
        Flaw.STALE,
        Flaw.CROSSED,
        Flaw.ONE_SIDED,
    ]
    early = findings(chain, at=MARKET.as_of - timedelta(hours=2), age_max=timedelta(hours=1))
    assert early[0].flaw is Flaw.FUTURE_DATED


def test_a_market_without_volatility_is_refused() -> None:
    bare = type(MARKET)(
        as_of=MARKET.as_of, coin="BTC", index=1.0, source="x", forwards=MARKET.forwards
    )
    with pytest.raises(Wrong):
        surface_of(bare)
    with pytest.raises(Wrong):
        Surface(as_of=MARKET.as_of, spot=1.0, smiles=(), rivals=())
    for parts in (((), (), ()), ((0.5, 0.6), (1.0, 1.0), (0.1, 0.2)), ((1.0,), (1.1,), (0.1,)), ((1.0,), (1.0,), (0.0,)), ((1.0,), (1.0,), (0.1, 0.2))):  # fmt: skip
        with pytest.raises(Wrong):
            Mixture(*parts)
    with pytest.raises(Wrong):
        Smile(expiry=DECEMBER, forward=0.0, years=1.0, mixture=Mixture((1.0,), (1.0,), (0.1,)))


def test_a_thin_expiry_falls_back_on_what_is_said_with_one_side() -> None:
    def quote(strike: Any, vol: Any, bid: Any) -> Any:
        return OptionQuote(
            expiry=DECEMBER, strike=strike, is_call=True, bid=bid, ask=None, mark=None, vol=vol,
            open_interest=None,
        )  # fmt: skip

    def market(*quotes: Any) -> Any:
        forwards = tuple(f for f in MARKET.forwards if f.expiry == DECEMBER)
        return type(MARKET)(
            as_of=MARKET.as_of, coin="BTC", index=77_000.0, source="made", forwards=forwards,
            options=quotes,
        )  # fmt: skip

    said = [quote(70_000.0 + 5_000 * i, 0.42, 0.01) for i in range(4)]
    surface = surface_of(market(*said))
    assert surface.vol(surface.smiles[0].years, 78_000.0) == pytest.approx(0.42, abs=0.02)
    with pytest.raises(Wrong):
        surface_of(market(quote(70_000.0, None, 0.01), quote(75_000.0, 0.4, None)))


def fee(premium: float) -> float:
    return min(0.0003, 0.125 * premium)


@pytest.mark.parametrize("lower", [None, 55_000.0])
def test_a_structure_at_no_cost_is_bracketed_by_listed_strikes(lower: Any) -> None:
    pair = zero_cost_pair(
        MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER, lower_strike=lower, fee=fee
    )
    assert pair is not None
    assert pair.credit is not None
    assert pair.debit is not None
    assert pair.exact_call_strike is not None
    assert pair.credit.residual <= 1e-12 < pair.debit.residual
    assert pair.credit.call_strike <= pair.exact_call_strike <= pair.debit.call_strike
    strikes = listed_strikes(MARKET, DECEMBER, 78_343.0)
    place = strikes.index(pair.credit.call_strike)
    assert strikes[place + 1] == pair.debit.call_strike, "neighbours"
    paid = (
        pair.put_ask + fee(pair.put_ask) - pair.lower_bid + (fee(pair.lower_bid) if lower else 0.0)
    )
    brought = pair.credit.call_bid - fee(pair.credit.call_bid)
    assert pair.credit.residual == pytest.approx(paid - brought)


def test_fees_lower_the_ceiling_and_a_put_sold_raises_it() -> None:
    plain = zero_cost_pair(MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER)
    dear = zero_cost_pair(MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER, fee=fee)
    three = zero_cost_pair(
        MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER, lower_strike=60_000.0
    )
    assert plain is not None
    assert dear is not None
    assert three is not None
    assert plain.exact_call_strike is not None
    assert dear.exact_call_strike is not None
    assert three.exact_call_strike is not None
    assert dear.exact_call_strike < plain.exact_call_strike < three.exact_call_strike
    with pytest.raises(Wrong, match="below"):
        zero_cost_pair(MARKET, SURFACE, put_strike=70_000.0, expiry=DECEMBER, lower_strike=70_000.0)


def test_the_inverse_options_delta_in_coins_is_the_venues_net_transaction_delta() -> None:
    """Deribit: position delta less mark price; F times the slope of the coin value by the forward."""
    for sign, strike in ((1.0, 90_000.0), (-1.0, 70_000.0)):
        value, slope, *_ = inverse_greeks(sign, 78_000.0, strike, 0.45, 0.3, 1.0)
        _, delta, *_ = black76_greeks(sign, 78_000.0, strike, 0.45, 0.3, 1.0)
        assert 78_000.0 * slope == pytest.approx(delta - value, rel=1e-12)
