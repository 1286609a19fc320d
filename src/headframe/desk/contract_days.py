"""What becomes of contracts on a schedule: days fixed by hand, confirmations, closing before the end."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from headframe.book import (
    ContractTerms,
    Entry,
    HeldContract,
    StatedContract,
    contract_cost,
    contract_differences,
    contract_paid,
    contract_released,
    hedge_flow,
)
from headframe.codec import to_json
from headframe.desk import adopting, programme, users
from headframe.desk.booking import funded
from headframe.desk.contracts import contract_named, keep
from headframe.desk.known import ContractClose, ContractRecord
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State, postings_json
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import expected_fixing, index_of
from headframe.pricing import Surface
from headframe.risk import position_value_usd
from headframe.units import USD, Wrong, booked

_ONE = Decimal(1)
_FAR = (0.5, 2.0)
_LONGEST = 200


@serialised
def fix(
    office: Office,
    day: date,
    *,
    hashprice: Decimal | None,
    in_coin: Decimal | None,
    price: Decimal | None,
    anyway: bool = False,
) -> tuple[tuple[str, Decimal, str], ...]:
    """Fix a day of every contract it is the next day of; what each pays us, and in which currency.

    ``hashprice`` is the day's index in USD, ``in_coin`` in coins, ``price`` the coin's at 08:00 UTC. Where
    the paper clock walks it fixes by itself. Nothing is fixed where a figure that is needed is missing, or,
    unless ``anyway``, is less than half or more than twice what the forecast and the market let expect.
    """
    users.allowed(office, users.Action.PREPARE)
    state, at = office.state(), office.now()
    if state.course:
        raise Declined(f"the clock walks the {state.course} course, and fixes contracts by itself")
    due = [one for one in state.held_contracts() if day in one.days_left]
    if not due:
        raise NotFound(f"no contract is to be fixed for {day}")
    fixed: list[list[str]] = []
    entries: list[Entry] = []
    paid: list[tuple[str, Decimal, str]] = []
    earned, spot = 0.0, _spot(state)
    for before in due:
        terms, name = before.contract.terms, before.contract.id
        if before.fixes_at(day) > at:
            raise Declined(f"{day} of {name} is known at {before.fixes_at(day):%Y-%m-%d %H:%M} UTC")
        fixing = _needed(name, terms, hashprice, in_coin, price)
        if not anyway:
            _likely(state, name, terms, day, fixing)
        try:
            after, amount = before.fixed(day, fixing)
        except Wrong as error:
            raise Invalid(str(error)) from error
        entries += [
            *contract_paid(before.contract, amount, "settled"),
            *contract_released(before, after),
        ]
        fixed.append([name, day.isoformat(), format(fixing, "f")])
        paid.append((name, _rounded(amount, terms), terms.settled_in))
        earned += _earned(before, after, amount, spot)
    made = funded(office, state, entries, spot)
    body = {"fixed": fixed, "earned_usd": round(earned, 2), "postings": postings_json(made)}
    office.record(Draft("contract_fixed", body), at=at)
    return tuple(paid)


def _needed(
    name: str,
    terms: ContractTerms,
    hashprice: Decimal | None,
    in_coin: Decimal | None,
    price: Decimal | None,
) -> Decimal:
    option, found = ("--price", price)
    if terms.forward is not None:
        option, found = ("--in-coin", in_coin) if terms.in_coin else ("--hashprice", hashprice)
    if found is None:
        raise Invalid(f"{name} is fixed by {option}: say it too")
    return found


def _likely(state: State, name: str, terms: ContractTerms, day: date, fixing: Decimal) -> None:
    """Raises Declined for a figure that is far from what is expected: a digit too many costs a month."""
    assert state.forecast is not None
    expected = float(expected_fixing(terms, index_of(state.forecast), day, _spot(state)))
    if not _FAR[0] * expected <= float(fixing) <= _FAR[1] * expected:
        raise Declined(
            f"{name} of {day} at {fixing} is far from the {expected:.8g} that forecast and market let "
            "expect: if it is right, say --anyway"
        )


def _rounded(amount: Fraction, terms: ContractTerms) -> Decimal:
    step = Decimal("0.00000001") if terms.in_coin else Decimal("0.01")
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(step)


def _earned(before: HeldContract, after: HeldContract, amount: Fraction, spot: Decimal) -> float:
    """What a step brought in USD, premium and fee of its coins counted in."""
    unit = float(spot) if before.contract.terms.in_coin else 1.0
    return float(amount) * unit - float(sum(contract_cost(before, after)))


def _spot(state: State) -> Decimal:
    return Decimal(repr(state.market.index)) if state.market is not None else _ONE


@serialised
def close(office: Office, name: str, usd: Decimal) -> ContractRecord:
    """Propose to close what is left of a contract at what was agreed, in USD to us; another person approves.

    Declined where it is further from the model's worth than the mandate's distance to mid on what is left.
    """
    person = users.allowed(office, users.Action.PREPARE)
    state = office.state()
    record = contract_named(state, name)
    if record.held is None or not record.held.days_left:
        raise Declined(f"{name} is {record.stage}: there is nothing to close")
    if record.closing is not None:
        raise Declined(f"a close of {name} waits for approval already")
    if person not in office.mandate().people.preparers:
        raise Declined(f"{person} is not among the mandate's preparers (M-8.1)")
    now = _now(office)
    _near(office, record, usd, now.surface, now.at)
    made = replace(record, closing=ContractClose(usd=usd, by=person, at=office.now()))
    keep(office, "contract_closing", made, office.now())
    return made


def _now(office: Office) -> Valuation:
    """The book on a fresh market, while trading is not halted."""
    halted = office.state().halted
    if halted is not None:
        raise Declined(f"trading is halted by {halted.by}: {halted.reason}")
    programme.fresh(office)
    return value_now(office)


def _near(
    office: Office, record: ContractRecord, usd: Decimal, surface: Surface, at: datetime
) -> None:
    left = next(
        one for one in office.state().contract_positions(surface, at) if one.trade.id == record.id
    )
    worth = position_value_usd(left, surface, at)
    room = office.mandate().rfq.distance_max * float(left.coins) * surface.spot
    if not abs(float(usd) - worth) <= room:
        raise Declined(
            f"{record.id} is worth {worth:,.2f} USD: {usd:,.2f} is more than {room:,.2f} away, "
            "the mandate's distance to mid"
        )


@serialised
def approve_close(office: Office, name: str) -> ContractRecord:
    """Book a close that another person proposed, on the market now."""
    person = users.allowed(office, users.Action.APPROVE)
    adopting.require(office)
    state = office.state()
    record = contract_named(state, name)
    closing, held = record.closing, record.held
    if closing is None or held is None:
        raise Declined(f"no close of {name} waits")
    if held.closed:
        raise Declined(f"{name} is closed out already")
    if person == closing.by:
        raise Declined(f"{person} proposed to close {record.id}: somebody else approves it (M-8.3)")
    if not held.days_left:
        raise Declined(f"{record.id} has settled meanwhile: there is nothing to close")
    if person not in office.mandate().people.approvers:
        raise Declined(f"{person} is not among the mandate's approvers (M-8.2)")
    now = _now(office)
    _near(office, record, closing.usd, now.surface, now.at)
    after = replace(held, closed=True)
    money = booked(closing.usd, USD)
    entries = list(contract_released(held, after))
    if money.smallest:
        entries.insert(0, hedge_flow(record.id, money, "closed out"))
    made = replace(record, held=after)
    body = {
        "contract": to_json(made),
        "earned_usd": round(_earned(held, after, Fraction(0), _ONE) + float(closing.usd), 2),
        "postings": postings_json(funded(office, state, entries, _spot(state))),
    }
    office.record(Draft("contract_closed", body), at=office.now())
    return made


@serialised
def confirm(office: Office, name: str, stated: StatedContract, reference: str) -> ContractRecord:
    """Hold the dealer's confirmation against a contract, field by field: another person than who dealt.

    Where it differs that is kept and watched, until a later one agrees.
    """
    person = users.allowed(office, users.Action.REVIEW)
    if not reference.strip() or len(reference) > _LONGEST or not reference.isprintable():
        raise Invalid(f"a reference is one line of at most {_LONGEST} characters")
    record = contract_named(office.state(), name)
    if record.held is None:
        raise Declined(f"{name} is {record.stage}: there is nothing to confirm")
    if record.confirmed_by and not record.differences:
        raise Declined(f"{name} is confirmed already")
    if person == record.dealt_by:
        raise Declined(f"{person} dealt {name}: somebody else confirms it")
    made = replace(
        record,
        confirmed_by=f"{person}: {reference}",
        differences=contract_differences(record.held.contract, stated),
    )
    keep(office, "contract_confirmed", made, office.now())
    return made
