import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.feed import market_from_text
from headframe.market import Flaw, OptionQuote, findings, sample_market
from headframe.pricing import (
    Smile,
    Surface,
    listed_strikes,
    parity_forward,
    surface_of,
    tradable,
    zero_cost_call,
    zero_cost_strike,
)
from headframe.pricing.smile import without_calendar_arbitrage
from headframe.units import Wrong, parse_expiry

MARKET = sample_market()
SURFACE = surface_of(MARKET)[0]
DECEMBER = parse_expiry("25-DEC-26")


def smile(years: Any, nodes: Any, forward: Any = 100.0) -> Any:
    ks, ws = zip(*nodes, strict=True)
    return Smile(expiry=DECEMBER, forward=forward, years=years, moneyness=ks, variance=ws)


def test_the_typed_figures_come_back_where_they_were_typed() -> None:
    december = next(s for s in SURFACE.smiles if s.expiry == DECEMBER)
    assert december.vol(december.forward) == pytest.approx(0.415, abs=1e-12)
    assert december.vol(december.forward * math.exp(december.moneyness[0])) == pytest.approx(0.488)
    assert SURFACE.forward(december.years) == pytest.approx(78_343.0)
    assert SURFACE.forward(0.0) == 77_054.0


@given(st.floats(min_value=-1.0, max_value=1.0))
def test_between_nodes_variance_stays_between_its_neighbours(k: Any) -> None:
    one = smile(1.0, [(-0.5, 0.30), (-0.1, 0.17), (0.0, 0.16), (0.2, 0.18), (0.6, 0.40)])
    left = max(
        (n for n in zip(one.moneyness, one.variance, strict=True) if n[0] <= k), default=None
    )
    right = min(
        (n for n in zip(one.moneyness, one.variance, strict=True) if n[0] >= k), default=None
    )
    edges = [node[1] for node in (left, right) if node is not None]
    assert min(edges) - 1e-12 <= one.total_variance(k) <= max(edges) + 1e-12


def test_calendar_arbitrage_is_mended_at_the_nodes_and_counted() -> None:
    early = smile(0.5, [(-0.2, 0.10), (0.0, 0.08), (0.2, 0.09)])
    late = smile(1.0, [(-0.3, 0.09), (0.0, 0.07), (0.3, 0.20)])
    mended, count = without_calendar_arbitrage((early, late))
    assert count > 0
    for k in (-0.3, -0.2, 0.0, 0.2, 0.3):
        assert mended[1].total_variance(k) >= mended[0].total_variance(k) - 1e-12
    assert without_calendar_arbitrage(mended) == (mended, 0)


def test_beyond_the_last_expiry_volatility_holds_level() -> None:
    last = SURFACE.smiles[-1]
    later = SURFACE.forward(2.0)
    assert SURFACE.vol(2.0, later) == pytest.approx(last.vol(last.forward))
    assert later > last.forward


def test_moving_the_spot_keeps_moneyness() -> None:
    moved = SURFACE.at_spot(SURFACE.spot * 1.5, SURFACE.as_of)
    assert moved.forward(0.5) == pytest.approx(SURFACE.forward(0.5) * 1.5)
    assert moved.vol(0.5, 90_000.0) == pytest.approx(SURFACE.vol(0.5, 60_000.0))


def test_the_six_real_chains_make_surfaces_without_calendar_arbitrage(real_data: Path) -> None:
    for path in sorted((real_data / "deribit_chains").glob("*.csv")):
        market = market_from_text(path.read_text(), name=path.name, as_of=None)
        surface, _ = surface_of(market)
        assert len(surface.smiles) >= 8
        for early, late in zip(surface.smiles, surface.smiles[1:], strict=False):
            for k in late.moneyness:
                if early.moneyness[0] <= k <= early.moneyness[-1]:
                    assert late.total_variance(k) >= early.total_variance(k) - 1e-9
        for quote in market.forwards:
            assert abs(quote.price / market.index - 1) < 0.12
        assert not [
            f
            for f in findings(market, at=market.as_of, age_max=timedelta(minutes=1))
            if f.flaw is Flaw.STALE
        ]


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
    surface = surface_of(market)[0]
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
        Surface(as_of=MARKET.as_of, spot=1.0, smiles=())
    for nodes in ([(0.0, 0.1), (0.0, 0.2)], [(0.0, -0.1)]):
        with pytest.raises(Wrong):
            smile(1.0, nodes)
