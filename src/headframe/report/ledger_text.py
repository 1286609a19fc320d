"""The books as plain text that other programs check: hledger's journal and beancount's ledger.

Every event with postings is a transaction of its day, in the journal's order, its amounts to the last unit.
Both declare every account and commodity beforehand, so that a checker finds an account that slipped in.
Sources: hledger.org, "Journal format", "Directives" and "check"; beancount.github.io, "Beancount language
syntax".
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_ROOTS = {
    "assets": "Assets",
    "liabilities": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expenses": "Expenses",
    "promises": "Equity:Promises",
}
_ODD = re.compile(r"[^A-Za-z0-9-]+")
_GRAMMAR = re.compile('["\\\\;|()\\r\\n]+')
_ACCOUNT = re.compile(r"[^A-Za-z0-9 .&'+/-]+")
_TYPES = {
    "assets": "A",
    "liabilities": "L",
    "equity": "E",
    "income": "R",
    "expenses": "X",
    "promises": "E",
}


@dataclass(frozen=True, slots=True)
class Booked:
    """One event's postings: its number, day and kind, who wrote it, and account, currency, amount of each."""

    seq: int
    day: date
    kind: str
    author: str
    postings: tuple[tuple[str, str, str], ...]


def hledger_text(title: str, booked: Sequence[Booked]) -> str:
    """A journal that ``hledger check --strict ordereddates`` accepts; odd names made plain, no two alike."""
    names = _names((account for one in booked for account, _, _ in one.postings), _hledger_name)
    places = {code: _places(text) for one in booked for _, code, text in one.postings}
    parts = [f"; {_plain(title)}\n"]
    if names:
        lines = [f"commodity 1000.{'0' * places[code]} {code}" for code in sorted(places)]
        lines += [
            f"account {name}  ; type: {_TYPES[name.partition(':')[0]]}"
            for name in sorted(names.values())
        ]
        parts.append("\n".join(lines) + "\n")
    for one in booked:
        lines = [f"{one.day} * ({one.seq}) {_plain(one.kind)}  ; by {_plain(one.author)}"]
        lines += [
            f"    {names[account]}  {text} {code}" for account, code, text in _summed(one.postings)
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def beancount_text(title: str, booked: Sequence[Booked]) -> str:
    """A ledger that ``bean-check`` accepts; accounts are renamed as its grammar wants them."""
    names = _names((account for one in booked for account, _, _ in one.postings), _beancount_name)
    codes = sorted({code for one in booked for _, code, _ in one.postings})
    first = min((one.day for one in booked), default=date(2009, 1, 3))
    parts = [
        "\n".join(
            [
                f'option "title" "{_plain(title)}"',
                *(f'option "operating_currency" "{code}"' for code in codes),
            ]
        )
        + "\n",
        "\n".join(f"{first} open {name}" for name in sorted(names.values())) + "\n",
    ]
    for one in booked:
        lines = [f'{one.day} * "{_plain(one.kind)} {one.seq}"', f'  author: "{_plain(one.author)}"']
        lines += [
            f"  {names[account]}  {text} {code}" for account, code, text in _summed(one.postings)
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _summed(postings: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Postings of one event by account and currency, none of nothing."""
    sums: dict[tuple[str, str], Decimal] = {}
    for account, code, text in postings:
        sums[account, code] = sums.get((account, code), Decimal(0)) + Decimal(text)
    return [(account, code, f"{total:f}") for (account, code), total in sums.items() if total]


def _names(accounts: Iterable[str], grammar: Callable[[str], str]) -> dict[str, str]:
    """Each account in a program's grammar, no two alike."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for account in dict.fromkeys(accounts):
        name = base = grammar(account)
        count = 1
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
        found[account] = name
    return found


def _beancount_name(account: str) -> str:
    root, *rest = account.split(":")
    return ":".join([_ROOTS[root], *(_part(one) for one in rest)])


def _hledger_name(account: str) -> str:
    return ":".join(" ".join(_ACCOUNT.sub(" ", part).split()) or "x" for part in account.split(":"))


def _places(text: str) -> int:
    return len(text.partition(".")[2])


def _part(text: str) -> str:
    plain = _ODD.sub("-", text).strip("-") or "X"
    return plain[0].upper() + plain[1:]


def _plain(text: str) -> str:
    """Text that no grammar takes for more than text."""
    return " ".join(_GRAMMAR.sub(" ", text).split())
