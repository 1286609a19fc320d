"""market show, market import."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command
from headframe.cli.funding import funding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headframe.desk.quotes import MarketView
    from headframe.lifecycle import SettlementPrice


@click.group()
def market() -> None:
    """The market: show it, import another, fetch it live."""


def _answer(call: Call, view: "MarketView") -> None:
    from headframe.codec import to_json
    from headframe.pricing import forward_curve, quality_of
    from headframe.report import findings_table, market_table
    from headframe.units import iso

    snapshot, surface = view.snapshot, view.surface
    points = {point.expiry: point for point in forward_curve(snapshot)}
    quality = quality_of(surface, snapshot)
    call.answer(
        "market",
        {
            "as_of": iso(snapshot.as_of),
            "clock": iso(view.at),
            "source": snapshot.source,
            "index": snapshot.index,
            "expiries": [
                {
                    "expiry": iso(smile.expiry),
                    "years": smile.years,
                    "forward": points[smile.expiry].forward,
                    "forward_bid": points[smile.expiry].bid,
                    "forward_ask": points[smile.expiry].ask,
                    "forward_fitted": smile.forward,
                    "basis_usd": points[smile.expiry].basis_usd,
                    "carry": points[smile.expiry].carry,
                    "atm_vol": surface.vol_at(smile.years, 0.0),
                    "open_interest": quote.open_interest
                    if (quote := snapshot.forward(smile.expiry))
                    else None,
                    "weights": list(smile.mixture.weights),
                    "means": list(smile.mixture.means),
                    "deviations": list(smile.mixture.deviations),
                }
                for smile in surface.smiles
            ],
            "options": len(snapshot.options),
            "fit": to_json(quality.fit),
            "arbitrage": to_json(quality.arbitrage),
            "findings": [
                {"finding": str(f.flaw), "where": f.where, "detail": f.detail}
                for f in view.findings
            ],
        },
        market_table(snapshot, surface, quality),
        findings_table(view.findings),
        f"as of {iso(snapshot.as_of)}; the workspace's clock stands at {iso(view.at)}",
    )


@market.command(name="show")
@command
def show_market(call: Call) -> None:
    """Forward, volatilities and open interest by expiry, and what is wrong with them."""
    from headframe.desk import quotes

    _answer(call, quotes.show(call.office()))


@market.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--as-of", "as_of", type=Instant(), help="When it was taken, where the file does not say."
)
@command
def import_market(call: Call, file: Path, as_of: datetime | None) -> None:
    """Import FILE: a CSV option chain, the JSON of Deribit's get_book_summary_by_currency, or "sample"."""
    from headframe.desk import quotes
    from headframe.feed import market_from_text, read_text
    from headframe.market import sample_market

    office = call.office()
    if str(file) == "sample" and not file.exists():
        snapshot = sample_market()
    else:
        snapshot = market_from_text(read_text(file), name=file.name, as_of=as_of)
    _answer(call, quotes.take(office, snapshot))


_URL = click.option(
    "--url",
    help="A server of Deribit's API (HEADFRAME_DERIBIT_URL; the venue's own where neither is).",
)
_COIN = click.option("--coin", type=click.Choice(["BTC", "ETH"]), default="BTC", show_default=True)
_SETTLED = click.option(
    "--settled", type=click.Choice(["coin", "usdc"]), default="coin", show_default=True
)


@market.command(name="fetch")
@_URL
@_COIN
@_SETTLED
@click.option("--via", type=click.Choice(["http", "ws"]), default="http", show_default=True)
@command
def fetch_live(call: Call, *, url: str | None, coin: str, settled: str, via: str) -> None:
    """Import the market from Deribit's public data, live: every option and future of a coin."""
    from headframe.desk import quotes
    from headframe.feed import fetch_market
    from headframe.wiring import source_url

    office = call.office()
    snapshot = fetch_market(url or source_url("DERIBIT"), via=via, coin=coin, settled=settled)
    _answer(call, quotes.take(office, snapshot))


@market.command(name="ticker")
@click.argument("instrument")
@_URL
@command
def show_ticker(call: Call, instrument: str, url: str | None) -> None:
    """One INSTRUMENT as the venue quotes it now, like BTC-25DEC26-70000-P."""
    from headframe.codec import to_json
    from headframe.feed import fetch_ticker
    from headframe.instrument import parse_instrument
    from headframe.report import ticker_lines
    from headframe.wiring import source_url

    name = parse_instrument(instrument).name
    found = fetch_ticker(url or source_url("DERIBIT"), name)
    call.answer("ticker", to_json(found), *ticker_lines(found))


class _ShowByDefault(click.Group):
    """A group whose first subcommand is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--help" not in args[:1] and (not args or args[0] not in self.commands):
            args.insert(0, "show")
        return super().parse_args(ctx, args)


market.add_command(funding)


@market.group(name="deliveries", cls=_ShowByDefault)
def deliveries() -> None:
    """Settlement and delivery prices: show the venue's, fetch, import or type them, list what is recorded."""


_DAYS = click.option("--days", type=Whole(1, 1_000), default=10, show_default=True)


@deliveries.command(name="show")
@_URL
@_COIN
@_SETTLED
@_DAYS
@command
def show_deliveries(call: Call, *, url: str | None, coin: str, settled: str, days: int) -> None:
    """Delivery prices by day, the mean of the index from 07:30 to 08:00 UTC, the newest first."""
    from headframe.feed import fetch_deliveries
    from headframe.report import deliveries_table
    from headframe.wiring import source_url

    found = fetch_deliveries(url or source_url("DERIBIT"), coin=coin, settled=settled, days=days)
    rows = [{"date": day.isoformat(), "delivery_price": str(price)} for day, price in found]
    call.answer("deliveries", {"deliveries": rows}, deliveries_table(found))


def _recorded(call: Call, prices: "Sequence[SettlementPrice]") -> None:
    """Record prices and say what was new, known and corrected."""
    from headframe.codec import to_json
    from headframe.desk import settlement_prices

    found = settlement_prices.record(call.office(), prices)
    corrected = [
        {
            "trade": one.leg.trade,
            "close": one.close.isoformat(),
            "instrument": one.leg.instrument.name,
            "before": str(one.leg.price),
            "after": str(one.price),
            "currency": one.money.currency.code,
            "amount": str(one.money),
        }
        for one in found.corrected
    ]
    call.answer(
        "settlement-prices",
        {"new": to_json(found.new), "known": found.known, "corrected": corrected},
        f"{len(found.new)} prices recorded, {found.known} known already",
        *(
            f"{row['trade']}: {row['instrument']} of {row['close']} corrected from {row['before']} to "
            f"{row['after']}, {row['amount']} {row['currency']}"
            for row in corrected
        ),
    )


@deliveries.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", help="Who says so, where the file does not (default: the file's name).")
@command
def import_deliveries(call: Call, *, file: Path, source: str | None) -> None:
    """Record the settlement and delivery prices of FILE: CSV, XLSX, or a saved get_delivery_prices answer.

    Columns: date, instrument, price; kind, source, observed_at where stated. A price that was used in a
    close and changes is booked as an adjusting event.
    """
    from headframe.codec import PriceDefaults, read_delivery_answer, read_settlement_prices
    from headframe.feed import read_table, read_text

    coin = call.office().settings().operation.coin
    if file.suffix.lower() == ".json":
        defaults = PriceDefaults(coin=coin, source=source or "deribit")
        prices = read_delivery_answer(read_text(file), file.name, defaults)
    else:
        defaults = PriceDefaults(coin=coin, source=source or file.name)
        prices = read_settlement_prices(read_table(file), file.name, defaults)
    _recorded(call, prices)


@deliveries.command(name="fetch")
@_URL
@click.option("--days", type=Whole(1, 10_000), default=10, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Every day that the venue knows.")
@click.option("--no-futures", is_flag=True, help="Delivery prices of the index alone.")
@command
def fetch_recorded(
    call: Call, *, url: str | None, days: int, everything: bool, no_futures: bool
) -> None:
    """Record the venue's own delivery prices of the mine's coin and settlement prices of its futures.

    They are read to the end, page by page, of so many days back. Asked is --url, else HEADFRAME_DERIBIT_URL,
    else the venue of headframe.toml, else Deribit.
    """
    from datetime import date, timedelta

    from headframe.feed import fetch_settlement_prices
    from headframe.lifecycle import last_close
    from headframe.wiring import public_url, source_url

    office = call.office()
    settings = office.settings()
    since = date.min if everything else last_close(office.now()) - timedelta(days=days - 1)
    found = fetch_settlement_prices(
        url or source_url("DERIBIT") or public_url(settings),
        coin=settings.operation.coin,
        since=since,
        futures=() if no_futures else None,
    )
    # A venue's clock may be ahead of the workspace's: what has not closed here cannot be recorded yet.
    _recorded(call, [one for one in found if one.day <= last_close(office.now())])


@deliveries.command(name="add")
@click.option("--date", "day", required=True, help="Day of the close, YYYY-MM-DD.")
@click.option("--instrument", required=True, help="An index (btc_usd) or a future (BTC-26MAR27).")
@click.option("--price", required=True, help="USD per coin.")
@click.option("--kind", type=click.Choice(["settlement", "delivery", "index"]))
@click.option("--source", required=True, help="Who says so.")
@command
def add_delivery(
    call: Call, *, day: str, instrument: str, price: str, kind: str | None, source: str
) -> None:
    """Record one price typed by hand, with its source; the author is who acts."""
    from headframe.codec import PriceDefaults, read_settlement_prices

    coin = call.office().settings().operation.coin
    row = {"date": day, "instrument": instrument, "price": price, "kind": kind or ""}
    defaults = PriceDefaults(coin=coin, source=source)
    _recorded(call, read_settlement_prices([(1, row)], "typed price", defaults))


@deliveries.command(name="list")
@command
def list_deliveries(call: Call) -> None:
    """List the settlement and delivery prices that are recorded, the newest first."""
    from headframe.codec import to_json
    from headframe.report import settlement_prices_table

    state = call.office().state()
    found = sorted(state.settlement_prices.values(), key=lambda one: one.key, reverse=True)
    call.answer("settlement-prices", {"prices": to_json(found)}, settlement_prices_table(found))
