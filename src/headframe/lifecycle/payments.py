"""Payment of a close's amounts: what comes in, then a sale, then what is owed, funded before it goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from headframe.book import (
    CASH,
    COINS_FREE,
    Accounts,
    Entry,
    Funding,
    Ledger,
    MarginTerms,
    Transit,
    coins_overdue,
    coins_sold,
    dollars_overdue,
    fund,
    repay,
    still,
    venue_margin,
)
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.till import Till
from headframe.units import BTC, COINS, USD, USDC, Currency, Money, booked

_KEEP_USD = 1_000_000
"""Cash kept before the credit line is paid back."""
_NO_COINS, _NO_USD = Money(BTC, 0), Money(USD, 0)


@dataclass(frozen=True, slots=True)
class Paid:
    """What was booked, what could not be found, and dollars that are not there yet."""

    entries: tuple[Entry, ...]
    shortfall: str
    transit: tuple[Transit, ...]


def pay_with_sale(
    start: DayStart, trial: Ledger, till: Till, sold: Fraction, owed: tuple[Entry, ...]
) -> Paid:
    """Pay everything of a scenario's day: what comes in, the sale, then what is owed.

    Coins a hedge brings are sold with the day's sale and coins it costs are withheld from it, or
    bought where the sale is too small: the coins kept stay what they were. Dollars that are not there
    yet pay for nothing.
    """
    selling = booked(sold + till.coins, BTC)
    proceeds = booked(Fraction(selling.smallest, BTC.scale) * Fraction(start.spot), USD)
    line = booked(start.operation.treasury.credit_line_usd, USD)
    comes_in, coin_losses, rest = _sorted_flows(till, owed)
    out = post_all(trial, comes_in)
    out += _pay_stablecoins(trial, till)[0]
    trade = [coins_sold(selling, proceeds)] if selling.smallest else []
    transit = _transit(start, comes_in, proceeds)
    away = Money(USD, sum(one.usd.smallest for one in transit))
    first: Funding | None = None
    if selling.smallest < 0:
        first = fund(
            trial,
            coins=_NO_COINS,
            dollars=away - proceeds,
            spot=Fraction(start.spot),
            line=line,
        )
        out += post_all(trial, [*first.entries, *trade, *coin_losses])
    else:
        out += post_all(trial, [*coin_losses, *trade])
    second = fund(
        trial,
        coins=Money(BTC, sum(taken(entry, BTC) for entry in rest)),
        dollars=away + Money(USD, sum(taken(entry, USD) for entry in rest)),
        spot=Fraction(start.spot),
        line=line,
    )
    out += post_all(trial, [*second.entries, *rest])
    out += post_all(trial, repay(trial, keep=away + booked(Decimal(_KEEP_USD), USD)))
    short = second.short if first is None else first.short + second.short
    words = f"{start.day}: {short} USD could not be found" if short.smallest else ""
    return Paid(tuple(out), words, transit)


def pay_from_books(start: DayStart, trial: Ledger, till: Till, owed: tuple[Entry, ...]) -> Paid:
    """Pay everything of a recorded close from what the books hold; nothing is bought, sold or drawn.

    The venue takes a loss in coins from free coins and then from the margin it holds. What is still
    missing is booked as overdue in its own currency, and said; what comes in later pays it first.
    """
    comes_in, coin_losses, rest = _sorted_flows(till, owed)
    out = post_all(trial, comes_in)
    out += _pay_overdue(trial)
    stable, gap = _pay_stablecoins(trial, till)
    out += stable
    missing: dict[str, int] = {USDC.code: gap} if gap else {}
    for entry in (*coin_losses, *rest):
        out += _make_room(start, trial, entry, missing)
        out += post_all(trial, [entry])
    parts = [f"{Money(BTC, coins)} BTC" for code, coins in missing.items() if code == BTC.code]
    parts += [f"{Money(USD, usd)} USD" for code, usd in missing.items() if code == USD.code]
    parts += [f"{Money(USDC, gap)} USDC"] if gap else []
    words = f"{start.closes_at:%Y-%m-%d}: {' and '.join(parts)} could not be found" if parts else ""
    return Paid(tuple(out), words, _transit(start, comes_in, _NO_USD))


def _sorted_flows(
    till: Till, owed: tuple[Entry, ...]
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Return what comes in, losses of hedges in coins, and the rest that goes out."""
    flows = [one for one in (*till.entries, *owed) if not _moves(one, USDC)]
    comes_in = [entry for entry in flows if not _goes_out(entry)]
    losses = [entry for entry in till.entries if taken(entry, BTC) > 0]
    lost = {id(entry) for entry in losses}
    rest = [entry for entry in flows if _goes_out(entry) and id(entry) not in lost]
    return comes_in, losses, rest


def _pay_stablecoins(trial: Ledger, till: Till) -> tuple[list[Entry], int]:
    """Post what linear instruments pay in USDC; return the entries and what is still missing.

    The venue lets the balance of a stablecoin go below nothing against the account's collateral: what is
    missing is booked as overdue in USDC, and what comes in pays it first.
    """
    mine = sorted(
        (one for one in till.entries if _moves(one, USDC)), key=lambda one: taken(one, USDC)
    )
    out: list[Entry] = []
    short = 0
    for entry in mine:
        gap = taken(entry, USDC) - max(trial.balance(CASH, USDC).smallest, 0)
        if gap > 0:
            out += post_all(trial, [dollars_overdue(Money(USDC, gap))])
            short += gap
        out += post_all(trial, [entry])
        owed = -trial.balance(Accounts.OVERDUE, USDC).smallest
        back = min(owed, trial.balance(CASH, USDC).smallest)
        if back > 0:
            out += post_all(trial, [dollars_overdue(Money(USDC, -back))])
            short = max(short - back, 0)
    return out, short


def _moves(entry: Entry, currency: Currency) -> bool:
    return any(one.money.currency == currency for one in entry.postings)


def _make_room(
    start: DayStart, trial: Ledger, entry: Entry, missing: dict[str, int]
) -> list[Entry]:
    """Make sure one payment can be made, and count what had to be booked as overdue."""
    made: list[Entry] = []
    gap = taken(entry, BTC) - trial.balance(COINS_FREE, BTC).smallest
    if gap > 0:
        held = trial.balance(Accounts.coins_posted(start.venue), BTC).smallest
        back = min(gap, max(held, 0))
        if back:
            made.append(venue_margin(start.venue, Money(BTC, -back)))
        if gap > back:
            made.append(coins_overdue(Money(BTC, gap - back)))
            missing[BTC.code] = missing.get(BTC.code, 0) + gap - back
    usd = Money(USD, max(taken(entry, USD), 0))
    if usd.smallest:
        found = fund(trial, coins=_NO_COINS, dollars=usd, spot=Fraction(1), line=_NO_USD)
        made += found.entries
        if found.short.smallest:
            missing[USD.code] = missing.get(USD.code, 0) + found.short.smallest
    return post_all(trial, made)


def _pay_overdue(trial: Ledger) -> list[Entry]:
    """Pay what is overdue from what is there: coins with coins, dollars with dollars."""
    owed = -trial.balance(Accounts.OVERDUE, BTC).smallest
    coins = min(owed, trial.balance(COINS_FREE, BTC).smallest)
    made = [coins_overdue(Money(BTC, -coins))] if coins > 0 else []
    usd = min(-trial.balance(Accounts.OVERDUE, USD).smallest, trial.balance(CASH, USD).smallest)
    if usd > 0:
        keep = trial.balance(CASH, USD) - Money(USD, usd)
        made += [e for e in repay(trial, keep=keep) if e.memo == "overdue"]
    return post_all(trial, made)


def _transit(start: DayStart, comes_in: Sequence[Entry], proceeds: Money) -> tuple[Transit, ...]:
    return (
        *still(start.transit, start.closes_at.date()),
        *_on_the_way(start, comes_in, proceeds),
    )


def _on_the_way(start: DayStart, comes_in: Sequence[Entry], proceeds: Money) -> Iterator[Transit]:
    """Yield what comes in by bank and is there later: of hedges and collateral by dealer, of the sale."""
    if start.settles_on <= start.closes_at.date():
        return
    venue = MarginTerms.VENUE
    dealers = {
        one.trade.id: start.venue if one.trade.margin is venue else one.trade.dealer
        for one in start.positions
    } | {one.contract.id: one.contract.dealer for one in start.contracts}
    sums: dict[str, int] = {"sale": max(proceeds.smallest, 0)}
    for entry in comes_in:
        other = next(one.account for one in entry.postings if one.account != CASH)
        name = other.rpartition(":")[2]
        source = dealers.get(name, name)
        sums[source] = sums.get(source, 0) + max(-taken(entry, USD), 0)
    for source, smallest in sums.items():
        if smallest:
            yield Transit(source=source, usd=Money(USD, smallest), there=start.settles_on)


def _goes_out(entry: Entry) -> bool:
    return taken(entry, BTC) > 0 or taken(entry, USD) > 0


def taken(entry: Entry, currency: Currency) -> int:
    """Return what an entry takes out of free coins or cash, in smallest units."""
    account = COINS_FREE if currency.code in COINS else CASH
    return -sum(
        posting.money.smallest
        for posting in entry.postings
        if posting.account == account and posting.money.currency == currency
    )


def post_all(ledger: Ledger, entries: Sequence[Entry]) -> list[Entry]:
    """Post entries in order and return them."""
    for entry in entries:
        ledger.post(entry)
    return list(entries)
