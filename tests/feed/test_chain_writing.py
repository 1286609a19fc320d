"""A chain that we write is the chain that we read: every figure, and the demo's listed chain."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.cli.demo_chains import listed_chain
from headframe.feed import read_chain_csv, write_chain_csv
from headframe.market import ForwardQuote, OptionQuote, Snapshot, sample_market
from headframe.pricing import forward_curve, surface_of
from headframe.units import parse_expiry, year_fraction

AT = datetime(2026, 9, 30, 18, tzinfo=UTC)
PRICES = st.none() | st.floats(0.0001, 5.0)


@st.composite
def chains(draw: st.DrawFn) -> Snapshot:
    """Chains of two expiries, of any coin settled in itself, with figures missing here and there."""
    expiries = [parse_expiry("30-OCT-26"), parse_expiry("25-DEC-26")]
    strikes = draw(st.lists(st.integers(1, 999_999), min_size=1, max_size=4, unique=True))
    options = tuple(
        OptionQuote(
            expiry=expiry,
            strike=strike / 4,
            is_call=is_call,
            bid=draw(PRICES),
            ask=draw(PRICES),
            mark=draw(PRICES),
            vol=draw(st.none() | st.floats(0.01, 4.0)),
            open_interest=draw(st.none() | st.integers(0, 10_000).map(float)),
        )
        for expiry in expiries
        for strike in strikes
        for is_call in (True, False)
    )
    return Snapshot(
        as_of=AT,
        coin=draw(st.sampled_from(["BTC", "ETH", "LTC"])),
        index=draw(st.floats(1.0, 1e6)),
        source="test",
        forwards=tuple(
            ForwardQuote(expiry=one, price=draw(st.floats(1.0, 1e6)), open_interest=None)
            for one in expiries
        ),
        options=options,
    )


@given(chains())
def test_a_written_chain_reads_as_itself(chain: Snapshot) -> None:
    read = read_chain_csv(write_chain_csv(chain), name="test")
    assert (read.as_of, read.coin, read.index) == (chain.as_of, chain.coin, chain.index)
    assert read.options == chain.options
    assert [(one.expiry, one.price) for one in read.forwards] == [
        (one.expiry, one.price) for one in chain.forwards
    ]


def test_the_demos_chain_is_a_market_one_could_import() -> None:
    surface = surface_of(sample_market())
    chain = listed_chain(surface, spot=52_000.0, as_of=AT, source="test")
    read = read_chain_csv(write_chain_csv(chain), name="chain.csv")
    fitted = surface_of(read)
    for smile in fitted.smiles:
        years = year_fraction(AT, smile.expiry)
        assert smile.forward == pytest.approx(
            surface.at_spot(52_000.0, AT).forward(years), rel=2e-3
        )
        for moneyness in (-0.1, 0.0, 0.1):
            wanted = surface.vol_at(years, moneyness)
            assert fitted.vol_at(years, moneyness) == pytest.approx(wanted, abs=0.01)
    assert all(point.inside in {True, None} for point in forward_curve(read))
    assert all(one.bid is None or one.bid < one.ask for one in read.options if one.ask is not None)
