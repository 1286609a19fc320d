"""market show, market import."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command

if TYPE_CHECKING:
    from headframe.desk.quotes import MarketView


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

    name = instrument if instrument.endswith("PERPETUAL") else parse_instrument(instrument).name
    found = fetch_ticker(url or source_url("DERIBIT"), name)
    call.answer("ticker", to_json(found), *ticker_lines(found))


@market.command(name="deliveries")
@_URL
@_COIN
@_SETTLED
@click.option("--days", type=Whole(1, 1_000), default=10, show_default=True)
@command
def deliveries(call: Call, *, url: str | None, coin: str, settled: str, days: int) -> None:
    """Delivery prices by day, the mean of the index from 07:30 to 08:00 UTC, the newest first."""
    from headframe.feed import fetch_deliveries
    from headframe.report import deliveries_table
    from headframe.wiring import source_url

    found = fetch_deliveries(url or source_url("DERIBIT"), coin=coin, settled=settled, days=days)
    rows = [{"date": day.isoformat(), "delivery_price": str(price)} for day, price in found]
    call.answer("deliveries", {"deliveries": rows}, deliveries_table(found))
