"""Contracts on a schedule: drafted under the mandate, approved by another, dealt on quotes heard.

They are dealt by telephone or chat with the dealers whose agreement covers them: what was said is typed in,
the rule awards, and the person says whom it was dealt with. Nothing is sent by us, so that nothing can be
unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from headframe.book import (
    ContractTerms,
    HeldContract,
    contract_dealt,
)
from headframe.codec import canonical, sha256, to_json
from headframe.desk import adopting, programme, users
from headframe.desk.approvals import approval, forecast_drafts
from headframe.desk.awarding import contract_rules, ladder_json
from headframe.desk.booking import funded
from headframe.desk.known import ContractRecord
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State, postings_json
from headframe.desk.valuation import value_now
from headframe.hedge import (
    ContractRated,
    Situation,
    contract_envelope,
    contract_of,
    index_of,
    rate_contract,
)
from headframe.mandate import Stage, judge
from headframe.rfq import Award, Direction, Quote, award, rank
from headframe.risk import position_value_usd
from headframe.units import Wrong

VENUE = "voice"
"""The place of clause 1.4 where contracts are dealt."""
_LIFE = timedelta(minutes=5)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a dealer said: its rate for a hashprice forward, or the premium per coin of options."""

    dealer: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRow:
    """A contract on record, and what is left of it is worth; None before it is dealt and after its end."""

    record: ContractRecord
    worth_usd: float | None


def rows(office: Office) -> tuple[ContractRow, ...]:
    """Every contract, oldest first."""
    users.allowed(office, users.Action.READ)
    state = office.state()
    worth: dict[str, float] = {}
    if state.held_contracts():
        now = value_now(office)
        worth = {
            one.trade.id: position_value_usd(one, now.surface, now.at)
            for one in now.positions
            if one.trade.id in state.contracts
        }
    return tuple(
        ContractRow(record=one, worth_usd=worth.get(one.id)) for one in state.contracts.values()
    )


def contract_named(state: State, name: str) -> ContractRecord:
    """A contract by its id, or NotFound."""
    found = state.contracts.get(name)
    if found is None:
        known = ", ".join(state.contracts) or "none"
        raise NotFound(f"no contract {name[:20]!r}; known: {known}")
    return found


def _rated(
    office: Office, person: str, terms: ContractTerms, limit: Decimal, but: str = ""
) -> tuple[Situation, ContractRated]:
    """A contract priced and judged on the market now."""
    found, version = programme.situation(office, person, venue=VENUE)
    coin = office.settings().operation.coin
    if terms.coin != coin:
        raise Invalid(f"this workspace mines {coin}, the contract is on {terms.coin[:10]}")
    again = _repeated(office.state(), terms, found, but)
    try:
        on, index = office.state().held_contracts(), index_of(version.forecast)
        made = rate_contract(found, terms, limit, index, on=on, repeated=again)
    except Wrong as error:
        raise Invalid(str(error)) from error
    return found, made


def _repeated(state: State, terms: ContractTerms, found: Situation, but: str) -> bool:
    """Whether the same kind on the same days was dealt just now."""
    window = timedelta(minutes=found.mandate.rfq.repeat_minutes)
    return any(
        one.id != but
        and one.held is not None
        and (one.envelope.terms.kind, one.envelope.terms.days) == (terms.kind, terms.days)
        and found.at - one.held.contract.at < window
        for one in state.contracts.values()
    )


@serialised
def draft(office: Office, terms: ContractTerms, limit: Decimal) -> ContractRecord:
    """Draft a contract with the worst price it may be dealt at; Declined where the mandate refuses it."""
    person = users.allowed(office, users.Action.PREPARE)
    found, made = _rated(office, person, terms, limit)
    state = office.state()
    name = f"K-{len(state.contracts) + 1}"
    verdict = judge(found.mandate, made.placement.facts, Stage.PROPOSE)
    if not verdict.allowed:
        left = "".join(f"; {why}" for why in made.placement.left_out)
        raise Declined("; ".join(str(one) for one in verdict.breaches if one.blocks) + left)
    envelope = contract_envelope(found, name, made.priced)
    record = ContractRecord(
        id=name,
        at=found.at,
        preparer=person,
        envelope=envelope,
        envelope_sha256=sha256(canonical(to_json(envelope))),
        mandate_sha256=state.mandate_sha256,
        forecast_id=found.forecast_id,
        fair=made.priced.fair,
        shares=made.priced.shares,
        facts=made.placement.facts,
        panel=made.placement.panel,
        left_out=made.placement.left_out,
    )
    keep(office, "contract_drafted", record, found.at)
    return record


def keep(office: Office, kind: str, record: ContractRecord, at: datetime) -> None:
    """Write a step of a contract that moves no money."""
    office.record(Draft(kind, {"contract": to_json(record)}), at=at)


def _draft_of(state: State, name: str) -> ContractRecord:
    """A contract that is not dealt or declined, under the mandate and the forecast in force."""
    record = contract_named(state, name)
    if record.held is not None:
        raise Declined(f"{name} was dealt already")
    if record.declined_by:
        raise Declined(f"{name} was declined by {record.declined_by}")
    if record.mandate_sha256 != state.mandate_sha256:
        raise Declined(f"{name} was drafted under another mandate (M-1.1); draft it again")
    if record.forecast_id != state.forecast_in_force:
        raise Declined(
            f"{name} stands on {record.forecast_id}, and {state.forecast_in_force} is in force; "
            "draft it again"
        )
    return record


@serialised
def give(office: Office, name: str) -> ContractRecord:
    """Approve a draft: another person than who prepared it."""
    person = users.allowed(office, users.Action.APPROVE)
    state = office.state()
    record = _draft_of(state, name)
    if record.approval is not None:
        raise Declined(f"{name} is approved already by {record.approval.approver}")
    given = approval(
        office, name, record.facts, record.envelope, preparer=record.preparer, person=person
    )
    made = replace(record, approval=given)
    stands_on = forecast_drafts(state, name, record.forecast_id, person)
    body = {"contract": to_json(made)}
    office.record(*stands_on, Draft("contract_approved", body), at=given.at)
    return made


@serialised
def decline(office: Office, name: str) -> ContractRecord:
    """Put a draft, or a close that waits, away."""
    person = users.allowed(office, users.Action.PREPARE)
    record = contract_named(office.state(), name)
    if record.closing is not None and record.held is not None and not record.held.closed:
        made = replace(record, closing=None)
    elif record.held is None and not record.declined_by:
        made = replace(record, declined_by=person)
    else:
        raise Declined(f"{name} is {record.stage}: nothing of it waits")
    keep(office, "contract_declined", made, office.now())
    return made


@serialised
def deal(
    office: Office, name: str, said: Sequence[Heard], dealt: str, fee: Decimal = Decimal(0)
) -> ContractRecord:
    """Award an approved contract on quotes that were heard, and book it with the dealer it was dealt with.

    Judged once more on the market now; the award is the mandate's rule, inside the approved envelope.
    Declined, and nothing booked, where the rule awards another dealer or none.
    """
    person = adopting.require_trader(office)
    state = office.state()
    record = _draft_of(state, name)
    if state.halted is not None:
        raise Declined(f"trading is halted by {state.halted.by}: {state.halted.reason}")
    found, made = _rated(
        office, record.preparer, record.envelope.terms, record.envelope.limit, name
    )
    _still_approved(record, found)
    verdict = judge(found.mandate, made.placement.facts, Stage.ASK)
    if not verdict.allowed:
        words = "; ".join(str(one) for one in verdict.breaches if one.blocks)
        raise Declined(f"{name}: {words}")
    if not (fee.is_finite() and 0 <= fee < 10**9):
        raise Invalid(f"a fee is 0 USD or above, was {fee}")
    quotes = _quotes(made, said, found.at)
    rules = contract_rules(made, found)
    decision = award(quotes, rules, at=found.at)
    ladder = rank(quotes, rules, at=found.at)
    if not isinstance(decision, Award):
        why = "; ".join(f"{r.quote.dealer} {r.rejection}" for r in ladder.rungs if r.rejection)
        raise Declined(f"{name} is not awarded: {decision}" + (f" ({why})" if why else ""))
    winner = decision.winner
    if winner.dealer != dealt:
        raise Declined(
            f"the rule awards {winner.dealer} at {winner.price:g}: deal with {winner.dealer}, "
            f"then say so with --dealt {winner.dealer}"
        )
    price = next(one.price for one in said if one.dealer == dealt)
    contract = contract_of(
        name, dealt, found.at, made.priced, price, Decimal(repr(found.snapshot.index)),
        fee=fee, for_accounts=found.mandate.cover.hedge_for_accounts,
    )  # fmt: skip
    after = replace(
        record, held=HeldContract(contract=contract), ladder=tuple(ladder_json(ladder)),
        shares=made.priced.shares, dealt_by=person,
    )  # fmt: skip
    entries = funded(office, state, list(contract_dealt(contract)), contract.spot)
    body = {"contract": to_json(after), "postings": postings_json(entries)}
    office.record(Draft("contract_dealt", body), at=found.at)
    return after


def _still_approved(record: ContractRecord, found: Situation) -> None:
    given, envelope = record.approval, record.envelope
    if given is None:
        raise Declined(f"{record.id} is not approved: headframe contract approve {record.id}")
    if found.at >= min(given.expires_at, envelope.valid_until):
        raise Declined(f"the approval of {record.id} is over (M-8.4); draft it again")
    spot = Decimal(repr(found.snapshot.index))
    if not envelope.spot_low <= spot <= envelope.spot_high:
        raise Declined(
            f"spot {spot:,.2f} left {envelope.spot_low:,.2f} to {envelope.spot_high:,.2f}, the range the "
            f"approval of {record.id} holds for (M-8.5); draft it again"
        )
    if sha256(canonical(to_json(envelope))) != given.envelope_sha256:
        raise Declined(f"the terms of {record.id} are not the ones approved")


def _quotes(made: ContractRated, said: Sequence[Heard], at: datetime) -> tuple[Quote, ...]:
    if len({one.dealer for one in said}) != len(said):
        raise Invalid("each dealer's last word counts once")
    sells = made.priced.terms.forward is not None
    return tuple(
        Quote(
            dealer=one.dealer,
            direction=Direction.BUY if sells else Direction.SELL,
            price=float(one.price),
            size=float(made.priced.size),
            received_at=at,
            good_until=at + _LIFE,
            all_or_none=True,
        )
        for one in said
    )
