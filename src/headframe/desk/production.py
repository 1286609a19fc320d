"""The production forecast as a controlled document: prepared by one person, approved by another.

Hedging refers to an approved version. A version is frozen with its instant and the hash of all it
says; approving a proposal approves the version it stands on, unless that was done before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from headframe.codec import Settings, canonical, sha256, to_json
from headframe.desk import history, inputs, production_record, quotes, users
from headframe.desk.known import Version
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, Json, NotFound
from headframe.desk.state import State
from headframe.mining import (
    BucketForecast,
    Case,
    Forecast,
    NaturalHedge,
    PricePaths,
    Start,
    Waterfall,
    coins_of_whole_months,
    estimate,
    explained,
    fine,
    first_full_month,
    forecast,
    historical_hedges,
    lognormal_prices,
    month_edges,
    start_of,
    waterfall,
)
from headframe.units import Month, Wrong

MONTHS = 12
PATHS = 20_000
Progress = Callable[[int, int], None]
_MOST_FIGURES = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything a forecast is made from, gathered at one instant."""

    settings: Settings
    case: Case
    start: Start
    prices_on: bool
    at: datetime
    paths: int
    natural: tuple[NaturalHedge, ...]
    notes: tuple[str, ...]

    @property
    def inputs_sha256(self) -> str:
        """The hash of all inputs: the same inputs make the same forecast."""
        return sha256(canonical({"case": to_json(self.case), "paths": self.paths}))

    def prices(self) -> PricePaths | None:
        """Price paths, where anything in this mine answers to price."""
        case = self.case
        if not self.prices_on or case.price_usd is None or case.price_vol is None:
            return None
        until = month_edges(case.first, case.months)[-1]
        return lognormal_prices(
            case.price_usd,
            case.price_vol,
            at=case.price_at,
            until=until,
            paths=self.paths,
            seed=case.seed,
        )


def gather(office: Office, *, months: int = MONTHS, paths: int = PATHS) -> Prepared:
    """The inputs of a forecast as they stand: operation, history up to now, market."""
    state, settings = office.state(), office.settings()
    at = office.now()
    fees = history.fee_estimate(office.files, settings)
    operation = settings.operation
    if fees is not None:
        operation = replace(operation, fees=fees.outlook)
    chain = history.chain_for(settings)
    past = history.known(state, operation.coin, at)
    closes = history.prices(office, settings.history, at)
    try:
        model = estimate(past, chain=chain, prices=closes, default_answer=True)
    except Wrong as error:
        raise Invalid(str(error)) from error
    start = start_of(chain, past, model)
    answers = model.price is not None or any(site.curtails for site in operation.sites)
    price, vol = _price(state, answers=answers)
    case = Case(
        operation=operation,
        last=start.last,
        period=start.period,
        model=model,
        price_usd=price,
        price_vol=vol,
        price_at=at,
        first=first_full_month(at),
        months=months,
        seed=state.seed,
    )
    return Prepared(
        settings=settings,
        case=case,
        start=start,
        prices_on=answers,
        at=at,
        paths=paths,
        natural=historical_hedges(past, closes) if closes else (),
        notes=inputs.notes_of(office, settings, start, past, closes),
    )


def input_notes(office: Office) -> tuple[str, ...]:
    """Return what the inputs of a forecast leave open, or why none can be made."""
    try:
        return gather(office).notes
    except (Invalid, NotFound, Wrong) as error:
        return tuple(f"no forecast can be made: {line}" for line in str(error).split("\n"))


def _price(state: State, *, answers: bool) -> tuple[float | None, float | None]:
    """The market's price and half-year volatility, where the mine answers to price at all."""
    if not answers or state.market is None:
        return None, None
    try:
        surface = quotes.surface_in(state)
        vol = surface.vol(0.5, surface.forward(0.5))
    except Wrong:
        return state.market.index, None
    return state.market.index, vol if isfinite(vol) else None


def compute(
    prepared: Prepared, *, explain: bool = True, progress: Progress | None = None
) -> Forecast:
    """The forecast of prepared inputs."""
    case, prices = prepared.case, prepared.prices()
    try:
        made = forecast(
            case.operation,
            case.first,
            as_of=prepared.at,
            start=prepared.start,
            prices=prices,
            months=case.months,
            paths=prepared.paths,
            seed=case.seed,
            progress=progress,
            notes=prepared.notes,
        )
        if not explain:
            return made
        return explained(
            made,
            case.operation,
            start=prepared.start,
            prices=prices,
            measured=prepared.natural,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error


@serialised
def make(
    office: Office,
    *,
    months: int = MONTHS,
    paths: int = PATHS,
    progress: Progress | None = None,
) -> Version:
    """Forecast from the first full month ahead; a new version where the inputs are new."""
    person = users.allowed(office, users.Action.PREPARE)
    prepared = gather(office, months=months, paths=paths)
    state = office.state()
    held = next(
        (v for v in reversed(state.versions.values()) if v.inputs_sha256 == prepared.inputs_sha256),
        None,
    )
    if held is not None:
        return held
    body: Json = {
        "forecast": to_json(compute(prepared, progress=progress)),
        "case": to_json(prepared.case),
        "inputs_sha256": prepared.inputs_sha256,
        "source": "model",
    }
    return record_version(office, body, person, prepared.at)


def record_version(office: Office, body: Json, person: str, at: datetime) -> Version:
    """Freeze a version: its number, its preparer, its hash."""
    name = f"F-{len(office.state().versions) + 1}"
    body = {**body, "id": name, "prepared_by": person}
    body["sha256"] = sha256(canonical(body["forecast"]))
    office.record(Draft("forecast_prepared", body), at=at)
    return office.state().versions[name]


def version_of(state: State, name: str | None) -> Version:
    """A version by its id, else the last one; NotFound names those there are."""
    if name is None and state.versions:
        return next(reversed(state.versions.values()))
    found = state.versions.get(name or "")
    if found is None:
        listed = ", ".join(state.versions) or "none; run headframe forecast"
        raise NotFound(f"no forecast {(name or '')[:20]!r}; known: {listed}")
    return found


@serialised
def approve(office: Office, name: str) -> Version:
    """Approve a version: another person than its preparer, among the mandate's approvers if there is one."""
    person = users.allowed(office, users.Action.APPROVE)
    state = office.state()
    held = version_of(state, name)
    if held.approved_by is not None:
        raise Declined(f"{name} was approved by {held.approved_by} already")
    later = [v.id for v in state.versions.values() if v.approved_by and v.at > held.at]
    refusal = refused(state, held, person)
    if later and not refusal:
        refusal = f"{later[-1]} is newer and approved"
    if refusal:
        raise Declined(f"{name} is not approved: {refusal}")
    at = office.now()
    office.record(approval_draft(held), at=at)
    return office.state().versions[name]


def refused(state: State, held: Version, person: str) -> str:
    """Why a person may not approve a version; empty where he may."""
    if person == held.prepared_by:
        return f"{person} prepared it, and nobody approves his own forecast (M-8.2)"
    if state.mandate is not None and person not in state.mandate.people.approvers:
        return f"{person} is not among the mandate's approvers (M-8.2)"
    if sha256(canonical(to_json(held.forecast))) != held.sha256:
        return "its hash is not the one it was frozen with"
    return ""


def approval_draft(held: Version) -> Draft:
    """The event that approves a version, with the hash of what was approved."""
    return Draft("forecast_approved", {"id": held.id, "sha256": held.sha256})


def in_force(office: Office) -> Version:
    """The version hedging refers to: the last one approved, else the last prepared, else a new one."""
    state = office.state()
    if state.forecast_in_force is not None:
        held = state.versions[state.forecast_in_force]
        if held.approved_by is not None or _fresh(office, held):
            return held
    return make(office)


def _fresh(office: Office, held: Version) -> bool:
    if held.source != "model":
        return True
    months = len(held.forecast.months)
    return (
        gather(office, months=months, paths=held.forecast.paths).inputs_sha256 == held.inputs_sha256
    )


def outdated(office: Office, held: Version) -> bool:
    """Whether what a version was made from has changed since."""
    return not _fresh(office, held)


def current(office: Office) -> Forecast:
    """The forecast hedging refers to."""
    return in_force(office).forecast


def changes(office: Office, new: Version, old: str | None = None) -> Waterfall | None:
    """What drives the change since the last approved version before this, or since a named one."""
    state = office.state()
    if old is not None:
        before: Version | None = version_of(state, old)
    else:
        approved = [v for v in state.versions.values() if v.approved_by and v.id != new.id]
        before = approved[-1] if approved else None
    if before is None:
        return None
    if before.case is None or new.case is None:
        raise Invalid(f"{before.id} and {new.id}: an imported forecast has no drivers to compare")
    chain = history.chain_for(office.settings())
    try:
        return waterfall(chain, before.case, new.case)
    except Wrong as error:
        raise Invalid(f"{before.id} and {new.id}: {error}") from error


def by(office: Office, what: str, *, months: int, paths: int) -> tuple[BucketForecast, ...]:
    """The forecast by day or by retarget period, on no more paths than five million figures hold."""
    buckets = months * (31 if what == "day" else 3)
    paths = max(min(paths, _MOST_FIGURES // buckets), 100)
    prepared = gather(office, months=months, paths=paths)
    case = prepared.case
    try:
        return fine(
            case.operation,
            case.first,
            start=prepared.start,
            prices=prepared.prices(),
            months=months,
            paths=paths,
            seed=case.seed,
            by=what,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error


def mined_by_month(state: State, coin: str = "BTC") -> dict[Month, float]:
    """Return coins of whole months that were mined: as recorded or booked, else as a scenario mined them."""
    found = {
        month: result.mined
        for month, result in state.months.items()
        if state.last_day is not None and state.last_day >= month.last_day
    }
    found |= coins_of_whole_months(production_record.production(state, coin))
    return dict(sorted(found.items()))
