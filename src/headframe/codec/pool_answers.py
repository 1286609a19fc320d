"""A pool's answers: the rows of a page, what tells whether they are all, and the payouts they are.

Common shapes: Binance "Mining: Earnings List" (pageIndex, pageSize, totalNum; coinName of each row);
miningcore (page, pageSize, pageCount); Slush-like lists with ``next`` links; cursors.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import cast

from headframe.book import Payout, PayoutSource
from headframe.codec.coin_names import COIN_FIELDS, coin_in, coin_named
from headframe.codec.exact import exact_decimal, load_exact
from headframe.codec.page_signs import PageSigns, page_signs, whole_number
from headframe.codec.pool_api import PoolApi
from headframe.units import COINS, CURRENCIES, Money, Wrong, instant, parse_decimal, parse_whole

_MOST = 100_000
_FIRST_COIN = datetime(2009, 1, 3, tzinfo=UTC)
"""No coin was mined before Bitcoin's first block."""
_TXID = re.compile(r"[0-9a-fA-F]{64}")
_ROUND_SIZES = frozenset({10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000})
"""Sizes of pages that APIs use: a list of exactly so many rows may be the first of several."""
_ROUNDED = "the pool's amounts rounded down to the coin's smallest unit"
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPage:
    """One answer: its rows, the total it says, the link or cursor of the next, and signs of more pages."""

    rows: tuple[object, ...]
    total: int | None
    """The most rows that any field says; of the named field alone where the settings name one."""
    named: bool
    next: str
    flag: str
    """What in the answer states that rows are missing, in words; empty where nothing does."""
    link: str
    """What leads to a next page, in words; empty where nothing does."""
    ended: bool
    """Whether the answer states that nothing follows."""
    pages: int
    """How many pages the answer says there are; 0 where it says none."""
    roomy: bool
    """Whether the answer says that its page has room for more rows than it holds."""
    full: str
    """What lets suspect that there are more: a full page."""
    contrary: str
    """A total below the rows shown, in words; empty where there is none."""

    @property
    def proves(self) -> bool:
        """Whether the total is of all pages: a settings' own field, or more than the page holds."""
        return self.total is not None and (self.named or self.total > len(self.rows))


def read_pool_page(text: str, api: PoolApi, headers: Row | None = None) -> PoolPage:
    """Return an answer's rows and what it says of others; Wrong where it holds no list."""
    answer = _parsed(text)
    rows = _listed(answer, api)
    signs = page_signs(answer, api.rows, headers or {})
    found = _at(answer, api.next) if api.next else None
    totals = _totals(answer, signs, rows, api)
    return PoolPage(
        rows=tuple(rows),
        total=max((number for _, number in totals), default=None),
        named=bool(api.total),
        next=str(found) if _says_more(found) else "",
        flag=signs.flag,
        link=signs.link,
        ended=signs.ended and not signs.flag,
        pages=max((number for _, number in signs.pages), default=0),
        roomy=any(size > len(rows) for _, size in signs.sizes),
        full=_full(signs, rows),
        contrary=next((f"{name} is {n}" for name, n in totals if n < len(rows)), ""),
    )


def _parsed(text: str) -> object:
    try:
        return load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"the pool's answer is no JSON: {error}") from error


def _at(answer: object, path: str) -> object:
    """Return what a path of names parted by dots leads to; None where it leads nowhere."""
    for name in filter(None, path.split(".")):
        answer = cast("Row", answer).get(name) if isinstance(answer, dict) else None
    return answer


def _listed(answer: object, api: PoolApi) -> Sequence[object]:
    """Return the list of payouts in an answer."""
    found = _at(answer, api.rows)
    if not isinstance(found, list) or len(cast("list[object]", found)) > _MOST:
        where = f"at {api.rows[:60]!r}" if api.rows else "as the answer"
        raise Wrong(f"a list of up to {_MOST:,} payouts was expected {where} of the pool")
    return cast("list[object]", found)


def _totals(
    answer: object, signs: PageSigns, rows: Sequence[object], api: PoolApi
) -> list[tuple[str, int]]:
    """Return the numbers of rows that the named field says, else all usual ones."""
    if api.whole:
        return []
    if api.total:
        found = _at(answer, api.total)
        total = whole_number(found)
        if total is None:
            raise Wrong(
                f"total: expected a number of rows at {api.total[:60]!r} of the pool's answer, got "
                f"{str(found)[:40]!r}; fix: name its field in [pool_api]"
            )
        return [(api.total, total)]
    sizes = {number for _, number in signs.sizes}
    counts = [pair for pair in signs.counts if pair[1] >= len(rows) and pair[1] not in sizes]
    totals = [pair for pair in signs.totals if not _is_sum(pair[1], rows, api)]
    return totals + [pair for pair in counts if not _is_sum(pair[1], rows, api)]


def _is_sum(total: int, rows: Sequence[object], api: PoolApi) -> bool:
    """Return whether a total is the sum of the amounts rather than the number of rows."""
    amounts = [cast("Row", row).get(api.amount) if isinstance(row, dict) else None for row in rows]
    try:
        return sum((_decimal(one) for one in amounts), Decimal(0)) == total != len(rows)
    except Wrong:
        return False


def _says_more(found: object) -> bool:
    """Return whether a link, a cursor or a number names a next page."""
    return isinstance(found, str | int | float) and bool(found)


def _full(signs: PageSigns, rows: Sequence[object]) -> str:
    """Return what lets suspect that the answer is one page of several; empty where nothing does."""
    for name, size in signs.sizes:
        if rows and 0 < size <= len(rows):
            return f"the page is full: {name} is {size}"
    return ""


def is_full_page(count: int, url: str, api: PoolApi) -> str:
    """Return why a list that says no total may be one page of several; empty where it may not."""
    if api.whole or not count:
        return ""
    for size in re.findall(
        r"[?&](?:limit|size|count|per_?page|page_?size)=(\d{1,6})", url, re.IGNORECASE
    ):
        if parse_whole(size) <= count:
            return f"{count} rows are as many as the url asks for"
    if count in _ROUND_SIZES:
        return f"{count} rows may be a full page"
    return ""


@dataclass(frozen=True, slots=True)
class PoolPayouts:
    """Payouts of a pool, oldest first, and what was left out or rounded, in words."""

    payouts: tuple[Payout, ...]
    notes: tuple[str, ...]


def pool_payouts(rows: Sequence[object], api: PoolApi, coin: str) -> PoolPayouts:
    """Return every payout that is paid, oldest first; Wrong where one cannot be read.

    Args:
        rows: of all pages.
        api: how they are read.
        coin: the coin of rows that name none.

    A row of another coin is one of that coin; of a coin that is not in the books, of nothing or below the
    smallest unit it is left out and counted. What an amount has beyond the smallest unit is cut off: a
    pool carries it over.
    """
    left: Counter[str] = Counter()
    found: list[Payout] = []
    for place, row in enumerate(_once(rows, left), start=1):
        if api.status and str(_field(row, api.status, place)) not in api.paid:
            continue
        code = _coin_of(row, api, coin)
        if code not in COINS:
            left[f"of {code[:20]}, which is not in the books"] += 1
            continue
        payout = _payout(row, place, api, code, left)
        if payout is not None:
            found.append(payout)
    _refuse_twice(found)
    notes = tuple(f"{_said(words)}: {count}" for words, count in sorted(left.items()))
    return PoolPayouts(tuple(sorted(found, key=lambda one: (one.at, one.id))), notes)


def _said(words: str) -> str:
    return words if words == _ROUNDED else f"the pool's rows left out, {words}"


def _once(rows: Sequence[object], left: Counter[str]) -> Iterator[object]:
    """Yield each row once: a payout that comes between two requests moves a row to the next page."""
    seen: set[str] = set()
    for row in rows:
        key = json.dumps(row, sort_keys=True, default=str)
        if key in seen:
            left["the same as another row"] += 1
            continue
        seen.add(key)
        yield row


def _refuse_twice(payouts: Sequence[Payout]) -> None:
    names = Counter(one.id for one in payouts)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise Wrong(f"the pool tells payout {twice[0].removeprefix('tx-')[:60]!r} twice")


def _field(row: object, name: str, place: int) -> object:
    found = cast("Row", row).get(name) if isinstance(row, Mapping) else None
    if found is None:
        raise Wrong(f"payout {place} of the pool has no {name[:40]!r}")
    return found


def _coin_of(row: object, api: PoolApi, coin: str) -> str:
    """Return the code of a row's coin: by the named field, else by a usual one that names a coin."""
    table: Row = cast("Row", row) if isinstance(row, Mapping) else {}
    word = coin_in(table, (api.coin,) if api.coin else COIN_FIELDS)
    if word is not None:
        ours = {name.casefold() for name in api.coin_names}
        return coin if word.casefold() in ours else coin_named(word)
    if api.coin:
        raise Wrong(f"a payout of the pool names no coin in {api.coin[:40]!r}")
    return coin


def _payout(row: object, place: int, api: PoolApi, code: str, left: Counter[str]) -> Payout | None:
    """Return a row's payout; None where it is of nothing or below the smallest unit."""
    name = str(_field(row, api.id, place))
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise Wrong(f"payout {place} of the pool has no id in {api.id[:40]!r}")
    smallest = _smallest(row, place, name, api, code, left)
    if not smallest:
        return None
    told = str(_field(row, api.txid, place)) if api.txid else name
    return Payout(
        id=f"tx-{name}",
        at=_instant(_field(row, api.at, place), name),
        coins=Money(CURRENCIES[code], smallest),
        source=PayoutSource.POOL,
        txid=told.lower() if _TXID.fullmatch(told) else "",
    )


def _smallest(
    row: object, place: int, name: str, api: PoolApi, code: str, left: Counter[str]
) -> int:
    """Return a row's amount in whole smallest units, what is beyond them cut off and counted."""
    currency = CURRENCIES[code]
    said = _field(row, api.amount, place)
    try:
        amount = _decimal(said)
    except Wrong as error:
        raise Wrong(f"payout {place} of the pool has no amount in {api.amount[:40]!r}") from error
    if not 0 <= amount < 10**27:
        raise Wrong(
            f"payout {name[:40]!r} of the pool is of {str(amount)[:30]} {api.unit}s: no amount"
        )
    exact = amount if api.unit == "satoshi" else amount * currency.scale
    units = int(exact.to_integral_value(rounding=ROUND_DOWN))
    if not units:
        left["of nothing" if not amount else "below the smallest unit"] += 1
    elif units != exact:
        left[_ROUNDED] += 1
    return units


def _decimal(said: object) -> Decimal:
    """Return an amount that the pool writes as a number of JSON, or as a text of digits with a point.

    A text ``1E-8`` is how some languages print a small decimal; one above 1 is refused with an exponent.
    """
    exact = exact_decimal(said)
    if exact is None and re.search(r"[eE](?!-)", str(said)):
        raise Wrong(f"an amount is digits with a point, was {str(said)[:40]!r}")
    return parse_decimal(str(said)) if exact is None else exact


def _instant(said: object, name: str) -> datetime:
    """Return an instant written in seconds or milliseconds since 1970, or in ISO 8601."""
    try:
        at = instant(str(said))
    except Wrong as error:
        raise Wrong(
            f"payout {name[:40]!r} of the pool is of no instant: {str(said)[:40]!r}"
        ) from error
    if at < _FIRST_COIN:
        raise Wrong(
            f"payout {name[:40]!r} of the pool: instant: expected 2009 or later, got {str(said)[:40]!r} "
            f"({at.date()}); fix: name the field of the instant as at in [pool_api]"
        )
    return at
