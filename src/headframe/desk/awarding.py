"""The moment of award: the mandate's rules as figures, a person at the ladder, what the record keeps."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from headframe.desk.office import Office
from headframe.desk.ports import Clock, Json
from headframe.desk.quotes import surface_in
from headframe.hedge import ContractRated, Situation
from headframe.instrument import Structure, StructureKind
from headframe.mandate import Criterion, LateQuotes
from headframe.rfq import Award, AwardRules, Direction, Ladder, NoAward, Request
from headframe.risk import (
    credit_charge_usd,
    gross_vega_usd,
    margin_charge_usd,
    structure_greeks,
)
from headframe.units import iso, year_fraction

_CALLED = {StructureKind.FORWARD, StructureKind.COSTLESS_COLLAR}
"""Hedges whose losses a dealer calls collateral for; bought puts are paid, futures margined at the venue."""


class Said(StrEnum):
    """What a person at the ladder has said since it was last shown."""

    NOTHING = "nothing"
    ACCEPT = "accept"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class View:
    """The ladder at an instant: who would win by the rule now, or why nobody would."""

    request: Request
    ladder: Ladder
    decision: Award | NoAward
    at: datetime
    ends: datetime


class Watch(Protocol):
    """A person at a live ladder."""

    def look(self, view: View) -> Said:
        """Show the ladder; what the person has said since."""
        ...

    async def pause(self, clock: Clock) -> None:
        """Return when it is time to look again."""
        ...


def rules_of(request: Request, found: Situation, *, matches: bool) -> AwardRules:
    """The mandate's rules of award with their figures for this request."""
    mandate = found.mandate
    in_usd = request.in_usd
    charges: dict[str, float] = {}
    if mandate.rfq.criterion is Criterion.BEST_ALL_IN:
        years = year_fraction(found.at, request.structure.expiry)
        vol = found.surface.vol(years, request.forward)
        for dealer in () if found.by_book else request.panel:
            charge = credit_charge_usd(
                found.dossiers[dealer],
                found.at.date(),
                mandate.counterparties.grid,
                forward=request.forward,
                vol=vol,
                years=years,
            )
            if request.structure.kind in _CALLED:
                charge += margin_charge_usd(
                    found.dossiers[dealer].collateral,
                    forward=request.forward,
                    vol=vol,
                    years=years,
                    size=float(request.size),
                    financing_rate=found.street.fees.financing_rate,
                )
            charges[dealer] = charge if in_usd else charge / found.snapshot.index
    return AwardRules(
        direction=request.direction,
        panel=request.panel,
        responses_min=min(mandate.rfq.responses_min, len(request.panel)),
        respond_by=counted_until(request, found),
        size=float(request.amount),
        reference=request.reference,
        gross=request.gross,
        distance_max=distance_of(request, found),
        limit=float(request.limit),
        charges=charges,
        venue_matches=matches,
        anonymous=not request.disclosed,
    )


def counted_until(request: Request, found: Situation) -> datetime:
    """Return until when a quote counts: the response time, or the window where the mandate says so."""
    rules = found.mandate.rfq
    if rules.late_quotes is not LateQuotes.ACCEPT:
        return request.respond_by
    window = request.opened_at + timedelta(seconds=rules.window_seconds)
    return max(window, request.respond_by)


def contract_rules(made: ContractRated, found: Situation) -> AwardRules:
    """The mandate's rules of award with their figures for a contract on a schedule, per unit of its price."""
    priced, mandate, panel = made.priced, found.mandate, made.placement.panel
    last = datetime.combine(priced.terms.days[-1], time(8), found.at.tzinfo)
    years = year_fraction(found.at, last)
    vol = found.surface.vol(years, priced.forward_usd)
    per_unit = float(priced.size) / priced.units
    if priced.terms.in_coin:
        per_unit /= found.snapshot.index
    charges: dict[str, float] = {}
    for dealer in panel if mandate.rfq.criterion is Criterion.BEST_ALL_IN else ():
        dossier = found.dossiers[dealer]
        charge = credit_charge_usd(
            dossier, found.at.date(), mandate.counterparties.grid,
            forward=priced.forward_usd, vol=vol, years=years,
        )  # fmt: skip
        if not priced.terms.kind.keeps_upside:
            charge += margin_charge_usd(
                dossier.collateral, forward=priced.forward_usd, vol=vol, years=years,
                size=float(priced.size), financing_rate=found.street.fees.financing_rate,
            )  # fmt: skip
        charges[dealer] = charge * per_unit
    sells = priced.terms.forward is not None
    return AwardRules(
        direction=Direction.SELL if sells else Direction.BUY,
        panel=panel,
        responses_min=min(mandate.rfq.responses_min, len(panel)),
        respond_by=found.at,
        size=float(priced.size),
        reference=priced.fair,
        gross=priced.gross,
        distance_max=mandate.rfq.distance_max * (priced.fair if sells else priced.forward_usd),
        limit=float(priced.limit),
        charges=charges,
        venue_matches=False,
    )


def distance_of(request: Request, found: Situation) -> float:
    """The mandate's greatest distance to mid, in the quote currency per coin: the narrower of two rules."""
    in_usd, rules = request.in_usd, found.mandate.rfq
    share = rules.distance_max * (request.forward if in_usd else 1.0)
    if rules.distance_vol_max is None:
        return share
    vega = gross_vega_usd(request.structure, found.surface, found.at)
    if vega <= 0.0:  # a forward has no volatility to be measured in
        return share
    return min(share, rules.distance_vol_max * vega / (1.0 if in_usd else found.snapshot.index))


def marks_at(office: Office, structure: Structure, at: datetime) -> Json:
    """Index, mid and greeks of a structure by the model at an instant, as the record keeps them."""
    state = office.state()
    assert state.market is not None
    surface = surface_in(state).at_spot(state.market.index, at)
    kept: Json = {"index": state.market.index}
    return kept | structure_greeks(structure, surface, at)


def marks_of(
    office: Office, request: Request, found: Situation, swept: float | None, ladder: Ladder
) -> Json:
    """What the record keeps of the moment of award: marks then and at the first quote, the rule, the book."""
    criterion = str(found.mandate.rfq.criterion)
    kept: Json = {"criterion": criterion, "sweep": swept}
    heard = [rung.quote.received_at for rung in ladder.rungs]
    if heard:
        kept["first"] = marks_at(office, request.structure, min(heard))
    return kept | marks_at(office, request.structure, office.now())


def ladder_json(ladder: Ladder) -> list[Json]:
    """The ladder as the journal keeps it: every quote, won and lost; a price that is none as text."""
    return [
        {
            "dealer": rung.quote.dealer,
            "side": str(rung.quote.direction),
            "price": repr(rung.quote.price),
            "cost": repr(rung.cost),
            "size": repr(rung.quote.size),
            "received_at": iso(rung.quote.received_at),
            "good_until": None if rung.quote.good_until is None else iso(rung.quote.good_until),
            "all_or_none": rung.quote.all_or_none,
            "rejection": None if rung.rejection is None else str(rung.rejection),
        }
        for rung in ladder.rungs
    ]
