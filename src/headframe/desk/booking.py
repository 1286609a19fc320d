"""Booking a fill: trade, designation, cash, margin and promises in one event, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from headframe.book import (
    CASH,
    COINS_FREE,
    Designation,
    Entry,
    MarginTerms,
    PaymentDue,
    Position,
    Trade,
    TradeLeg,
    allocate,
    closing_flows,
    deferred,
    fund,
    hedge_flow,
    promise,
    released,
    venue_margin,
)
from headframe.codec import to_json
from headframe.desk.office import Office
from headframe.desk.ports import Draft, Json, Moved
from headframe.desk.quotes import surface_in
from headframe.desk.state import State, postings_json
from headframe.hedge import Proposal, replaced_by, upfront_usd
from headframe.instrument import cash_flow, parse_instrument
from headframe.mandate import is_order_book
from headframe.rfq import Fill, Request, RfqStep
from headframe.risk import Units, netted, rule_set, venue_margin_coins
from headframe.units import BTC, CURRENCIES, USD, Money, Month, booked, shared_out

_SATOSHI, _NONE = Decimal("0.00000001"), Decimal(0)


def book_fills(
    office: Office, request: Request, proposal: Proposal, fills: tuple[Fill, ...], step: RfqStep
) -> tuple[Trade, ...]:
    """Write what each dealer's part was with all that follows from it, all in one transaction.

    A part is a trade, the closing of one, or both where one hedge replaces another. A fill is a fact and is
    never refused; one that was booked before is not booked again.
    """
    while True:
        trial = office.state().copy()
        drafts: list[Draft] = []
        booked_as: list[Trade] = []
        left = request.size
        for place, fill in enumerate(fills, start=1):
            part = (request.size * fill.amount / request.amount).quantize(_SATOSHI)
            size = left if place == len(fills) else part
            left -= size
            body, made = _part(office, trial, request, proposal, fill, size)
            body |= {"rfq": request.id, "step": str(step)}
            booked_as += made
            drafts.append(Draft(_kind(proposal, also=bool(drafts)), body))
        try:
            office.record(*drafts, at=office.now(), evidence=True)
        except Moved:
            continue
        return tuple(booked_as)


def _part(
    office: Office, trial: State, request: Request, proposal: Proposal, fill: Fill, size: Decimal
) -> tuple[Json, list[Trade]]:
    """One dealer's part: what its event says, and what it is booked as; the state tried on has it then."""
    body: Json = {"fill": to_json(fill)}
    entries: list[Entry] = []
    made: list[Trade] = []
    waiting: list[PaymentDue] = []
    if proposal.closes or proposal.replaces:
        ended = _ended(office, trial, request, proposal, fill, size)
        settled, due = _on_value_date(trial, ended.closing, ended.entries)
        entries += settled
        waiting += due
        body |= ended.body
        made.append(ended.closing)
    if not proposal.closes:
        trade, dealt = _dealt(office, trial, request, proposal, fill, size)
        settled, due = _on_value_date(trial, trade, dealt)
        entries += settled
        waiting += due
        body["trade"] = to_json(trade)
        made.insert(0, trade)
    paid = funded(office, trial, entries, _spot(trial))
    for entry in paid:
        trial.ledger.post(entry)
    if waiting:
        body["due"] = to_json(waiting)
    return body | {"postings": postings_json(paid)}, made


def _on_value_date(
    state: State, trade: Trade, entries: list[Entry]
) -> tuple[list[Entry], list[PaymentDue]]:
    """Return a bilateral trade's entries with its cash on the value date of the dealer's agreement.

    What is dealt at a venue settles on the day of the trade.
    """
    dossier = state.dossiers.get(trade.dealer)
    days = 0 if dossier is None else dossier.collateral.premium_days
    if trade.margin is not MarginTerms.BILATERAL or dossier is None or not days:
        return entries, []
    due = dossier.collateral.days.plus(trade.at.date(), days)
    return deferred(entries, trade.id, trade.dealer, due)


def _kind(proposal: Proposal, *, also: bool) -> str:
    """What an event of booking is called: the first moves the request, others add to it."""
    if proposal.closes:
        return "closed_also" if also else "closed_out"
    if proposal.replaces:
        return "switched_also" if also else "switched"
    return "dealt_also" if also else "filled"


def _dealt(
    office: Office, trial: State, request: Request, proposal: Proposal, fill: Fill, size: Decimal
) -> tuple[Trade, list[Entry]]:
    """A new trade and its entries; the state that is tried on has it then."""
    trade = trade_of(trial, request, proposal, fill, size)
    entries = _entries(office, trial, trade)
    trial.trades[trade.id] = trade
    trial.remaining[trade.id] = {part.month: part.coins for part in trade.designations}
    return trade, entries


def _months(size: Decimal, proposal: Proposal) -> dict[Month, Decimal]:
    """Return the coins of each month that a part hedges.

    A hedge that replaces another takes the months that were released, to the satoshi, as they were.
    """
    needs = tuple((month, Decimal(repr(need))) for month, need in proposal.needs)
    if not proposal.replaces:
        return allocate(size, needs)
    if size == sum(need for _, need in needs):
        return dict(needs)
    parts = shared_out(size, [need for _, need in needs], _SATOSHI)
    return {month: part for (month, _), part in zip(needs, parts, strict=True) if part}


def trade_of(
    state: State, request: Request, proposal: Proposal, fill: Fill, size: Decimal
) -> Trade:
    """The trade a fill makes, its coins shared out to months and named."""
    shares = _months(size, proposal)
    gone = state.trades[proposal.replaces].legs if proposal.replaces else ()
    old = {leg.instrument for leg in gone}
    legs = tuple(leg for leg in _legs(fill) if leg.instrument not in old)
    venue = proposal.kind.is_future or is_order_book(fill.dealer)
    return Trade(
        id=f"T-{len(state.trades) + 1}",
        proposal=proposal.id,
        rfq=request.id,
        structure=proposal.kind,
        dealer=fill.dealer,
        margin=MarginTerms.VENUE if venue else MarginTerms.BILATERAL,
        at=fill.at,
        size=size,
        net_price=legs[0].price if request.hedge is None and proposal.replaces else fill.price,
        price_currency=proposal.price_currency,
        legs=legs,
        designations=tuple(
            Designation(
                month=month,
                coins=coins,
                words=f"the first {coins} coins mined and sold in {month}",
                hedge_for_accounts=state.mandate is None or state.mandate.cover.hedge_for_accounts,
            )
            for month, coins in shares.items()
        ),
        fee=fill.fee,
        spot=_spot(state),
        accounts=tuple(
            (part.account, (size * part.amount / request.amount).quantize(_SATOSHI))
            for part in request.accounts
        ),
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """A part of a trade that a fill ended: its record, its entries, and what its event says of it."""

    closing: Trade
    entries: list[Entry]
    body: Json


def _ended(
    office: Office, trial: State, request: Request, proposal: Proposal, fill: Fill, size: Decimal
) -> _Ended:
    """What a fill closes: what it pays, the promises and the margin it releases."""
    name = proposal.closes or proposal.replaces
    trade = trial.trades[name]
    position = Position(
        trade=trade,
        remaining=tuple(sorted(trial.remaining[name].items())),
        last_mark=trial.last_marks.get(name),
    )
    old = {leg.instrument for leg in trade.legs}
    legs = tuple(leg for leg in _legs(fill) if leg.instrument in old)
    if proposal.replaces:
        size = replaced_by(proposal, size)
    coins = min(size, position.coins)  # what was delivered meanwhile is closed no more
    gone = released(position, coins) if coins > 0 else {}
    words = f"closes {coins} coins of {name}"
    closing = Trade(
        id=f"C-{len(trial.closings) + 1}",
        proposal="" if proposal.replaces else proposal.id,
        rfq=request.id,
        structure=trade.structure,
        dealer=fill.dealer,
        margin=trade.margin,
        at=fill.at,
        size=coins or size,
        net_price=legs[0].price if proposal.replaces else fill.price,
        price_currency=trade.price_currency,
        legs=legs,
        designations=tuple(
            Designation(month=month, coins=part, words=words, hedge_for_accounts=True)
            for month, part in (gone or {Month.of(fill.at): size}).items()
        ),
        fee=Decimal(0) if proposal.replaces else fill.fee,
        spot=_spot(trial),
    )
    entries, earned = _closing_entries(office, trial, position, closing, gone)
    trial.closings[closing.id] = closing
    left = trial.remaining[name]
    for month, part in gone.items():
        left[month] -= part
    body: Json = {"closing": to_json(closing), "closes": name, "earned_usd": round(earned, 2)}
    return _Ended(closing, entries, body)


def _closing_entries(
    office: Office, state: State, position: Position, closing: Trade, gone: dict[Month, Decimal]
) -> tuple[list[Entry], float]:
    """What a closing moves, and what it earned in USD with the premium of its coins."""
    trade = position.trade
    flows = closing_flows(position, closing)
    code = trade.legs[0].instrument.settled_in
    flows[code] = flows.get(code, Fraction(0)) - Fraction(closing.fee)
    entries = [
        hedge_flow(trade.id, money, "closed out")
        for currency, amount in flows.items()
        if (money := booked(amount, CURRENCIES[currency])).smallest
    ]
    if trade.margin is MarginTerms.VENUE:
        entries.append(_margin_back(office, state, position, gone))
    firm = trade.sells_upside
    entries += [
        promise(month, -booked(part, BTC), firm=firm, memo=trade.id) for month, part in gone.items()
    ]
    spot = float(closing.spot)
    worth = sum(float(one) * (spot if name == "BTC" else 1.0) for name, one in flows.items())
    coins = sum(gone.values(), Decimal(0))
    return entries, worth + upfront_usd(trade) * float(coins / trade.size)


def _margin_back(
    office: Office, state: State, position: Position, gone: dict[Month, Decimal]
) -> Entry:
    """What the venue gives back when so many coins of a position are closed."""
    held = state.live_positions(_clock(state))
    kept = {month: part - gone.get(month, _NONE) for month, part in position.remaining}
    rest = replace(position, remaining=tuple(kept.items()))
    after = [rest if one.trade.id == position.trade.id else one for one in held]
    return _margin_moved(office, state, held, after)


def funded(office: Office, state: State, entries: list[Entry], spot: Decimal) -> list[Entry]:
    """The entries, what comes in before what goes out, with the money for what is short found first.

    A fill is a fact: margin that comes back pays for a loss of the same event, whatever order they arose in.
    """
    paid = {"BTC": 0, "USD": 0}
    taken: list[int] = []
    for entry in entries:
        mine = [each for each in entry.postings if each.account in {CASH, COINS_FREE}]
        for posting in mine:
            code = posting.money.currency.code
            paid[code] = paid.get(code, 0) - posting.money.smallest
        taken.append(-sum(posting.money.smallest for posting in mine))
    line = office.settings().operation.treasury.credit_line_usd
    found = fund(
        state.ledger,
        coins=Money(BTC, max(paid["BTC"], 0)),
        dollars=Money(USD, max(paid["USD"], 0)),
        spot=Fraction(spot),
        line=booked(line, USD),
    )
    order = sorted(range(len(entries)), key=lambda place: taken[place] > 0)
    return [*found.entries, *(entries[place] for place in order)]


def _legs(fill: Fill) -> tuple[TradeLeg, ...]:
    return tuple(
        TradeLeg(instrument=parse_instrument(name), amount=amount, price=price)
        for name, amount, price in fill.legs
    )


def _clock(state: State) -> datetime:
    assert state.clock is not None
    return state.clock


def _spot(state: State) -> Decimal:
    return Decimal(repr(state.market.index)) if state.market else Decimal(1)


def _entries(office: Office, state: State, trade: Trade) -> list[Entry]:
    """Premium and fee, initial margin at the venue, promises by month."""
    flows: dict[str, Fraction] = {}
    for leg in trade.legs:
        code = leg.instrument.settled_in
        amount = cash_flow(leg.instrument, Fraction(leg.amount), Fraction(leg.price))
        flows[code] = flows.get(code, Fraction(0)) + amount
    entries = [
        hedge_flow(trade.id, money, "premium")
        for code, amount in flows.items()
        if (money := booked(amount, CURRENCIES[code])).smallest
    ]
    fee = booked(trade.fee, CURRENCIES[trade.legs[0].instrument.settled_in])
    if fee.smallest:
        entries.append(hedge_flow(trade.id, -fee, "fee"))
    if trade.margin is MarginTerms.VENUE:
        dealt = tuple((part.month, part.coins) for part in trade.designations)
        held = state.live_positions(_clock(state))
        after = (*held, Position(trade=trade, remaining=dealt))
        entries.append(_margin_moved(office, state, held, after))
    firm = trade.sells_upside
    entries += [
        promise(part.month, booked(part.coins, BTC), firm=firm, memo=trade.id)
        for part in trade.designations
    ]
    return entries


def _margin_moved(
    office: Office, state: State, before: Sequence[Position], after: Sequence[Position]
) -> Entry:
    """Coins the venue asks in addition for what it then margins, or gives back where negative."""
    assert state.clock is not None
    rules, _ = rule_set(state.clock.date(), office.settings().rule_sets)
    units = Units(surface_in(state), state.clock)
    due, held = (
        venue_margin_coins(
            netted(one for one in some if one.trade.margin is MarginTerms.VENUE), units, rules
        )
        for some in (after, before)
    )
    return venue_margin(office.settings().venue.name, booked(due - held, BTC))
