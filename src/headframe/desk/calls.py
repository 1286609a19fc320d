"""Margin calls under the agreements: heard or made, what is disputed, what was delivered.

Where a workspace walks a course of the price its clock calls and delivers collateral by itself; everywhere
else a call is heard or made here, and booked when it is delivered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from headframe.book import Accounts, Bank, Entry, MarginTerms, collateral
from headframe.codec import to_json
from headframe.counterparty import Agent, CollateralTerms, Dossier, Trigger
from headframe.desk import users
from headframe.desk.known import MarginCall
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.programme import pledge_of
from headframe.desk.state import postings_json
from headframe.desk.valuation import Valuation, value_now
from headframe.lifecycle import (
    collateral_given,
    collateral_returned,
)
from headframe.risk import AnnexRow, Lying, Watched, annex_row
from headframe.units import CURRENCIES, USD, Money, Wrong, booked

CLAUSE = "CSA"
_LONGEST = 200
_GREATEST = 10**13
"""In cents."""


def rows(office: Office) -> tuple[AnnexRow, ...]:
    """Every agreement with anything under it."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    found = (_row(now, one) for _, one in sorted(now.dossiers.items()))
    return tuple(
        one for one in found if one.value_usd or one.posted_usd or one.held_usd or one.open_usd
    )


def calls(office: Office) -> tuple[MarginCall, ...]:
    """Every call, oldest first."""
    users.allowed(office, users.Action.READ)
    return tuple(office.state().margin_calls)


def _row(now: Valuation, dossier: Dossier) -> AnnexRow:
    name = dossier.name
    mine = tuple(
        one
        for one in now.positions
        if one.trade.dealer == name and one.trade.margin is MarginTerms.BILATERAL
    )
    coins = _coins_usd(now, name)
    lying = Lying(
        dollars=now.posted(name) - coins,
        coins_usd=coins,
        held=now.held(name),
        called_by_them=_outstanding(now, name, from_us=False),
        called_by_us=_outstanding(now, name, from_us=True),
        lost_posted=_lost(now, name, ours=True),
        lost_held=_lost(now, name, ours=False),
    )
    return annex_row(name, dossier.collateral, mine, lying, now.surface, now.at)


def _lost(now: Valuation, dealer: str, *, ours: bool) -> float:
    whole, counted = now.state.others_usd(dealer, ours=ours)
    return whole - counted


def _coins_usd(now: Valuation, dealer: str) -> float:
    return now.state.coins_posted(dealer) * now.surface.spot


def _outstanding(now: Valuation, dealer: str, *, from_us: bool) -> float:
    return sum(
        float(one.left)
        for one in now.state.margin_calls
        if (one.dealer, one.from_us) == (dealer, from_us)
    )


@serialised
def heard(office: Office, dealer: str, asks_usd: Decimal, reference: str = "") -> MarginCall:
    """Put a dealer's call on record against our own figure.

    Within ``dispute_usd`` the figure of the side that values the trades is owed; beyond it what nobody
    disputes, and the rest is watched until both agree.
    """
    return _made(office, dealer, asks_usd, reference, from_us=False)


@serialised
def made(
    office: Office, dealer: str, reference: str = "", theirs: Decimal | None = None
) -> MarginCall:
    """Call what the agreement gives us today; ``theirs`` is the figure of a dealer that values the trades."""
    return _made(office, dealer, theirs, reference, from_us=True)


def _made(
    office: Office, dealer: str, asks_usd: Decimal | None, reference: str, *, from_us: bool
) -> MarginCall:
    person = users.allowed(office, users.Action.PREPARE)
    now = value_now(office)
    _by_hand(now)
    dossier = now.dossiers.get(dealer)
    if dossier is None:
        raise NotFound(f"no counterparty {dealer[:40]!r} on record")
    _unused(now, dealer, reference)
    row = _row(now, dossier)
    if row.due is None:
        raise Declined(f"under {dealer}'s agreement no call is made on {now.at:%A %Y-%m-%d}")
    ours = booked(row.we_may_call_usd if from_us else row.they_may_call_usd, USD)
    if from_us and ours.smallest <= 0:
        raise Declined(f"nothing is due from {dealer} today")
    if from_us and (asks_usd is not None) is not (row.terms.agent is Agent.THEM):
        raise Declined(_valued_by(dealer, row.terms))
    asked = ours if asks_usd is None else booked(asks_usd, USD)
    if not 0 < asked.smallest <= _GREATEST:
        raise Invalid(f"a call lies above 0 and up to 100,000,000,000 USD, was {asked}")
    undisputed, agreed = row.terms.decided(asked, ours)
    call = MarginCall(
        number=len(now.state.margin_calls) + 1,
        dealer=dealer,
        from_us=from_us,
        asked=asked,
        ours=ours,
        undisputed=undisputed,
        due=row.due,
        at=now.at,
        by=person,
        reference=reference,
    )
    if agreed is not None:
        call = replace(call, agreed=agreed, agreed_by="tolerance")
    office.record(Draft("margin_call", {"call": to_json(call)}), at=now.at)
    return call


def _unused(now: Valuation, dealer: str, reference: str) -> None:
    """Raises where a reference is none, or names another call of the dealer."""
    if len(reference) > _LONGEST or not reference.isprintable():
        raise Invalid(f"a reference is one line of at most {_LONGEST} characters")
    known = [
        one for one in now.state.margin_calls if one.dealer == dealer and one.reference == reference
    ]
    if reference and known:
        raise Declined(f"call {known[0].number} of {dealer} has the reference {reference} already")


def _valued_by(dealer: str, terms: CollateralTerms) -> str:
    if terms.agent is Agent.THEM:
        return f"under its agreement {dealer} values the trades: say its figure with --theirs"
    return f"under the agreement with {dealer} our own figure counts: leave --theirs away"


def _by_hand(now: Valuation) -> None:
    if now.state.course:
        raise Declined(
            f"this workspace walks the {now.state.course} course: its clock calls and delivers collateral"
        )


def _open(now: Valuation, number: int) -> MarginCall:
    found = next((one for one in now.state.margin_calls if one.number == number), None)
    if found is None or not found.open:
        waiting = ", ".join(str(one.number) for one in now.state.margin_calls if one.open)
        raise NotFound(f"no call {number} is open; open: {waiting or 'none'}")
    return found


@serialised
def agree(office: Office, number: int, usd: Decimal, reason: str) -> MarginCall:
    """What both sides came to on a disputed call: by another person than who recorded it."""
    person = users.allowed(office, users.Action.REVIEW)
    now = value_now(office)
    found = _open(now, number)
    if not found.disputed.smallest:
        raise Declined(f"call {number} is not disputed")
    if person == found.by:
        raise Declined(f"{person} recorded call {number}: somebody else agrees on it")
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"a reason is one line of at most {_LONGEST} characters")
    agreed = booked(usd, USD)
    low, high = sorted((found.asked, found.ours))
    if not max(low, found.settled) <= agreed <= high:
        raise Invalid(f"what is agreed lies between {max(low, found.settled)} and {high} USD")
    now_agreed = replace(found, agreed=agreed, agreed_by=person, reason=reason)
    office.record(Draft("margin_call_agreed", {"call": to_json(now_agreed)}), at=now.at)
    return now_agreed


@serialised
def settle(
    office: Office, number: int, usd: Decimal | None = None, currency: str = "USD"
) -> MarginCall:
    """Book a delivery of a call, whole or in part; Declined where cash or coins are not there.

    In another ``currency`` so much of it is delivered as counts for the dollars after its haircut.
    """
    users.allowed(office, users.Action.PREPARE)
    now = value_now(office)
    _by_hand(now)
    found = _open(now, number)
    paid = found.left if usd is None else booked(usd, USD)
    if not Money(USD, 0) < paid <= found.left:
        raise Invalid(f"call {number} has {found.left} USD to be delivered, was {paid}")
    trial = now.state.ledger.copy()
    entries: list[Entry] = []
    moves = (
        _delivered(now, found, paid) if currency == "USD" else _other(now, found, paid, currency)
    )
    for entry in moves:
        try:
            trial.post(entry)
        except Wrong as error:
            raise Declined(f"call {number} cannot be delivered: {error}") from error
        entries.append(entry)
    after = replace(found, settled=found.settled + paid)
    body = {"call": to_json(after), "postings": postings_json(entries)}
    office.record(Draft("margin_call_settled", body), at=now.at)
    return after


def _delivered(now: Valuation, call: MarginCall, paid: Money) -> Iterator[Entry]:
    """What lies on the other side goes back first, the rest is given."""
    ledger, dealer = now.state.ledger, call.dealer
    terms = now.dossiers[dealer].collateral
    first = now.settings.operation.treasury.coins_as_collateral and terms.coins_eligible
    rate = Decimal(repr(terms.coins_usd(1.0, now.surface.spot)))
    held = -ledger.balance(Accounts.cash_held(dealer), USD)
    if not call.from_us:
        back = min(paid, held)
        if back.smallest:
            yield collateral(dealer, -back, ours=False)
        if paid > back:
            yield from collateral_given(ledger, dealer, paid - back, rate, coins_first=first)
        return
    dollars = ledger.balance(Accounts.cash_posted(dealer), USD)
    lies = dollars + booked((1.0 - terms.haircut) * _coins_usd(now, dealer), USD)
    back = min(paid, lies)
    if back.smallest > 0:
        yield from collateral_returned(ledger, dealer, -back, rate, coins_first=first)
    if paid > back:
        yield collateral(dealer, paid - back, ours=False)


def _other(now: Valuation, call: MarginCall, paid: Money, code: str) -> Iterator[Entry]:
    """The same in another currency that is eligible: what of it lies on the other side goes back first."""
    ledger, dealer = now.state.ledger, call.dealer
    terms = now.dossiers[dealer].collateral
    if terms.haircut_of(code) is None:
        known = ", ".join(("USD", *(one.currency for one in terms.eligible)))
        raise Declined(f"{code[:10]} is not eligible under {dealer}'s agreement: {known}")
    currency, bank = CURRENCIES[code], now.settings.bank
    one = now.state.usd_of(Money(currency, currency.scale), now.at, bank)
    if one is None:
        days = (bank or Bank()).fx_days_max
        raise Declined(f"no rate of {code} within {days} days: headframe fx {code}=USD")
    amount = terms.delivered_in(paid, currency, Decimal(repr(one)))
    assert amount is not None
    there = ledger.balance(Accounts.cash_posted(dealer), currency)
    here = -ledger.balance(Accounts.cash_held(dealer), currency)
    back = min(amount, there if call.from_us else here)
    if back.smallest:
        yield collateral(dealer, -back, ours=call.from_us)
    if amount > back:
        yield collateral(dealer, amount - back, ours=not call.from_us)


def watched(now: Valuation, dossiers: Mapping[str, Dossier]) -> Iterator[Watched]:
    """Calls that are overdue, disputes that last, and what would let a dealer end its trades."""
    today = now.at.date()
    for call in now.state.margin_calls:
        if not call.open:
            continue
        terms = dossiers[call.dealer].collateral
        who = f"{call.dealer}: call {call.number}"
        if call.left.smallest:
            yield Watched(
                clause=CLAUSE, name=f"{who} due {call.due}", unit="days overdue", allowed=0.0,
                used=float(max(terms.days.between(call.due, today), 0)),
            )  # fmt: skip
        if call.disputed.smallest:
            yield Watched(
                clause=CLAUSE, name=f"{who} disputed, {float(call.disputed):,.2f} USD", unit="days",
                used=float(terms.days.between(call.at.date(), today)),
                allowed=float(terms.dispute_days), amber_from=0.0,
            )  # fmt: skip
    for name, dossier in sorted(dossiers.items()):
        yield from _terminations(now, name, dossier.collateral)
        yield from _rates(now, name)


def _rates(now: Valuation, name: str) -> Iterator[Watched]:
    """How old the rates are by which collateral in other currencies is counted."""
    most = (now.settings.bank or Bank()).fx_days_max
    lies = {
        one.currency.code for ours in (True, False) for one in now.state.others(name, ours=ours)
    }
    for code in sorted(lies):
        yield Watched(
            clause=CLAUSE, name=f"{name}: age of the rate of its {code}", unit="days",
            used=float((now.at - now.state.fx[code][-1].at).days), allowed=float(most),
        )  # fmt: skip


def _terminations(now: Valuation, name: str, terms: CollateralTerms) -> Iterator[Watched]:
    for one in terms.terminations:
        used, unit = _measured(now, name, terms, one.event)
        yield Watched(
            clause=CLAUSE, name=f"{name} may terminate: {one.event.replace('_', ' ')}", used=used,
            allowed=one.figure, unit=unit,
            low_is_bad=one.event in {Trigger.LIQUIDITY_BELOW_USD, Trigger.COIN_BELOW_USD},
        )  # fmt: skip


def _measured(
    now: Valuation, dealer: str, terms: CollateralTerms, event: Trigger
) -> tuple[float, str]:
    spot = now.surface.spot
    if event is Trigger.LIQUIDITY_BELOW_USD:
        return now.liquidity.at(spot), "USD"
    if event is Trigger.COIN_BELOW_USD:
        return spot, "USD"
    if event is Trigger.LOAN_TO_VALUE_ABOVE:
        pledge = pledge_of(now.state, now.settings)
        worth = pledge.coins * spot
        return (
            pledge.loan_usd / worth if worth > 0.0 else float(pledge.loan_usd > 0.0)
        ), "of collateral"
    late = [
        terms.days.between(one.due, now.at.date())
        for one in now.state.margin_calls
        if one.dealer == dealer and not one.from_us and one.left.smallest
    ]
    return float(max(late, default=0)), "days"
