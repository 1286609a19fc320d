"""Deribit's public data: the documented shapes, over HTTP and WebSocket on loopback."""

import json
import threading
from collections.abc import Generator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from websockets.sync.server import serve

from headframe.cli.app import app
from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.feed import deribit, fetch_deliveries, fetch_market, fetch_ticker
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.units import Wrong

MARKET = sample_market()
SURFACE = surface_of(MARKET)
NOW = int(MARKET.as_of.timestamp() * 1000)
EXPIRIES = ("25SEP26", "25DEC26", "26MAR27")


def summary(name: str, **changed: Any) -> dict[str, Any]:
    """A row of get_book_summary_by_currency with every field the venue documents."""
    row = {
        "instrument_name": name, "base_currency": "BTC", "quote_currency": "BTC", "bid_price": None,
        "ask_price": None, "mid_price": None, "mark_price": 0.05, "last": None, "high": None, "low": None,
        "volume": 0.0, "volume_usd": 0.0, "open_interest": 12.5, "price_change": None,
        "creation_timestamp": NOW, "estimated_delivery_price": 77_000.0,
    }  # fmt: skip
    return row | changed


def option_rows(pair: str, *, inverse: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for label in EXPIRIES:
        expiry = next(
            s for s in SURFACE.smiles if f"{s.expiry.day}{s.expiry:%b%y}".upper() == label
        )
        for strike in range(55_000, 106_000, 5_000):
            for letter, sign in (("C", 1.0), ("P", -1.0)):
                value = SURFACE.value(sign, expiry.years, float(strike))
                unit = expiry.forward if inverse else 1.0
                price = round(value / unit, 4 if inverse else 0)
                tick = 0.0005 if inverse else 40.0
                vol = SURFACE.vol(expiry.years, float(strike)) * 100.0
                rows.append(
                    summary(
                        f"{pair}-{label}-{strike}-{letter}",
                        bid_price=max(price - tick, tick),
                        ask_price=price + tick,
                        mark_price=value / unit,
                        mark_iv=round(vol, 2),
                        underlying_price=expiry.forward,
                        underlying_index=f"{pair}-{label}",
                        interest_rate=0.0,
                    )
                )
    return rows


def future_rows(pair: str) -> list[dict[str, Any]]:
    found = [summary(f"{pair}-PERPETUAL", mark_price=77_060.0, current_funding=0.0, funding_8h=0.0)]
    for label in EXPIRIES:
        smile = next(s for s in SURFACE.smiles if f"{s.expiry.day}{s.expiry:%b%y}".upper() == label)
        found.append(summary(f"{pair}-{label}", mark_price=round(smile.forward, 2)))
    return found


class Venue:
    """What the server answers; ``broken`` replaces a method's result."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: dict[str, Any] = {}

    def result(self, method: str, given: dict[str, Any]) -> Any:
        self.asked.append(method)
        if method in self.broken:
            return self.broken[method]
        pair = "BTC_USDC" if given.get("currency") == "USDC" else "BTC"
        options, futures = option_rows(pair, inverse=pair == "BTC"), future_rows(pair)
        rows = options if given.get("kind") == "option" else futures
        if method == "public/get_instruments":
            return [
                {
                    "instrument_name": row["instrument_name"],
                    "is_active": True,
                    "kind": given["kind"],
                }
                for row in rows
            ]
        if method == "public/get_book_summary_by_currency":
            return [*rows, summary("ETH_USDC-25SEP26")] if pair == "BTC_USDC" else rows
        if method == "public/get_index_price":
            return {"index_price": MARKET.index, "estimated_delivery_price": MARKET.index}
        if method == "public/get_delivery_prices":
            data = [{"date": "2026-08-22", "delivery_price": 76_543.21}, {"date": "2026-08-21", "delivery_price": 76_000.0}]  # fmt: skip
            return {"records_total": 2_000, "data": data[: int(given["count"])]}
        assert method == "public/ticker"
        return {
            "instrument_name": given["instrument_name"], "timestamp": NOW, "state": "open",
            "stats": {"volume": None, "low": None, "high": None, "price_change": None},
            "best_bid_price": 0.0, "best_ask_price": 0.0555, "mark_price": 0.0551, "mark_iv": 43.21,
            "bid_iv": 0.0, "ask_iv": 43.9, "underlying_price": 78_343.0, "underlying_index": "BTC-25DEC26",
            "index_price": 77_054.0, "open_interest": 3.0,
            "greeks": {"delta": -0.31, "gamma": 1e-5, "vega": 90.1, "theta": -20.0, "rho": -8.0},
        }  # fmt: skip

    def answer(self, method: str, given: dict[str, Any], number: Any) -> str:
        found = self.result(method, given)
        if isinstance(found, str):
            return found
        key = "error" if isinstance(found, dict) and "code" in found else "result"
        return json.dumps({"jsonrpc": "2.0", "id": number, key: found, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False})  # fmt: skip


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def http(venue: Venue) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            given = {key: values[0] for key, values in parse_qs(parts.query).items()}
            assert parts.path.startswith("/api/v2/")
            body = venue.answer(parts.path.removeprefix("/api/v2/"), given, None).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - as the library has it

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def websocket(venue: Venue) -> Generator[str]:
    def speak(connection: Any) -> None:
        assert connection.request.path == "/ws/api/v2"
        for said in connection:
            asked = json.loads(said)
            connection.send(json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": {}}))
            connection.send(venue.answer(asked["method"], asked["params"], asked["id"]))

    server = serve(speak, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    server.shutdown()


def test_http_and_websocket_bring_the_same_market(venue: Venue, http: str, websocket: str) -> None:
    one = fetch_market(http, via="http", coin="BTC", settled="coin")
    two = fetch_market(websocket, via="ws", coin="BTC", settled="coin")
    assert (one.forwards, one.options, one.index) == (two.forwards, two.options, two.index)
    assert one.as_of == MARKET.as_of
    assert one.index == MARKET.index
    assert len(one.options) == 3 * 11 * 2
    assert set(venue.asked) == {"public/get_instruments", "public/get_index_price", "public/get_book_summary_by_currency"}  # fmt: skip
    surface = surface_of(one)
    assert surface.vol(surface.smiles[1].years, 78_000.0) == pytest.approx(0.415, abs=0.01)


def test_linear_options_come_as_coins_per_coin(http: str) -> None:
    coin = fetch_market(http, via="http", coin="BTC", settled="coin")
    linear = fetch_market(http, via="http", coin="BTC", settled="usdc")
    assert [f.expiry for f in linear.forwards] == [f.expiry for f in coin.forwards]
    for one, other in zip(coin.options, linear.options, strict=True):
        assert one.mark == pytest.approx(other.mark, rel=1e-9)
        assert (one.strike, one.is_call) == (other.strike, other.is_call)


def test_rows_nobody_renews_lose_their_sides(venue: Venue, http: str) -> None:
    rows = option_rows("BTC", inverse=True)
    rows[0]["creation_timestamp"] = NOW - 600_000
    venue.broken["public/get_book_summary_by_currency"] = rows + future_rows("BTC")
    market = fetch_market(http, via="http", coin="BTC", settled="coin")
    assert market.options[0].bid is None
    assert market.options[0].ask is None
    assert market.options[1].two_sided


def test_a_ticker_and_delivery_prices_are_read(http: str) -> None:
    found = fetch_ticker(http, "BTC-25DEC26-70000-P")
    assert (found.bid, found.ask, found.bid_vol) == (None, 0.0555, None)
    assert found.mark_vol == pytest.approx(0.4321)
    assert found.delta == -0.31
    assert found.at == datetime.fromtimestamp(NOW / 1000, UTC)
    prices = fetch_deliveries(http, coin="BTC", settled="coin", days=2)
    assert prices == (
        (date(2026, 8, 22), Decimal("76543.21")),
        (date(2026, 8, 21), Decimal("76000.0")),
    )
    with pytest.raises(Wrong, match=r"expected 1 or more"):
        fetch_deliveries(http, coin="BTC", settled="coin", days=0)


@pytest.mark.parametrize(
    ("method", "answer", "failure"),
    [
        ("public/get_index_price", {"code": 10028, "message": "too_many_requests"}, Refused),
        ("public/get_index_price", {"index_price": float("nan")}, Malformed),
        ("public/get_index_price", {"index_price": True}, Malformed),
        ("public/get_index_price", "{", Malformed),
        ("public/get_index_price", "[]", Malformed),
        ("public/get_index_price", '{"jsonrpc": "2.0"}', Malformed),
        ("public/get_instruments", {"a": 1}, Malformed),
        ("public/get_instruments", [1], Malformed),
        ("public/get_book_summary_by_currency", [], Malformed),
        ("public/get_book_summary_by_currency", [summary("BTC-25SEP26-70000-P", creation_timestamp="x")], Malformed),
    ],
)  # fmt: skip
def test_what_is_no_market_is_refused(
    venue: Venue, http: str, method: str, answer: Any, failure: Any
) -> None:
    venue.broken[method] = answer
    with pytest.raises(failure):
        fetch_market(http, via="http", coin="BTC", settled="coin")


def test_nobody_there_is_unreachable() -> None:
    for via in ("http", "ws"):
        with pytest.raises(Unreachable):
            fetch_market("http://127.0.0.1:1", via=via, coin="BTC", settled="coin")
    with pytest.raises(Wrong):
        fetch_market("ftp://x", via="http", coin="BTC", settled="coin")
    with pytest.raises(Wrong):
        deribit.snapshot(lambda _m, _p: [], coin="DOGE", settled="coin", source="x")


def test_the_commands_take_the_market_live(http: str, websocket: str, tmp_path: Path) -> None:
    run = CliRunner()
    mine = ["--workspace", str(tmp_path / "mine"), "--json"]
    assert run.invoke(app, ["init", str(tmp_path / "mine")]).exit_code == 0
    for url, via in ((http, "http"), (websocket, "ws")):
        done = run.invoke(app, ["market", "fetch", "--url", url, "--via", via, *mine])
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert found["fit"]["inside"] >= 0.95 * found["fit"]["quotes"] > 0
        assert found["arbitrage"] == {"butterfly": 0, "calendar": 0, "nodes": found["arbitrage"]["nodes"]}  # fmt: skip
    shown = run.invoke(app, ["market", "ticker", "BTC-25DEC26-70000-P", "--url", http])
    assert "bid -, ask 0.0555" in shown.output
    listed = run.invoke(app, ["market", "deliveries", "--url", http, "--days", "2", "--json"])
    assert json.loads(listed.stdout)["deliveries"][0]["delivery_price"] == "76543.21"
