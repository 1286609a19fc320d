"""The scenario engine on the workspace as it stands: gathered, run, reduced, hashed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Any

from headframe.book import Accounts
from headframe.codec import to_json
from headframe.desk import history, production
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.desk.programme import dealing_costs, liquidity_of
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import as_dealt, open_proposals
from headframe.mandate import Unwind
from headframe.numerics import Singles
from headframe.risk import (
    DailyPaths,
    Engine,
    Ladder,
    LiquidityAtRisk,
    PeakVariation,
    Programme,
    Spread,
    StressOutcome,
    Summary,
    brownian_at,
    daily_paths,
    hedge_in_force,
    ladder,
    liquidity_at_risk,
    opening_of,
    peak_variation,
    prepare,
    result_sha256,
    run,
    simulated_call,
    stressed,
    summary,
    walked_courses,
)
from headframe.units import BTC, USD, Wrong

Progress = Callable[[int, int], None]
Runner = Callable[[Engine, int, int, Progress | None], Singles]
"""An engine, paths, a seed and progress to results: this process, or a cluster."""
LIQUIDITY_DAYS, LIQUIDITY_CONFIDENCE = 90, 0.99
_CALL_PATHS = 20_000


class Scope(StrEnum):
    """Which hedge is walked: the trades on, those and the open proposals, or none."""

    ON = "on"
    PLAN = "plan"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for: the model, how far, how many paths of which seed, and a person's moves."""

    kind: Ladder
    months: int
    paths: int
    seed: int | None
    thread_count: int | None
    covenant_usd: float
    moves: tuple[float, ...]
    hedge: Scope = Scope.ON


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A run and what it says."""

    programme: Programme
    engine: Engine
    results: Singles
    seed: int
    sha256: str
    summary: Summary
    marks_worst_usd: float
    marks_rms_usd: float
    stresses: tuple[StressOutcome, ...]
    courses: tuple[StressOutcome, ...]
    liquidity_vol: float
    liquidity: LiquidityAtRisk
    simulated: Mapping[str, Spread]
    """Liquidity at risk at the ends of days, by the model of its definition."""
    peak: PeakVariation
    """The same of the run's own model, which has a volatility of its own."""
    notes: tuple[str, ...] = ()


def programme(office: Office, asked: Asked, *, apart: bool = False) -> Programme:
    """The workspace's mine, market, history and trades as a programme.

    ``apart``: trades with dealers whose close-out netting does not hold are sets of their own.
    """
    now = value_now(office)
    prepared = production.gather(office)
    closes = history.prices(office, prepared.settings.history, now.at)
    terms = {name: dossier.collateral for name, dossier in now.state.dossiers.items()}
    liquid = liquidity_of(now.state, now.settings)
    waiting = open_proposals(now.state.proposals.values(), now.state.trades.values())
    planned, upfront = as_dealt(waiting if asked.hedge is Scope.PLAN else ())
    positions = () if asked.hedge is Scope.NONE else now.positions
    ledger = now.state.ledger
    try:
        return Programme(
            as_of=now.at,
            months=asked.months,
            operation=prepared.case.operation,
            start=prepared.start,
            surface=now.surface,
            model=ladder(asked.kind, now.surface, [price for _, price in closes]),
            hedge=hedge_in_force(
                positions,
                terms,
                now.at,
                planned=planned,
                sets=now.settings.rule_sets,
                apart=_not_netting(now) if apart else frozenset(),
            ),
            opening=opening_of(
                liquid,
                posted_usd=float(ledger.total(Accounts.cash_posted(""), USD))
                + now.state.all_others_usd(ours=True),
                held_usd=-float(ledger.total(Accounts.cash_held(""), USD))
                + now.state.all_others_usd(ours=False),
                posted_coins=float(ledger.total(Accounts.coins_posted(""), BTC)),
            ),
            upfront_usd=upfront,
            unwind=Unwind.AT_EXPIRY
            if now.state.mandate is None
            else now.state.mandate.cover.unwind,
            dealing=dealing_costs(now.state, now.settings),
        )
    except Wrong as error:
        raise Invalid(str(error)) from error


def _not_netting(now: Valuation) -> frozenset[str]:
    return frozenset(name for name, one in now.dossiers.items() if not one.closeout_netting)


def simulate(
    office: Office, asked: Asked, *, runner: Runner | None = None, progress: Progress | None = None
) -> Simulation:
    """Run the engine and everything that is read beside it."""
    made = programme(office, asked)
    seed = office.state().seed if asked.seed is None else asked.seed
    try:
        engine = prepare(made)
        results = (
            runner(engine, asked.paths, seed, progress)
            if runner is not None
            else run(
                engine,
                paths=asked.paths,
                seed=seed,
                thread_count=asked.thread_count,
                progress=progress,
            )
        )
        worst, rms = engine.marks_error(seed)
        plain = brownian_at(made.surface, days=LIQUIDITY_DAYS)
        vol = round(sqrt(plain.v0), 6)
        return Simulation(
            programme=made,
            engine=engine,
            results=results,
            seed=seed,
            sha256=result_sha256(results),
            summary=summary(engine, results, covenant_usd=asked.covenant_usd),
            marks_worst_usd=worst,
            marks_rms_usd=rms,
            stresses=stressed(made),
            courses=walked_courses(made, asked.moves),
            liquidity_vol=vol,
            liquidity=liquidity_at_risk(
                vol=vol, days=LIQUIDITY_DAYS, confidence=LIQUIDITY_CONFIDENCE
            ),
            simulated={
                str(plain.kind): simulated_call(
                    plain, days=LIQUIDITY_DAYS, paths=_CALL_PATHS, seed=seed
                )
            },
            peak=peak_variation(made.model, days=LIQUIDITY_DAYS, paths=_CALL_PATHS, seed=seed),
            notes=production.input_notes(office),
        )
    except Wrong as error:
        raise Invalid(str(error)) from error


def daily(found: Simulation, paths: int) -> DailyPaths:
    """The first paths of a run whole, day by day."""
    return daily_paths(found.programme, found.engine, paths=paths, seed=found.seed)


def model_numbers(made: Programme) -> dict[str, Any]:
    """The model's parameters as they entered, for the record; residuals by their number."""
    return {**to_json(made.model), "residuals": len(made.model.residuals)}
