"""Double entry: every entry sums to zero in every currency, and nothing owned goes below zero."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headframe.book.accounts import Accounts
from headframe.units import CURRENCIES, Currency, Money, Wrong


class Overdrawn(Wrong):
    """An entry would spend, pledge or promise what is not there."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: a debit where positive."""

    account: str
    money: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced set of postings with the reason for it."""

    memo: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        sums: dict[str, int] = {}
        for posting in self.postings:
            if not posting.account.startswith(Accounts.PREFIXES):
                raise Wrong(f"no account is called {posting.account!r}")
            code = posting.money.currency.code
            sums[code] = sums.get(code, 0) + posting.money.smallest
        wrong = {code: total for code, total in sums.items() if total}
        if wrong:
            raise Wrong(f"an entry must sum to zero in every currency, {self.memo!r} left {wrong}")


@dataclass(frozen=True, slots=True)
class TrialLine:
    """The balance of one account in one currency."""

    account: str
    balance: Money


class Ledger:
    """Balances by account and currency: the fold of all entries so far."""

    def __init__(self, balances: dict[tuple[str, str], int] | None = None) -> None:
        self._balances = dict(balances or {})

    def copy(self) -> "Ledger":
        """A ledger of its own with the same balances: to try entries on."""
        return Ledger(self._balances)

    def post(self, entry: Entry) -> None:
        """Add an entry whole, or raise Overdrawn and change nothing."""
        fresh = self._after(entry)
        short = [key for key, value in fresh.items() if value < 0 and _guarded(key[0])]
        if short:
            account, code = short[0]
            have = Money(CURRENCIES[code], self._balances.get(short[0], 0))
            raise Overdrawn(f"{entry.memo}: {account} holds {have} {code}, not enough")
        self._balances.update(fresh)

    def replay(self, postings: Iterable[tuple[str, str, int]]) -> None:
        """Add postings that the journal already holds."""
        balances = self._balances
        for account, code, smallest in postings:
            key = (account, code)
            balances[key] = balances.get(key, 0) + smallest

    def _after(self, entry: Entry) -> dict[tuple[str, str], int]:
        fresh: dict[tuple[str, str], int] = {}
        for posting in entry.postings:
            key = (posting.account, posting.money.currency.code)
            fresh[key] = fresh.get(key, self._balances.get(key, 0)) + posting.money.smallest
        return fresh

    def balances(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Every balance in smallest units by account and currency, in order."""
        yield from sorted(self._balances.items())

    def balance(self, account: str, currency: Currency) -> Money:
        """The balance of one account."""
        return Money(currency, self._balances.get((account, currency.code), 0))

    def total(self, prefix: str, currency: Currency) -> Money:
        """The balance of every account whose name starts so."""
        found = (
            value
            for (account, code), value in self._balances.items()
            if account.startswith(prefix) and code == currency.code
        )
        return Money(currency, sum(found))

    def trial_balance(self) -> Iterator[TrialLine]:
        """Every balance that is not zero, in order of account and currency."""
        for (account, code), value in sorted(self._balances.items()):
            if value:
                yield TrialLine(account, Money(CURRENCIES[code], value))

    def imbalance(self) -> dict[str, int]:
        """What all balances sum to by currency, where it is not zero: empty when the books are right."""
        sums: dict[str, int] = {}
        for (_, code), value in self._balances.items():
            sums[code] = sums.get(code, 0) + value
        return {code: total for code, total in sums.items() if total}

    def overdrawn(self) -> tuple[str, ...]:
        """Accounts that hold less than nothing though they must not."""
        return tuple(
            account for (account, _), value in sorted(self._balances.items())
            if value < 0 and _guarded(account)
        )  # fmt: skip


def _guarded(account: str) -> bool:
    return account.startswith(Accounts.NEVER_NEGATIVE)
