"""Liquidity of what is on: by hand on quotes written down here, and over the command line."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.market import ForwardQuote, OptionQuote, Snapshot, sample_market
from headframe.pricing import surface_of
from headframe.risk import leg_price, liquid
from headframe.units import parse_expiry
from risk.test_netting import position

SURFACE = surface_of(sample_market())
EXPIRY = parse_expiry("25-DEC-26")


def shot(day: int, spread: float, *, sided: bool = True) -> Snapshot:
    """A market in which one put trades at 0.05, so wide."""
    put = OptionQuote(
        expiry=EXPIRY, strike=70_000.0, is_call=False, bid=0.05 * (1 - spread / 2) if sided else None,
        ask=0.05 * (1 + spread / 2), mark=0.05, vol=0.5, open_interest=400.0, volume=25.0,
    )  # fmt: skip
    forward = ForwardQuote(expiry=EXPIRY, price=78_000.0, open_interest=9_000.0, volume=500.0)
    base = sample_market()
    return Snapshot(
        as_of=base.as_of + timedelta(days=day), coin="BTC", index=77_054.0, source="x", forwards=(forward,),
        options=(put,), spread=0.04,
    )  # fmt: skip


def held(*rows: Any) -> Any:
    return tuple(
        position(name, amount, 78_000, 10, dealer="amber", last=None) for name, amount in rows
    )


def test_a_put_against_its_own_twenty_days() -> None:
    shots = [shot(day, spread) for day, spread in ((0, 0.02), (1, 0.03), (2, 0.10), (3, 0.04))]
    rows = liquid(
        held(("BTC-25DEC26-70000-P", 20), ("BTC-25DEC26-70000-P", 5), ("BTC-25DEC26", -780_000)),
        shots, SURFACE, future_spread=0.0004, participation=0.1, depths={"BTC-25DEC26": 33.0},
    )  # fmt: skip
    by_name = {one.instrument.name: one for one in rows}
    put, future = by_name["BTC-25DEC26-70000-P"], by_name["BTC-25DEC26"]
    assert put.held == 25.0
    assert put.measured
    assert put.spread == pytest.approx(0.04)
    assert put.usual_spread == pytest.approx(0.035), "of 2, 3, 4 and 10 per cent"
    assert put.share == pytest.approx(25 / 400)
    assert put.days == pytest.approx(25 / (0.1 * 25))
    price = leg_price(put.instrument, SURFACE, shots[-1].as_of) * SURFACE.spot
    assert put.calm_usd == pytest.approx(0.5 * 0.04 * price * 25)
    assert put.stress_usd == pytest.approx(3.0 * put.calm_usd), "thrice today's is the wider"
    wide = liquid(
        held(("BTC-25DEC26-70000-P", 25)), [shot(0, 0.5), shot(1, 0.04)], SURFACE,
        future_spread=0.0004, participation=0.1, depths={},
    )[0]  # fmt: skip
    assert wide.stress_usd == pytest.approx(0.5 / 0.04 * wide.calm_usd), "the widest on record"
    assert future.held == pytest.approx(-10.0)
    assert (future.depth, future.spread, future.usual_spread) == (33.0, 0.0004, None)
    assert future.days == pytest.approx(10 / 50)


def test_what_nobody_quotes_takes_the_usual_spread_and_says_so() -> None:
    (row,) = liquid(
        held(("BTC-25DEC26-70000-P", 25)), [replace(shot(0, 0.02, sided=False))], SURFACE,
        future_spread=0.0004, participation=0.1, depths={},
    )  # fmt: skip
    assert not row.measured
    assert row.spread == pytest.approx(0.04)
    assert row.usual_spread is None
    (other,) = liquid(
        held(("BTC-25DEC26-60000-P", 25)), [shot(0, 0.02)], SURFACE,
        future_spread=0.0004, participation=0.1, depths={},
    )  # fmt: skip
    assert (other.open_interest, other.volume, other.days) == (9_000.0, None, None)


def test_the_command_looks_at_the_book_where_it_is_asked(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main(
            [*words, "--workspace", str(approved), "--as", "trader", "--json"],
            standalone_mode=False,
        )
        return status or 0, json.loads(capsys.readouterr().out)

    assert run("liquidity") == (0, {"schema": "headframe/liquidity/1", "instruments": []})
    run("rfq", "P-1")
    _, shown = run("liquidity", "--live")
    assert len(shown["instruments"]) == 2
    for one in shown["instruments"]:
        assert one["depth"] > 0
        assert one["stress_usd"] >= one["calm_usd"] > 0
    from click import UsageError

    with pytest.raises(UsageError, match="above 0"):
        run("liquidity", "--participation", "0")
