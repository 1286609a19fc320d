"""Drafting a proposal: the envelope put to the approver, and the table of what was considered."""

from datetime import timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from headframe.hedge.candidates import Candidate
from headframe.hedge.proposal import Alternative, Proposal
from headframe.hedge.rating import Rated
from headframe.hedge.situation import Situation
from headframe.instrument import Kind, StructureKind
from headframe.rfq import Envelope
from headframe.units import expiry_label

_CENT = Decimal("0.01")


def proposal_of(
    found: Situation,
    rated: tuple[Rated, ...],
    chosen: Rated,
    envelope: Envelope,
    envelope_sha256: str,
) -> Proposal:
    """The proposal of a chosen hedge; the hash of its envelope is computed above and comes in."""
    one = chosen.candidate
    bucket = one.bucket
    return Proposal(
        id=envelope.proposal,
        at=found.at,
        preparer=found.preparer,
        kind=one.kind,
        structure=one.structure,
        bought=one.bought,
        size=one.size,
        amount=one.amount,
        price=one.price,
        price_currency=one.price_currency,
        mid=one.mid,
        gross=one.gross,
        forward_usd=one.forward_usd,
        expiry=bucket.expiry,
        listed=bucket.listed,
        needs=bucket.needs,
        panel=chosen.panel,
        left_out=chosen.left_out,
        alternatives=tuple(_alternative(row) for row in rated),
        facts=chosen.facts,
        verdict=chosen.verdict,
        envelope=envelope,
        envelope_sha256=envelope_sha256,
        mandate_sha256=found.mandate_sha256,
        forecast_id=found.forecast_id,
        forecast_sha256=found.forecast_sha256,
    )


def _alternative(row: Rated) -> Alternative:
    one = row.candidate
    put, call = one.structure.strike(Kind.PUT), one.structure.strike(Kind.CALL)
    return Alternative(
        kind=one.kind,
        put_strike=None if put is None else float(put),
        call_strike=None if call is None else float(call),
        price=one.price,
        price_currency=one.price_currency,
        floor_usd=one.floor_usd,
        ceiling_usd=one.ceiling_usd,
        upfront_usd=one.upfront_usd,
        residual_share=one.debit_share,
        cost_usd=row.cost_usd,
        score_usd=row.score_usd,
        tracking_error=one.basis.tracking_error,
        r2=one.basis.r2,
        initial_margin_usd=row.facts.initial_margin_usd,
        stress_call_usd=row.facts.stress_call_usd,
        source=one.source,
        verdict=row.verdict,
    )


def envelope_of(found: Situation, rated: Rated, name: str, replaces: str = "") -> Envelope:
    """The worst terms put to the approver: price a little beyond the one planned, strikes as planned."""
    one = rated.candidate
    put, call = one.structure.strike(Kind.PUT), one.structure.strike(Kind.CALL)
    room = Decimal(repr(found.mandate.rfq.distance_max * one.forward_usd))
    slack = room / 2 if one.price_currency == "USD" else room / 2 / Decimal(repr(one.forward_usd))
    tick = Decimal(1) if one.price_currency == "USD" else Decimal("0.0001")
    worst = (one.price + slack if one.bought else one.price - slack).quantize(
        tick, rounding=ROUND_HALF_EVEN
    )
    bound = worst_by_mandate(found, one)
    # a switch pays for what it closes too: its bound is the price that was judged
    worst = min(worst, max(bound, one.price) if replaces else bound)
    floor = (
        worst + Decimal(repr(one.floor_usd)) - one.price
    )  # of a calendar, what the later leg sells at
    spot = Decimal(repr(found.snapshot.index))
    void = Decimal(repr(found.mandate.people.spot_move_void))
    return Envelope(
        proposal=name,
        structure=one.kind,
        expiry=one.bucket.expiry,
        settled_in=one.structure.legs[0].instrument.settled_in,
        size=one.size,
        floor_min=put if put is not None else floor.quantize(tick),
        ceiling_min=call,
        price_worst=worst,
        valid_until=found.at + timedelta(minutes=found.mandate.people.approval_minutes),
        spot_low=(spot * (1 - void)).quantize(_CENT),
        spot_high=(spot * (1 + void)).quantize(_CENT),
        replaces=replaces,
    )


def worst_by_mandate(found: Situation, one: Candidate) -> Decimal:
    """Return the worst price the mandate's debit (M-5.4) leaves to a collar, fees in; else no bound.

    On the tick at or below it: a price within it keeps M-5.4 at the award too.
    """
    if one.kind is not StructureKind.COSTLESS_COLLAR or not one.bought:
        return Decimal("Infinity")
    tick = Decimal(1) if one.price_currency == "USD" else Decimal("0.0001")
    coins = (
        found.mandate.cash.debit_share_max * one.forward_usd - one.fee_usd
    ) / found.snapshot.index
    unit = one.forward_usd if one.price_currency == "USD" else 1.0
    return Decimal(repr(round(coins * unit, 10))).quantize(tick, rounding=ROUND_FLOOR)


def worst_debit_share(proposal: Proposal) -> float:
    """Return the debit of a proposal's collar at the worst price of its envelope, fees in, over the forward.

    From what every proposal holds, old ones too: the chosen hedge's payment as planned, and the spot in the
    middle of the envelope's range. A worse price adds its difference. The proposal's own figure where it has
    no bound (no collar, a close, a switch).
    """
    planned = proposal.facts.debit_share
    other = proposal.closes or proposal.replaces or not proposal.bought
    if proposal.kind is not StructureKind.COSTLESS_COLLAR or other:
        return planned
    upfront = next((r.upfront_usd for r in proposal.alternatives if r.kind is proposal.kind), None)
    if upfront is None:
        upfront = planned * proposal.forward_usd
    envelope = proposal.envelope
    spot = float(envelope.spot_low + envelope.spot_high) / 2.0
    unit = spot / proposal.forward_usd if proposal.price_currency == "USD" else spot
    worst = upfront + float(envelope.price_worst - proposal.price) * unit
    return max(worst / proposal.forward_usd, planned)


def describe(proposal: Proposal) -> str:
    """A proposal in one line; a close reads as a close."""
    if proposal.closes:
        side = "bought back" if proposal.bought else "sold"
        kind = str(proposal.kind).replace("_", " ")
        return f"close {proposal.size} coins of {proposal.closes}, {kind} {side}"
    put, call = proposal.structure.strike(Kind.PUT), proposal.structure.strike(Kind.CALL)
    strikes = "/".join(f"{strike:,.0f}" for strike in (put, call) if strike is not None)
    words = str(proposal.kind).replace("_", " ")
    return f"{words} {strikes} {expiry_label(proposal.expiry)}, {proposal.size} coins".replace(
        "  ", " "
    )
