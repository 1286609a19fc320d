"""CSV option chains as Deribit's instruments are commonly exported: one row an option.

Columns: timestamp, instrument_name, option_type, strike, expiry_datetime, bid_price, ask_price,
mark_price, futures_price, implied_volatility (a fraction), open_interest, index_price; others are
ignored. An empty price is a missing one.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import StringIO
from math import log, sqrt
from statistics import median

from headframe.codec import TableRow, cells_of, number, settled_points
from headframe.instrument import Instrument, Kind, pair_of
from headframe.market import ForwardQuote, OptionQuote, Snapshot
from headframe.numerics import phi
from headframe.pricing import parity_forward
from headframe.units import Wrong, expiry_instant, instant, iso, year_fraction

_NEEDED = (
    "timestamp", "option_type", "strike", "expiry_datetime", "bid_price", "ask_price",
    "mark_price", "futures_price", "implied_volatility", "open_interest", "index_price",
)  # fmt: skip
_FIGURES = (
    "strike", "bid_price", "ask_price", "mark_price", "futures_price", "implied_volatility",
    "open_interest", "index_price",
)  # fmt: skip
_ROWS_MAX = 100_000


def read_chain_csv(text: str, *, name: str) -> Snapshot:
    """The snapshot of one CSV chain; raises Wrong naming every bad line, up to ten."""
    rows, wrong = _rows(text, name)
    options: list[OptionQuote] = []
    futures: dict[datetime, list[float]] = defaultdict(list)
    indexes: list[float] = []
    stamps: list[datetime] = []
    coins: set[str] = set()
    for line, row in rows:
        try:
            coins.update(_coin(row))
            quote = _quote(row)
            stamps.append(instant(row["timestamp"]))
            index = _number(row, "index_price")
            future = _number(row, "futures_price")
        except Wrong as error:
            wrong.append(f"line {line}: {error}")
            continue
        options.append(quote)
        indexes.extend([index] if index else [])
        futures[quote.expiry].extend([future] if future else [])
    if wrong:
        raise Wrong(f"{name}: " + "; ".join(wrong[:10]) + ("; and more" if len(wrong) > 10 else ""))
    if not options or not indexes:
        raise Wrong(f"{name}: no option with an index price in it")
    coin = _only_coin(coins, name)
    return assemble(
        options, futures, index=median(indexes), as_of=max(stamps), source=name, coin=coin
    )


def write_chain_csv(snapshot: Snapshot) -> str:
    """Return the options of a snapshot as the CSV text that ``read_chain_csv`` reads.

    Settled in the coin; an option's future is the forward of its expiry; a missing figure is empty.
    """
    forwards = {quote.expiry: quote.price for quote in snapshot.forwards}
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("timestamp", "instrument_name", *_NEEDED[1:]))
    for quote in snapshot.options:
        kind = Kind.CALL if quote.is_call else Kind.PUT
        instrument = Instrument(
            kind=kind,
            coin=snapshot.coin,
            settled_in=snapshot.coin,
            expiry=quote.expiry,
            strike=Decimal(repr(quote.strike)),
        )
        figures = (
            quote.bid, quote.ask, quote.mark, forwards[quote.expiry], quote.vol,
            quote.open_interest, snapshot.index,
        )  # fmt: skip
        texts = ("" if one is None else repr(one) for one in figures)
        writer.writerow(
            (
                iso(snapshot.as_of),
                instrument.name,
                kind.value,
                repr(quote.strike),
                iso(quote.expiry),
                *texts,
            )
        )
    return out.getvalue()


def _rows(text: str, name: str) -> tuple[list[TableRow], list[str]]:
    """Return the rows as wide as the header, and what is wrong with the others."""
    header, lines = cells_of(text, name)
    columns = [column.lower() for column in header]
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise Wrong(f"{name}: the first line lacks the columns {', '.join(missing)}")
    rows: list[TableRow] = []
    wrong: list[str] = []
    for line, cells in lines:
        if line > _ROWS_MAX:
            raise Wrong(f"{name}: more than {_ROWS_MAX} lines; this is not one option chain")
        if len(cells) == len(columns):
            rows.append((line, dict(zip(columns, cells, strict=True))))
        else:
            wrong.append(f"line {line}: {len(columns)} cells wanted, {len(cells)} found")
    return settled_points(rows, _FIGURES), wrong


def _only_coin(coins: set[str], name: str) -> str:
    """Return the one coin of a chain, bitcoin where no row names its instrument."""
    if len(coins) > 1:
        raise Wrong(f"{name} mixes markets of {', '.join(sorted(coins)[:5])}: give one coin's rows")
    return next(iter(coins), "BTC")


def _coin(row: Mapping[str, str]) -> set[str]:
    """Return the coin that a row's instrument_name says, none without a name.

    Prices of a chain are coins per coin: an instrument settled in dollars is refused.
    """
    name = (row.get("instrument_name") or "").strip()
    if not name:
        return set()
    coin, settled = pair_of(name)
    if settled != coin:
        raise Wrong(
            f"{name[:40]} is settled in {settled}, and a CSV chain has prices in the coin; "
            "fix: import the JSON of get_book_summary_by_currency"
        )
    return {coin}


def assemble(
    options: Sequence[OptionQuote],
    futures: dict[datetime, list[float]],
    *,
    index: float,
    as_of: datetime,
    source: str,
    coin: str = "BTC",
) -> Snapshot:
    """A snapshot from options and what futures were seen; a missing forward comes from parity."""
    by_expiry: dict[datetime, list[OptionQuote]] = defaultdict(list)
    for quote in options:
        by_expiry[quote.expiry].append(quote)
    forwards: list[ForwardQuote] = []
    for expiry, quotes in sorted(by_expiry.items()):
        seen = futures.get(expiry)
        price = median(seen) if seen else parity_forward(tuple(quotes), index)
        if price is not None and expiry > as_of:
            interest = sum(quote.open_interest or 0.0 for quote in quotes)
            forwards.append(ForwardQuote(expiry=expiry, price=price, open_interest=interest))
    if not forwards:
        raise Wrong(f"{source}: no expiry after {as_of:%Y-%m-%d %H:%M} UTC with a forward")
    kept = {forward.expiry for forward in forwards}
    return Snapshot(
        as_of=as_of,
        coin=coin,
        index=index,
        source=source,
        forwards=tuple(forwards),
        options=tuple(quote for quote in options if quote.expiry in kept),
        spread=_spread(options, forwards, as_of),
    )


def _spread(
    options: Sequence[OptionQuote], forwards: Sequence[ForwardQuote], as_of: datetime
) -> float | None:
    """Median bid-ask over mid of two-sided options of 15 to 50 delta, a week or more from expiry."""
    forward = {quote.expiry: quote.price for quote in forwards}
    shares = [
        2.0 * (quote.ask - quote.bid) / (quote.ask + quote.bid)
        for quote in options
        if quote.bid
        and quote.ask
        and quote.ask >= quote.bid
        and quote.expiry in forward
        and 0.15 <= _delta(quote, forward[quote.expiry], as_of) <= 0.50
    ]
    return median(shares) if shares else None


def _delta(quote: OptionQuote, forward: float, as_of: datetime) -> float:
    """The size of an option's delta; 0 where it has no volatility or less than a week to live."""
    years = year_fraction(as_of, quote.expiry)
    if not quote.vol or years < 7.0 / 365.0:
        return 0.0
    deviation = quote.vol * sqrt(years)
    d1 = log(forward / quote.strike) / deviation + 0.5 * deviation
    return phi(d1) if quote.is_call else phi(-d1)


def _quote(row: Mapping[str, str]) -> OptionQuote:
    if row["option_type"] not in {"call", "put"}:
        raise Wrong(f"option_type must be call or put, was {row['option_type'][:20]!r}")
    strike = _number(row, "strike")
    if not strike:
        raise Wrong("a strike is missing")
    return OptionQuote(
        expiry=expiry_instant(row["expiry_datetime"]),
        strike=strike,
        is_call=row["option_type"] == "call",
        bid=_number(row, "bid_price"),
        ask=_number(row, "ask_price"),
        mark=_number(row, "mark_price"),
        vol=_number(row, "implied_volatility"),
        open_interest=_number(row, "open_interest"),
    )


def _number(row: Mapping[str, str], column: str) -> float | None:
    """A figure, or none where the cell is empty."""
    return number(row[column], column) if row[column] else None
