"""A pool's API as the workspace declares it: where it is, and how its answer is read.

No two pools answer alike, and their answers change. The settings name the fields; a payout without one of
them is refused, never guessed.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from headframe.units import Wrong, instant

_MILLIS = 10**11
"""Seconds since 1970 above this are milliseconds: the year 5138."""
_LATEST = 4_102_444_800
_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolApi:
    """A pool's payouts over HTTP: URL (``{since}`` is a day), a header with a secret, and the fields.

    ``rows`` is the path to the list, its names parted by dots, empty where the answer is the list. ``unit``
    is coin or satoshi. Only rows whose ``status`` is one of ``paid`` are payouts, where a status is named.
    """

    url: str
    id: str
    at: str
    amount: str
    rows: str = ""
    unit: str = "coin"
    status: str = ""
    paid: tuple[str, ...] = ()
    header: str = ""
    secret: str = ""

    def __post_init__(self) -> None:
        local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]", self.url)
        if not (self.url.startswith("https://") or local):
            raise Wrong(f"a pool's url begins with https://, was {self.url[:40]!r}")
        if not all((self.id, self.at, self.amount)):
            raise Wrong(
                "a pool's payouts have an id, an instant (at) and an amount: name their fields"
            )
        if self.unit not in {"coin", "satoshi"}:
            raise Wrong(f"unit is coin or satoshi, was {self.unit[:20]!r}")
        if bool(self.status) is not bool(self.paid):
            raise Wrong("status names a field and paid its values: give both or neither")
        if bool(self.header) is not bool(self.secret):
            raise Wrong(
                "header names a header and secret where its value is kept: give both or neither"
            )
        if self.header and not re.fullmatch(r"[A-Za-z0-9-]{1,60}", self.header):
            raise Wrong(f"a header is letters, digits and hyphens, was {self.header[:40]!r}")
        if self.secret and self.secret.partition(":")[0] not in {"env", "keyring", "age"}:
            raise Wrong("secret says where it is kept: env:NAME, keyring:SERVICE/USER or age:FILE")


def read_pool_payouts(text: str, api: PoolApi) -> tuple[tuple[str, datetime, Decimal], ...]:
    """Id, instant and coins of every payout that is paid, oldest first; Wrong where one cannot be read."""
    every = enumerate(_listed(text, api), start=1)
    rows = [_payout(row, place, api) for place, row in every if _is_paid(row, place, api)]
    names = Counter(name for name, _, _ in rows)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise Wrong(f"the pool tells payout {twice[0][:60]!r} twice")
    return tuple(sorted(rows, key=lambda row: (row[1], row[0])))


def _listed(text: str, api: PoolApi) -> Sequence[object]:
    """The list of payouts in an answer."""
    try:
        found: object = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"the pool's answer is no JSON: {error}") from error
    for name in filter(None, api.rows.split(".")):
        found = cast("Mapping[str, object]", found).get(name) if isinstance(found, dict) else None
    if not isinstance(found, list) or len(cast("list[object]", found)) > _MOST:
        where = f"at {api.rows[:60]!r}" if api.rows else "as the answer"
        raise Wrong(f"a list of up to {_MOST:,} payouts was expected {where} of the pool")
    return cast("Sequence[object]", found)


def _is_paid(row: object, place: int, api: PoolApi) -> bool:
    return not api.status or str(_field(row, api.status, place)) in api.paid


def _field(row: object, name: str, place: int) -> object:
    found = cast("Mapping[str, object]", row).get(name) if isinstance(row, Mapping) else None
    if found is None:
        raise Wrong(f"payout {place} of the pool has no {name[:40]!r}")
    return found


def _payout(row: object, place: int, api: PoolApi) -> tuple[str, datetime, Decimal]:
    name = str(_field(row, api.id, place))
    try:
        amount = Decimal(str(_field(row, api.amount, place)))
    except ArithmeticError as error:
        raise Wrong(f"payout {place} of the pool has no amount in {api.amount[:40]!r}") from error
    coins = amount / 10**8 if api.unit == "satoshi" else amount
    if not (amount.is_finite() and 0 < coins < 10**6) or coins % Decimal("0.00000001"):
        raise Wrong(
            f"payout {name[:40]!r} of the pool is of {str(amount)[:30]} {api.unit}s: no amount"
        )
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise Wrong(f"payout {place} of the pool has no id in {api.id[:40]!r}")
    return name, _instant(_field(row, api.at, place), name), coins


def _instant(said: object, name: str) -> datetime:
    """Seconds or milliseconds since 1970, or ISO 8601."""
    text = str(said)
    try:
        if not re.fullmatch(r"\d{1,13}", text, re.ASCII):
            return instant(text)
        seconds = int(text) / (1000.0 if int(text) > _MILLIS else 1.0)
        if seconds < _LATEST:
            return datetime.fromtimestamp(seconds, UTC)
    except Wrong:
        pass
    raise Wrong(f"payout {name[:40]!r} of the pool is of no instant: {text[:40]!r}")
