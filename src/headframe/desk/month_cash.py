"""Cash and margin at the end of each month, from the ledger by the day each amount moved."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from headframe.book import CASH, Accounts, Ledger
from headframe.desk.dated import DatedPostings, dated_postings
from headframe.desk.office import Office
from headframe.desk.state import State
from headframe.units import BTC, CURRENCIES, USD, Money, Month


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """What a month ended with, in USD; the current month with what stands now."""

    cash_usd: float
    margin_usd: float


def month_ends(office: Office, months: Collection[Month]) -> dict[Month, MonthEnd]:
    """Return cash and margin at the end of each month, whenever it was recorded.

    Coins posted count at the price known now, other currencies at the last rate known by the end of the
    month. Collateral in other assets has no dates of its own: it counts where it stands, now.
    """
    state, now = office.state(), office.now()
    ledger, found = Ledger(), dict[Month, MonthEnd]()
    left = sorted(set(months))
    for part in dated_postings(office.journal.read()):
        while left and part.at >= left[0].end:
            month = left.pop(0)
            found[month] = _end(state, ledger, month.end, office)
        _replay(ledger, part)
    for month in left:
        found[month] = _end(state, ledger, min(month.end, now), office)
    return found


def _replay(ledger: Ledger, part: DatedPostings) -> None:
    ledger.replay(
        (account, code, int(text.replace(".", ""))) for account, code, text in part.postings
    )


def _end(state: State, ledger: Ledger, at: datetime, office: Office) -> MonthEnd:
    bank = office.settings().bank
    index = 0.0 if state.market is None else state.market.index
    spot = index if state.spot is None else state.spot
    margin = float(ledger.total(Accounts.cash_posted(""), USD))
    margin += float(ledger.total(Accounts.coins_posted(""), BTC)) * spot
    if at >= office.now():
        margin += state.all_others_usd(ours=True)
    held = (
        Money(CURRENCIES[code], n) for (account, code), n in ledger.balances() if account == CASH
    )
    cash = sum(state.usd_of(money, at, bank) or 0.0 for money in held)
    return MonthEnd(cash_usd=cash, margin_usd=margin)
