"""Margin and collateral of a day: at the venue, and with each dealer by its agreement's own calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from headframe.book import (
    COINS_FREE,
    Accounts,
    Entry,
    Ledger,
    MarginTerms,
    PendingCall,
    Position,
    collateral,
    collateral_coins,
    pending_usd,
    venue_margin,
)
from headframe.counterparty import CollateralTerms, call_amount
from headframe.lifecycle.day_start import DayStart
from headframe.risk import (
    Units,
    collateral_due_to_us,
    collateral_wanted,
    netted,
    rule_set,
    venue_margin_coins,
)
from headframe.units import BTC, USD, Money, booked

_SAT = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Secured:
    """What moves today, and what is called and moves later."""

    entries: tuple[Entry, ...]
    calls: tuple[PendingCall, ...]


def margin_of_day(start: DayStart, after: tuple[Position, ...]) -> Secured:
    """Initial margin at the venue and collateral with each dealer, brought to what is due.

    Dealers whose trades have all ended are looked at while anything is posted, held or called.
    """
    entries = list(_at_venue(start, after))
    calls: list[PendingCall] = []
    bilateral = [p for p in after if p.trade.margin is MarginTerms.BILATERAL]
    if not start.moves_collateral:
        return Secured(tuple(entries), start.calls)
    calls += [call for call in start.calls if call.dealer in start.apart]
    dealers = {p.trade.dealer for p in bilateral}
    dealers |= {name for name in start.terms if _any(start, name)}
    dealers -= start.apart
    for dealer in sorted(dealers):
        mine = tuple(p for p in bilateral if p.trade.dealer == dealer and p.coins > 0)
        for ours in (True, False):
            moved, still = _side(start, dealer, mine, ours=ours)
            entries += moved
            calls += still
    return Secured(tuple(entries), tuple(calls))


def _at_venue(start: DayStart, after: tuple[Position, ...]) -> Iterator[Entry]:
    held = netted(p for p in after if p.trade.margin is MarginTerms.VENUE and p.coins > 0)
    rules, _ = rule_set(start.day, start.rule_sets)
    due = booked(venue_margin_coins(held, Units(start.surface, start.closes_at), rules), BTC)
    move = due - start.ledger.balance(Accounts.coins_posted(start.venue), BTC)
    if move.smallest:
        yield venue_margin(start.venue, move)


def _any(start: DayStart, dealer: str) -> bool:
    """Whether collateral of a dealer lies anywhere or is called."""
    ledger = start.ledger
    lies = (
        ledger.balance(Accounts.cash_posted(dealer), USD).smallest
        or ledger.balance(Accounts.coins_posted(dealer), BTC).smallest
        or ledger.balance(Accounts.cash_held(dealer), USD).smallest
    )
    others = start.others.get((dealer, True)) or start.others.get((dealer, False))
    return bool(lies or others) or any(one.dealer == dealer for one in start.calls)


def _side(
    start: DayStart, dealer: str, mine: tuple[Position, ...], *, ours: bool
) -> tuple[list[Entry], list[PendingCall]]:
    """One way: what was called before and is due today, and what the day's valuation calls."""
    terms, today = start.terms[dealer], start.closes_at.date()
    called = [one for one in start.calls if (one.dealer, one.ours) == (dealer, ours)]
    moving = pending_usd([one for one in called if one.due <= today], dealer, ours=ours)
    waiting = [one for one in called if one.due > today]
    lies = _lies(start, dealer, terms, ours=ours)
    due = terms.due(start.closes_at)
    if due is not None:
        have = lies + float(moving) + float(pending_usd(waiting, dealer, ours=ours))
        wanted = _wanted(start, terms, mine, ours=ours)
        fresh = booked(call_amount(terms, wanted, have), USD)
        if fresh.smallest and due > today:
            waiting.append(PendingCall(dealer=dealer, ours=ours, usd=fresh, made=today, due=due))
        else:
            moving = moving + fresh
    if not moving.smallest:
        return [], waiting
    return list(_moved(start, dealer, moving, ours=ours)), waiting


def _lies(start: DayStart, dealer: str, terms: CollateralTerms, *, ours: bool) -> float:
    """What lies there already, as the agreement counts it."""
    others = start.others.get((dealer, ours), 0.0)
    if not ours:
        return others - float(start.ledger.balance(Accounts.cash_held(dealer), USD))
    coins = float(start.ledger.balance(Accounts.coins_posted(dealer), BTC))
    dollars = float(start.ledger.balance(Accounts.cash_posted(dealer), USD))
    return dollars + others + terms.coins_usd(coins, float(start.spot))


def _wanted(
    start: DayStart, terms: CollateralTerms, mine: tuple[Position, ...], *, ours: bool
) -> float:
    if not mine:
        return 0.0
    asked = collateral_wanted if ours else collateral_due_to_us
    return asked(mine, terms, start.surface, start.closes_at)


def _moved(start: DayStart, dealer: str, usd: Money, *, ours: bool) -> Iterator[Entry]:
    """A move of collateral as entries; nothing that lies anywhere goes below nothing."""
    if not ours:
        held = -start.ledger.balance(Accounts.cash_held(dealer), USD)
        yield from _dollars(dealer, max(usd, -held), ours=False)
        return
    terms = start.terms[dealer]
    first = start.operation.treasury.coins_as_collateral and terms.coins_eligible
    rate = Decimal(repr(terms.coins_usd(1.0, float(start.spot))))
    moves = collateral_given if usd.smallest > 0 else collateral_returned
    yield from moves(start.ledger, dealer, usd, rate, coins_first=first)


def collateral_given(
    ledger: Ledger, dealer: str, usd: Money, rate: Decimal, *, coins_first: bool
) -> Iterator[Entry]:
    """Collateral to a dealer: free coins at ``rate`` USD each where they come first, dollars for the rest."""
    coins = Money(BTC, 0)
    if coins_first:
        asked = (Decimal(str(usd)) / rate).quantize(_SAT, rounding=ROUND_UP)
        coins = max(min(booked(asked, BTC), ledger.balance(COINS_FREE, BTC)), coins)
    if coins.smallest:
        yield collateral_coins(dealer, coins)
    counts = booked(Decimal(str(coins)) * rate, USD)
    yield from _dollars(dealer, max(usd - counts, Money(USD, 0)), ours=True)


def collateral_returned(
    ledger: Ledger, dealer: str, usd: Money, rate: Decimal, *, coins_first: bool
) -> Iterator[Entry]:
    """Collateral back from a dealer (``usd`` below zero): dollars first where coins are posted first."""
    coins = ledger.balance(Accounts.coins_posted(dealer), BTC)
    dollars = ledger.balance(Accounts.cash_posted(dealer), USD)
    back = min(-usd, dollars) if coins_first else Money(USD, 0)
    asked = (Decimal(str(-usd - back)) / rate).quantize(_SAT, rounding=ROUND_DOWN)
    some = min(booked(asked, BTC), coins)
    if booked(Decimal(str(coins - some)) * rate, USD).smallest == 0:
        some = coins  # less than a cent would be left
    if some.smallest:
        yield collateral_coins(dealer, -some)
    rest = -usd - booked(Decimal(str(some)) * rate, USD)
    yield from _dollars(dealer, -min(max(rest, Money(USD, 0)), dollars), ours=True)


def _dollars(dealer: str, usd: Money, *, ours: bool) -> Iterator[Entry]:
    if usd.smallest:
        yield collateral(dealer, usd, ours=ours)
