"""What the venue says happened to the account: settlements, transaction log, trades; every digit.

Methods as the venue documents them (API 2.1.1): ``private/get_settlement_history_by_currency`` (joined by
``continuation``), ``private/get_transaction_log`` (joined by ``continuation``, an id) and
``private/get_user_trades_by_currency_and_time`` (``has_more``; recent and ``historical`` records apart).
Settlement rows carry position, ``mark_price``, ``index_price``, ``profit_loss`` since the trade,
``session_profit_loss`` since the last settlement, and ``funding`` of perpetuals.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from headframe.codec import exact_decimal
from headframe.desk.ports import Malformed
from headframe.lifecycle import SettlementKind, VenueSettlement
from headframe.venue.deribit import parse
from headframe.venue.deribit.client import Client

Json = dict[str, Any]
_PAGE, _LOG_PAGE = 1_000, 250
_PAGES_MAX = 1_000
"""Pages of one answer; more is a server that never ends."""
_LIMIT = Decimal(10) ** 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionThere:
    """One entry of the venue's transaction log: ``change`` is what it did to the balance in ``currency``.

    ``kind`` is the venue's own word: trade, settlement, delivery, transfer, deposit,
    options_settlement_summary, and others to come.
    """

    id: int
    kind: str
    at: datetime
    currency: str
    change: Decimal
    balance: Decimal
    cashflow: Decimal
    commission: Decimal
    instrument: str = ""
    position: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeThere:
    """One trade of the account: the amount is in the instrument's own unit, the fee in ``fee_currency``."""

    id: str
    at: datetime
    instrument: str
    side: str
    amount: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    profit_loss: Decimal | None = None
    block: str = ""
    label: str = ""


class DeribitRecords:
    """Reading the account's past over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def settlements(
        self, currency: str, since: datetime, *, account: int | None = None
    ) -> tuple[VenueSettlement, ...]:
        """Return settlements, deliveries and shared losses in a currency since an instant, oldest first."""
        found: dict[tuple[str, str, datetime], VenueSettlement] = {}
        for kind in SettlementKind:
            async for row in self._settled(currency, since, kind, account):
                one = _settlement(row, currency, kind)
                if one.at < since:
                    continue
                known = found.setdefault((one.kind, one.instrument, one.at), one)
                if known != one:
                    raise Malformed(f"the venue tells two settlements of {one.instrument} {one.at}")
        return tuple(sorted(found.values(), key=lambda one: (one.at, one.instrument)))

    async def _settled(
        self, currency: str, since: datetime, kind: str, account: int | None
    ) -> AsyncIterator[Json]:
        """Yield rows, the newest first, until they are older than an instant."""
        method = "private/get_settlement_history_by_currency"
        params: Json = {"currency": currency, "type": kind, "count": _PAGE}
        if account is not None:
            params["subaccount_id"] = account
        token = ""
        for _ in range(_PAGES_MAX):
            more = {"continuation": token} if token else {}
            page = parse.table(await self._client.call(method, **params, **more), method)
            rows = parse.rows(page.get("settlements"), "settlements")
            for row in rows:
                yield row
            after = _token(page)
            if not after or not rows or min(parse.stamp(row, "timestamp") for row in rows) < since:
                return
            if after == token:
                raise Malformed(f"{method}: the same page came twice")
            token = after
        raise Malformed(f"{method} did not end after {_PAGES_MAX} pages")

    async def transactions(
        self, currency: str, since: datetime, until: datetime
    ) -> tuple[TransactionThere, ...]:
        """Return the transaction log of a currency between two instants, oldest first."""
        method = "private/get_transaction_log"
        params: Json = {
            "currency": currency,
            "start_timestamp": _ms(since),
            "end_timestamp": _ms(until),
            "count": _LOG_PAGE,
        }
        found: dict[int, TransactionThere] = {}
        token: object = None
        for _ in range(_PAGES_MAX):
            more = {} if token is None else {"continuation": token}
            page = parse.table(await self._client.call(method, **params, **more), method)
            rows = [_transaction(row) for row in parse.rows(page.get("logs"), "logs")]
            fresh = {one.id: one for one in rows if one.id not in found}
            found |= fresh
            token = page.get("continuation")
            if token is None or not rows:
                return tuple(sorted(found.values(), key=lambda one: (one.at, one.id)))
            if not fresh:
                raise Malformed(f"{method}: the same page came twice")
        raise Malformed(f"{method} did not end after {_PAGES_MAX} pages")

    async def trades(
        self, currency: str, since: datetime, until: datetime
    ) -> tuple[TradeThere, ...]:
        """Return the account's trades between two instants, recent and historical, oldest first."""
        found: dict[str, TradeThere] = {}
        for historical in (True, False):
            async for row in self._traded(currency, (since, until), historical=historical):
                one = _trade(row)
                known = found.setdefault(one.id, one)
                if known != one:
                    raise Malformed(f"the venue tells two trades {one.id}")
        return tuple(sorted(found.values(), key=lambda one: (one.at, one.id)))

    async def _traded(
        self, currency: str, span: tuple[datetime, datetime], *, historical: bool
    ) -> AsyncIterator[Json]:
        """Yield trades, the oldest first; each page begins at the last instant of the one before."""
        method = "private/get_user_trades_by_currency_and_time"
        begin, end = map(_ms, span)
        for _ in range(_PAGES_MAX):
            answer = await self._client.call(
                method,
                currency=currency,
                start_timestamp=begin,
                end_timestamp=end,
                count=_PAGE,
                sorting="asc",
                historical=historical,
            )
            page = parse.table(answer, method)
            rows = parse.rows(page.get("trades"), "trades")
            for row in rows:
                yield row
            if page.get("has_more") is not True:
                return
            last = max((_ms(parse.stamp(row, "timestamp")) for row in rows), default=begin)
            if last == begin:
                raise Malformed(f"{method}: more trades in one millisecond than a page holds")
            begin = last
        raise Malformed(f"{method} did not end after {_PAGES_MAX} pages")


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _token(page: Json) -> str:
    """Return where the next page begins; empty where there is none, which the venue writes in three ways."""
    value = page.get("continuation")
    if value is None or value == "none":
        return ""
    if not isinstance(value, str):
        raise Malformed(f"the venue's continuation is no text: {str(value)[:30]}")
    return value


def _exact(row: Json, key: str) -> Decimal:
    """Return a figure to its last digit, or Malformed."""
    value = exact_decimal(row.get(key))
    if value is None or abs(value) >= _LIMIT:
        raise Malformed(f"the venue's {key} is no figure: {str(row.get(key))[:30]}")
    return value


def _exact_or(row: Json, key: str, default: Decimal | None) -> Decimal | None:
    return default if row.get(key) is None else _exact(row, key)


def _zero_or(row: Json, key: str) -> Decimal:
    return Decimal(0) if row.get(key) is None else _exact(row, key)


def _settlement(row: Json, currency: str, kind: SettlementKind) -> VenueSettlement:
    said = parse.text(row, "type")
    if said != kind:
        raise Malformed(f"the venue was asked for {kind}, and answered {said[:30]}")
    lost = kind is SettlementKind.BANKRUPTCY
    return VenueSettlement(
        kind=kind,
        at=parse.stamp(row, "timestamp"),
        instrument="shared losses" if lost else parse.text(row, "instrument_name"),
        currency=currency,
        position=Decimal(0) if lost else _exact(row, "position"),
        mark_price=Decimal(0) if lost else _exact(row, "mark_price"),
        index_price=Decimal(0) if lost else _exact(row, "index_price"),
        profit_loss=_zero_or(row, "profit_loss"),
        session_profit_loss=_zero_or(row, "socialized")
        if lost
        else _exact(row, "session_profit_loss"),
        funding=_exact_or(row, "funding", None),
    )


def _transaction(row: Json) -> TransactionThere:
    number = row.get("id")
    if isinstance(number, bool) or not isinstance(number, int):
        raise Malformed(f"the venue's id is no whole number: {str(number)[:30]}")
    name = row.get("instrument_name")
    return TransactionThere(
        id=number,
        kind=parse.text(row, "type"),
        at=parse.stamp(row, "timestamp"),
        currency=parse.text(row, "currency"),
        change=_exact(row, "change"),
        balance=_exact(row, "balance"),
        cashflow=_zero_or(row, "cashflow"),
        commission=_zero_or(row, "commission"),
        instrument="" if name is None else parse.text(row, "instrument_name"),
        position=_exact_or(row, "position", None),
        price=_exact_or(row, "price", None),
    )


def _trade(row: Json) -> TradeThere:
    side = parse.text(row, "direction")
    if side not in {"buy", "sell"}:
        raise Malformed(f"the venue's direction is neither buy nor sell: {side[:30]}")
    return TradeThere(
        id=parse.text(row, "trade_id"),
        at=parse.stamp(row, "timestamp"),
        instrument=parse.text(row, "instrument_name"),
        side=side,
        amount=_exact(row, "amount"),
        price=_exact(row, "price"),
        fee=_exact(row, "fee"),
        fee_currency=parse.text(row, "fee_currency"),
        profit_loss=_exact_or(row, "profit_loss", None),
        block=str(row.get("block_trade_id") or ""),
        label=str(row.get("label") or ""),
    )
