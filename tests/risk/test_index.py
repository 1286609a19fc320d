"""Contracts on an index of mining walked by the engine: difficulty moves them, path by path as their days do."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from headframe.book import Contract, ContractTerms, Designation, HeldContract, Position
from headframe.counterparty import CollateralTerms
from headframe.instrument import HashpriceForward, StructureKind
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import (
    Facing,
    Ladder,
    Outlook,
    Programme,
    hedge_in_force,
    ladder,
    marked_on,
    prepare,
    profiles,
    run,
    stand_in,
    stressed,
)
from headframe.risk.engine import Stressed
from headframe.risk.episodes import CERTAIN
from headframe.risk.hedged import no_hedge
from headframe.risk.production_swaps import index_paths
from headframe.units import Month
from mines import START, mine

MARKET = sample_market()
SURFACE = surface_of(MARKET)
AT = MARKET.as_of
FIRST, DAYS, PHS, SEED, PATHS = date(2026, 10, 1), 61, 900.0, 11, 8_192
TERMS = CollateralTerms(
    threshold_usd=1e10, minimum_transfer_usd=0.0, rounding_usd=0.0, independent_share=0.0, haircut=0.0
)  # fmt: skip
MODEL = ladder(Ladder.HESTON_JUMPS, SURFACE)
HEDGE_PLACE = 4


@pytest.fixture(scope="module")
def drawn() -> tuple[Any, Any]:
    """Coins of a PH/s a day and its price, straight from the index's own paths."""
    outlook = Outlook(
        at=AT, start=START, operation=mine(), surface=SURFACE, model=MODEL, seed=SEED, paths=PATHS
    )  # fmt: skip
    return index_paths(outlook, midnight(FIRST), DAYS)


def midnight(day: date) -> Any:
    return AT.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0, second=0)


def position(drawn: tuple[Any, Any], *, in_coin: bool) -> tuple[Position, float]:
    """900 PH/s sold for two months at the median of what they earn, and what was promised a day."""
    usual = np.median(drawn[0], axis=0)
    fixed = float(usual.mean()) if in_coin else float(np.median((drawn[0] * drawn[1]).mean(axis=1)))
    terms = ContractTerms(
        kind=StructureKind.HASHPRICE_FORWARD,
        coin="BTC",
        forward=HashpriceForward(
            first=FIRST, last=FIRST + timedelta(days=DAYS - 1), phs=Decimal(PHS),
            fixed=Decimal(repr(round(fixed, 10))), in_coin=in_coin,
        ),
    )  # fmt: skip
    parts = tuple(
        Designation(month=one, coins=Decimal(1), words="", hedge_for_accounts=True)
        for one in (Month.of(FIRST), Month.of(FIRST).plus(1))
    )
    contract = Contract(
        id="K-1", dealer="amber", at=AT, terms=terms, price=Decimal(30), designations=parts,
        spot=Decimal(77_000),
    )  # fmt: skip
    found = stand_in(
        HeldContract(contract=contract), SURFACE, AT, lambda day: float(usual[(day - FIRST).days])
    )
    assert found is not None
    return found, fixed


def walked(held: Position | None, **changed: Any) -> Programme:
    hedge = no_hedge() if held is None else hedge_in_force((held,), {"amber": TERMS}, AT)
    given: dict[str, Any] = {
        "as_of": AT, "months": 4, "operation": mine(), "start": START, "surface": SURFACE,
        "model": MODEL, "hedge": hedge, "opening": (1e6, 5e5, 10.0, 3.0),
    }  # fmt: skip
    return Programme(**(given | changed))


@pytest.mark.parametrize("in_coin", [False, True])
def test_what_it_brings_on_a_path_is_what_its_days_bring(
    drawn: tuple[Any, Any], *, in_coin: bool
) -> None:
    held, fixed = position(drawn, in_coin=in_coin)
    found = run(prepare(walked(held)), paths=PATHS, seed=SEED)[:, HEDGE_PLACE].astype(float)
    coins, prices = drawn
    days = PHS * (fixed - coins) * prices if in_coin else PHS * (fixed - coins * prices)
    brought = days.sum(axis=1)
    assert float(np.corrcoef(found, brought)[0, 1]) > (0.98 if in_coin else 0.96)
    assert found.std() == pytest.approx(brought.std(), rel=0.08)
    assert abs(found.mean() - brought.mean()) < 0.06 * brought.std()


def test_without_its_difficulty_one_in_coin_would_hardly_move(drawn: tuple[Any, Any]) -> None:
    held, fixed = position(drawn, in_coin=True)
    engine = prepare(walked(held))
    still = replace(engine, usual=np.zeros(0))
    brought = (PHS * (fixed - drawn[0]) * drawn[1]).sum(axis=1).std()
    assert run(still, paths=2_048, seed=SEED)[:, HEDGE_PLACE].std() < 0.2 * brought


def test_it_evens_out_what_the_mine_earns(drawn: tuple[Any, Any]) -> None:
    """A mine that sells all its hashrate forward is left with little of what moved it in those months."""
    bare = walked(None, opening=(1e6, 5e5, 0.0, 0.0))
    operation = bare.operation
    months = slice(-2 * 5 + 2, -2 * 5 + 4)  # cash by month without the hedge, October and November
    earned = run(prepare(bare), paths=2_048, seed=SEED).astype(float)[:, months].sum(axis=1)
    share = float(earned.std() / (PHS * drawn[0] * drawn[1]).sum(axis=1).std())
    held, _ = position(drawn, in_coin=False)
    larger = replace(
        held,
        trade=replace(
            held.trade,
            legs=tuple(
                replace(leg, amount=Decimal(repr(round(float(leg.amount) * share, 8))))
                for leg in held.trade.legs
            ),
        ),
    )
    both = run(prepare(walked(larger, operation=operation)), paths=2_048, seed=SEED).astype(float)
    hedged = both[:, -5 + 2 : -5 + 4].sum(axis=1)
    assert hedged.std() < 0.25 * earned.std()


def test_exposure_to_its_dealer_grows_with_difficulty(drawn: tuple[Any, Any]) -> None:
    """In coin, at most dates, the expected exposure is that of the days still to come on drawn paths."""
    held, fixed = position(drawn, in_coin=True)
    engine = prepare(walked(held), marked_on=marked_on)
    facing = Facing(
        name="amber", held_usd=0.0, posted_usd=0.0, default_year=0.02, falls_with_coin=0.0
    )  # fmt: skip
    (found,) = profiles(engine, (facing,), paths=PATHS, seed=SEED)
    before = [one for one in found.instants if one.days <= 42]
    shown = max(one.bare_expected for one in before)
    gains = PHS * (fixed - drawn[0]).sum(axis=1) * drawn[1][:, 0]
    assert shown == pytest.approx(np.maximum(gains, 0.0).mean(), rel=0.35)
    still = replace(engine, usual=np.zeros(0))
    (flat,) = profiles(still, (facing,), paths=PATHS, seed=SEED)
    assert max(one.bare_expected for one in flat.instants) < 0.25 * shown


def test_an_index_pays_what_a_block_brings(drawn: tuple[Any, Any]) -> None:
    """Half the reward is twice the difficulty, to whoever sold its coins by the index."""
    held, _ = position(drawn, in_coin=True)
    engine = prepare(walked(held), risks=CERTAIN)
    days = engine.calendar.days + 1
    prices, variances = np.full((1, days), SURFACE.spot), np.full((1, days), 0.16)
    plain, poorer, harder = (
        engine.courses(prices, variances, stressed=one)[0, HEDGE_PLACE]
        for one in (Stressed(), Stressed(reward=0.5), Stressed(difficulty=2.0))
    )
    promised = PHS * DAYS * np.median(drawn[0], axis=0).mean() * SURFACE.spot
    assert poorer == pytest.approx(harder, rel=1e-6)
    assert poorer - plain == pytest.approx(0.5 * promised, rel=0.1)


def test_shards_and_stresses_know_it(drawn: tuple[Any, Any]) -> None:
    held, _ = position(drawn, in_coin=True)
    made = walked(held)
    engine = prepare(made)
    whole = run(engine, paths=1_000, seed=3)
    assert (engine.shard(3, 600, 400) == whole[600:]).all()
    names = {one.name: one for one in stressed(made)}
    harder = next(one for name, one in names.items() if "difficulty" in name.lower())
    assert harder.hedge_usd > 0.0, "more difficulty, fewer coins to deliver for those promised"
