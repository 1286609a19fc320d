"""The street's records as methods of the venue: settlement history, transaction log, trades by time.

Shapes and paging as the venue documents them (API 2.1.1): settlements and the log come newest first and are
joined by a continuation, trades by time say whether there are more. Recent trades are of the last day; with
``historical`` all are told.
"""

from collections.abc import Callable
from fractions import Fraction

from headframe.instrument import Instrument, payoff
from headframe.paper.accounts import Account, Accounts
from headframe.paper.lit import wanted_instrument
from headframe.paper.records import AccountRecords, Records
from headframe.paper.rpc import Json, Params, invalid

_KINDS = ("settlement", "delivery", "bankruptcy", "any")
_DAY_MS = 86_400_000
TradesOf = Callable[[Account, Callable[[Json], bool]], list[Json]]
Private = Callable[[Params, Account], Json]


class Past:
    """What happened to accounts, by currency, instrument and time."""

    def __init__(self, accounts: Accounts, records: Records, trades_of: TradesOf) -> None:
        self._accounts, self._records, self._trades_of = accounts, records, trades_of
        self._kept: dict[tuple[str, int, int], AccountRecords] = {}

    def of_trades(self) -> dict[str, Private]:
        """Return the methods that need the scope of trades."""
        return {
            "private/get_settlement_history_by_currency": self.settlement_history,
            "private/get_settlement_history_by_instrument": self.settlement_history,
            "private/get_user_trades_by_currency_and_time": self.trades_by_time,
            "private/get_user_trades_by_instrument_and_time": self.trades_by_time,
        }

    def last_settlements(self, params: Params) -> Json:
        """public/get_last_settlements_by_currency and _by_instrument."""
        return self._page(params, list(self._records.market()))

    def settlement_history(self, params: Params, account: Account) -> Json:
        """private/get_settlement_history_by_currency and _by_instrument; other accounts have none here."""
        mine = params.whole("subaccount_id", account.user_id) == account.user_id
        return self._page(params, self._of(account).settlements if mine else [])

    def _page(self, params: Params, rows: list[Json]) -> Json:
        """Return a page of settlements, the newest first, and where the next begins."""
        kind = params.choice("type", _KINDS, "any")
        meant = _meant(params)
        latest = params.whole("search_start_timestamp", 2**52)
        count = params.whole("count", 20, low=1, high=1_000)
        found = [
            row
            for row in rows
            if kind in {"any", row["type"]} and meant(row) and row["timestamp"] <= latest
        ]
        # Counted from the oldest, so that what settles meanwhile moves no page.
        end = len(found)
        if params.given("continuation"):
            text = params.text("continuation")
            if not (text.startswith("s") and text[1:].isascii() and text[1:].isdigit()):
                raise invalid("continuation", "is not one of ours")
            end = min(int(text[1:]), end)
        begin = max(end - count, 0)
        page = found[begin:end][::-1]
        return {"settlements": page, "continuation": f"s{begin}" if begin else None}

    def transaction_log(self, params: Params, account: Account) -> Json:
        """private/get_transaction_log: entries of a currency between two stamps, the newest first."""
        code = params.text("currency")
        start, end = params.whole("start_timestamp"), params.whole("end_timestamp")
        count = params.whole("count", 100, low=1, high=250)
        before = params.whole("continuation", 2**52)
        wanted = params.text("query", "")
        found = [
            row | {"user_id": account.user_id, "username": account.client_id}
            for row in reversed(self._of(account).log)
            if row["currency"] == code
            and start <= row["timestamp"] <= end
            and row["id"] <= before
            and wanted in {"", row["type"]}
        ]
        return {
            "logs": found[:count],
            "continuation": found[count]["id"] if len(found) > count else None,
        }

    def trades_by_time(self, params: Params, account: Account) -> Json:
        """private/get_user_trades_by_currency_and_time and _by_instrument_and_time."""
        start, end = params.whole("start_timestamp"), params.whole("end_timestamp")
        count = params.whole("count", 10, low=1, high=1_000)
        newest_first = params.choice("sorting", ("asc", "desc", "default"), "default") != "asc"
        recent = self._records.world.now_ms() - _DAY_MS
        if params.flag("historical", default=False):
            recent = 0
        if not (params.given("currency") or params.given("instrument_name")):
            raise invalid("currency", "value required")
        rows = [
            row
            for row in self._trades_of(account, wanted_instrument(params))
            if start <= row["timestamp"] <= end and row["timestamp"] >= recent
        ]
        rows = sorted(rows, key=lambda row: row["timestamp"], reverse=newest_first)
        return {"trades": rows[:count], "has_more": len(rows) > count}

    def worth(self, terms: Instrument) -> float:
        """Return the price at which what has expired is closed: an option's value, a future's delivery."""
        index = self._records.delivery_price(terms.expiry.date())
        if not terms.is_option:
            return index
        return float(payoff(terms, Fraction(1), Fraction(str(index)), Fraction(1)))

    def _of(self, account: Account) -> AccountRecords:
        """Return an account's records, made anew only after a fill or a close."""
        key = (account.client_id, len(account.fills), len(self._records.closes()))
        if key not in self._kept:
            self._kept = {
                one: kept for one, kept in self._kept.items() if one[0] != account.client_id
            }
            self._kept[key] = self._records.of(account.fills, self._accounts.funds())
        return self._kept[key]


def _meant(params: Params) -> Callable[[Json], bool]:
    """Return which settlements are meant: of an instrument, or of a settlement currency."""
    if params.given("instrument_name"):
        name = params.text("instrument_name")
        return lambda row: row["instrument_name"] == name
    code = params.text("currency")
    if code == "any":
        return lambda _: True
    usdc = "_USDC-"
    if code == "USDC":
        return lambda row: usdc in row["instrument_name"]
    return lambda row: row["instrument_name"].startswith(f"{code}-")
