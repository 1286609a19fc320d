"""The street's public market data in the venue's shapes: instruments, tickers, summaries, books, trades.

Shapes of Deribit API 2.1.1 as observed live; where the document contradicts itself (a ticker's
``underlying_index`` typed as a number), what is observed is followed.
"""

from datetime import datetime, timedelta
from math import exp, log

from headframe.paper.lit import LitBook
from headframe.paper.records import Records
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.street import Street
from headframe.paper.world import Listed, World, ms
from headframe.pricing import black76, black76_greeks

_KINDS = ("future", "option", "spot", "future_combo", "option_combo", "any")
_CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR", "any")
_FAR_MS = 32_503_708_800_000


class Listing:
    """What anybody may read."""

    def __init__(self, world: World, lit: LitBook, street: Street) -> None:
        self.world = world
        self.lit = lit
        self.street = street
        self.records = Records(world)
        self._shares: dict[datetime, dict[float, float]] = {}

    def _meant(self, params: Params) -> list[Listed]:
        currency = params.text("currency", "any")
        if currency not in _CURRENCIES and currency != self.world.snapshot.coin:
            raise invalid("currency", "is not known")
        kind = params.choice("kind", _KINDS, "any")
        if currency not in {"any", self.world.snapshot.coin} or params.flag(
            "expired", default=False
        ):
            return []
        now = self.world.clock.now()
        return [
            one
            for one in (*self.world.listed.values(), *self.world.combos.values())
            if one.terms.expiry > now and (kind == one.kind or (kind == "any" and not one.legs))
        ]

    def instruments(self, params: Params) -> list[Json]:
        """public/get_instruments."""
        return [self._row(one) for one in self._meant(params)]

    def instrument(self, params: Params) -> Json:
        """public/get_instrument."""
        return self._row(self.world.find_any(params.text("instrument_name")))

    def _row(self, one: Listed) -> Json:
        terms, rules, fees = one.terms, one.rules, self.world.fees
        option = terms.is_option
        row: Json = {
            "instrument_name": one.name,
            "instrument_id": one.number,
            "kind": one.kind,
            "base_currency": terms.coin,
            "counter_currency": "USD" if terms.inverse else terms.settled_in,
            "quote_currency": terms.coin if option and terms.inverse else "USD",
            "settlement_currency": terms.settled_in,
            "settlement_period": "perpetual" if one.perpetual else _period(one, self.world),
            "instrument_type": "reversed" if terms.inverse else "linear",
            "price_index": f"{terms.coin.lower()}_usd",
            "is_active": True,
            "state": "open",
            "creation_timestamp": ms(self.world.start - timedelta(days=90)),
            "expiration_timestamp": _FAR_MS if one.perpetual else ms(terms.expiry),
            "tick_size": rules.tick,
            "tick_size_steps": [{"above_price": 0.005, "tick_size": 0.0005}]
            if option and terms.inverse
            else [],
            "min_trade_amount": rules.least,
            "contract_size": 1.0 if option else rules.least,
            "maker_commission": fees.option_coins if option else 0.0,
            "taker_commission": fees.option_coins if option else fees.future_share,
            "block_trade_commission": fees.option_coins if option else fees.future_share,
            "block_trade_min_trade_amount": rules.block_least,
            "block_trade_tick_size": rules.block_tick,
            "underlying_type": "crypto",
            "rfq": False,
        }
        if one.legs:
            return row
        if option:
            assert terms.strike is not None
            side = "put" if one.name.endswith("-P") else "call"
            return row | {"strike": float(terms.strike), "option_type": side}
        kind = "reversed" if terms.inverse else "linear"
        return row | {
            "future_type": kind,
            "max_leverage": 50,
            "max_liquidation_commission": 0.0075,
        }

    def _quotes(self, one: Listed) -> Json:
        bids, asks = self.lit.sides(one.name)
        mark = round(self.world.mark(one), 4 if one.terms.is_option else 2)
        return {
            "best_bid_price": bids[0][0] if bids else 0.0,
            "best_bid_amount": bids[0][1] if bids else 0.0,
            "best_ask_price": asks[0][0] if asks else 0.0,
            "best_ask_amount": asks[0][1] if asks else 0.0,
            "mark_price": mark,
            "index_price": self.world.index(),
            "last_price": self._last(one.name),
            "open_interest": self._interest(one),
        }

    def _last(self, name: str) -> float | None:
        prices = [t["price"] for t in self.lit.trades(None) if t["instrument_name"] == name]
        return prices[-1] if prices else None

    def _interest(self, one: Listed) -> float:
        """Open interest: as the market's quotes say, else the expiry's shared out around its forward."""
        if one.legs:
            return 0.0
        quoted = [
            quote.open_interest
            for quote in self.world.snapshot.options
            if quote.expiry == one.terms.expiry
            and one.terms.strike is not None
            and quote.strike == float(one.terms.strike)
            and quote.is_call == one.name.endswith("-C")
        ]
        if quoted:
            return quoted[0] or 0.0
        forward = self.world.snapshot.forward(one.terms.expiry)
        if forward is None or forward.open_interest is None:
            return 0.0
        if one.terms.strike is None:
            return round(0.1 * forward.open_interest * forward.price, -1)
        weights = self._weights(one.terms.expiry, forward.price)
        return round(forward.open_interest * weights[float(one.terms.strike)], 1)

    def _weights(self, expiry: datetime, forward: float) -> dict[float, float]:
        """Shares of an expiry's open interest by strike, put and call alike; they add up to one half."""
        known = self._shares.get(expiry)
        if known is None:
            strikes = {
                float(one.terms.strike)
                for one in self.world.listed.values()
                if one.terms.expiry == expiry and one.terms.strike is not None
            }
            raw = {k: exp(-0.5 * (log(k / forward) / 0.25) ** 2) for k in sorted(strikes)}
            total = 2.0 * sum(raw.values())
            known = self._shares[expiry] = {k: weight / total for k, weight in raw.items()}
        return known

    def ticker(self, params: Params) -> Json:
        """public/ticker."""
        return self.ticker_of(params.text("instrument_name"))

    def ticker_of(self, name: str) -> Json:
        """The ticker of one instrument."""
        one = self.world.find_any(name)
        found = self._quotes(one) | {
            "instrument_name": name,
            "timestamp": self.world.now_ms(),
            "state": "open",
            "min_price": one.rules.tick,
            "max_price": 1e6,
            "estimated_delivery_price": self.world.index(),
            "settlement_price": self.world.price(one.terms),
            "stats": _STATS,
        }
        if one.legs:
            return found | {"min_price": -1e6, "settlement_price": self.world.mark(one)}
        if one.terms.is_option:
            return found | self._option(one)
        if one.perpetual:
            rate = float(self.records.funding.rate_8h)
            return found | {"current_funding": rate, "funding_8h": rate, "interest_value": rate}
        return found

    def _option(self, one: Listed) -> Json:
        vol, forward = self.world.vol_of(one.terms), self.world.forward(one.terms)
        return {
            "mark_iv": round(100.0 * vol, 2),
            "bid_iv": round(98.0 * vol, 2),
            "ask_iv": round(102.0 * vol, 2),
            "interest_rate": 0.0,
            "underlying_index": _underlying(one),
            "underlying_price": forward,
            "greeks": self.greeks(one),
        }

    def greeks(self, one: Listed) -> Json:
        """Greeks as the venue shows them: per coin, vega per point of volatility, theta per day."""
        assert one.terms.strike is not None
        years = max((one.terms.expiry - self.world.at).total_seconds() / 31_536_000.0, 1e-6)
        side = -1.0 if one.name.endswith("-P") else 1.0
        vol, forward = self.world.vol_of(one.terms), self.world.forward(one.terms)
        strike = float(one.terms.strike)

        price, delta, gamma, vega, _ = black76_greeks(side, forward, strike, vol, years, 1.0)
        day = min(1.0 / 365.0, years)
        theta = black76(side, forward, strike, vol, max(years - day, 1e-9), 1.0) - price
        return {
            "delta": round(delta, 5),
            "gamma": round(gamma, 8),
            "vega": round(vega / 100.0, 5),
            "theta": round(theta, 5),
            "rho": round(-price * years / 100.0, 5),
        }

    def summaries(self, params: Params) -> list[Json]:
        """public/get_book_summary_by_currency."""
        return [self._summary(one) for one in self._meant(params)]

    def summary(self, params: Params) -> list[Json]:
        """public/get_book_summary_by_instrument."""
        return [self._summary(self.world.find_any(params.text("instrument_name")))]

    def _summary(self, one: Listed) -> Json:
        quotes = self._quotes(one)
        bid, ask = quotes["best_bid_price"] or None, quotes["best_ask_price"] or None
        found: Json = {
            "instrument_name": one.name,
            "base_currency": one.terms.coin,
            "quote_currency": one.terms.coin if one.terms.is_option else "USD",
            "bid_price": bid,
            "ask_price": ask,
            "mid_price": (bid + ask) / 2.0 if bid and ask else None,
            "mark_price": quotes["mark_price"],
            "open_interest": quotes["open_interest"],
            "creation_timestamp": self.world.now_ms(),
            "estimated_delivery_price": self.world.index(),
            "last": quotes["last_price"],
            "high": None,
            "low": None,
            "price_change": None,
            "volume": 0.0,
            "volume_usd": 0.0,
        }
        if one.terms.is_option and not one.legs:
            found |= {
                "mark_iv": round(100.0 * self.world.vol_of(one.terms), 2),
                "interest_rate": 0.0,
                "underlying_index": _underlying(one),
                "underlying_price": self.world.forward(one.terms),
            }
        return found

    def order_book(self, params: Params) -> Json:
        """public/get_order_book."""
        depth = params.whole("depth", 10, low=1, high=10_000)
        name = params.text("instrument_name")
        bids, asks = self.lit.sides(name)
        return self.ticker_of(name) | {
            "bids": bids[:depth],
            "asks": asks[:depth],
            "change_id": self.world.now_ms(),
        }

    def index_price(self, params: Params) -> Json:
        """public/get_index_price."""
        name = params.text("index_name", f"{self.world.snapshot.coin.lower()}_usd")
        if name not in self.index_names():
            raise invalid("index_name", "is not known")
        return {"index_price": self.world.index(), "estimated_delivery_price": self.world.index()}

    def index_names(self) -> list[str]:
        """public/get_index_price_names."""
        coin = self.world.snapshot.coin.lower()
        return [f"{coin}_usd", f"{coin}_usdc"]

    def delivery_prices(self, params: Params) -> Json:
        """public/get_delivery_prices: one of each 08:00 UTC since the street began, the newest first."""
        self.index_price(params)
        days = self.records.closes()[::-1]
        offset = params.whole("offset", 0)
        count = params.whole("count", 10, low=1, high=1_000)
        rows = [
            {"date": day.isoformat(), "delivery_price": self.records.delivery_price(day)}
            for day in days[offset : offset + count]
        ]
        return {"records_total": len(days), "data": rows}

    def currencies(self, _: Params) -> list[Json]:
        """public/get_currencies."""
        coin = self.world.snapshot.coin
        return [
            _currency(coin, "Bitcoin" if coin == "BTC" else coin, 8),
            _currency("USDC", "USD Coin", 6),
        ]

    def contract_size(self, params: Params) -> Json:
        """public/get_contract_size."""
        one = self.world.find_any(params.text("instrument_name"))
        return {"contract_size": 1.0 if one.terms.is_option else one.rules.least}

    def expirations(self, params: Params) -> Json:
        """public/get_expirations."""
        coin = self.world.snapshot.coin
        days = {one.name.split("-")[1] for one in self._meant(Params({})) if not one.perpetual}
        kind = params.choice("kind", ("future", "option", "any"), "any")
        both = {"future": sorted(days), "option": sorted(days)}
        return {coin.lower(): both if kind == "any" else {kind: both[kind]}}

    def last_trades(self, params: Params) -> Json:
        """public/get_last_trades_by_instrument and _by_currency."""
        count = params.whole("count", 10, low=1, high=1_000)
        rows = [_public_trade(one) for one in self.lit.trades(None)]
        if params.given("instrument_name"):
            name = self.world.find_any(params.text("instrument_name")).name
            rows = [row for row in rows if row["instrument_name"] == name]
        return {"trades": rows[::-1][:count], "has_more": len(rows) > count}

    def rfq_trades(self, params: Params) -> Json:
        """public/get_block_rfq_trades: the tape, anonymous."""
        if not params.given("currency"):
            raise invalid("currency", "value required")
        count = params.whole("count", 20, low=1, high=1_000)
        done = [r for r in self.street.memory.requests.values() if r["state"] == "filled"]
        rows = [self.tape(one) for one in done[::-1]]
        more = (
            f"{rows[count - 1]['timestamp']}:{rows[count - 1]['id']}" if len(rows) > count else None
        )
        return {"block_rfqs": rows[:count], "continuation": more}

    @staticmethod
    def tape(request: Json) -> Json:
        """What everybody may know of a filled request."""
        legs = [
            leg | {"price": trade["price"]}
            for leg, trade in zip(
                request["legs"], request["blocks"][0]["trades"][: len(request["legs"])], strict=True
            )
        ]
        return {
            "id": request["block_rfq_id"],
            "timestamp": request["blocks"][0]["timestamp"],
            "direction": request["trades"][0]["direction"],
            "amount": request["amount"],
            "mark_price": request["mark_price"],
            "legs": legs,
            **({"hedge": request["hedge"]} if request["hedge"] else {}),
            "index_prices": request["index_prices"],
            "trades": [
                {key: one[key] for key in ("direction", "price", "amount")}
                for one in request["trades"]
            ],
        }


_STATS: Json = {"volume": 0.0, "volume_usd": 0.0, "low": None, "high": None, "price_change": None}


def _underlying(one: Listed) -> str:
    return one.name.rsplit("-", 2)[0]


def _period(one: Listed, world: World) -> str:
    days = (one.terms.expiry - world.start).days
    return "month" if days > 14 else "week" if days > 2 else "day"


def _currency(code: str, name: str, places: int) -> Json:
    return {
        "currency": code,
        "currency_long": name,
        "coin_type": "BITCOIN" if code == "BTC" else "ETHER",
        "fee_precision": 4,
        "decimals": places,
        "min_confirmations": 1,
        "min_withdrawal_fee": 0.0,
        "withdrawal_fee": 0.0,
        "withdrawal_priorities": [],
        "in_cross_collateral_pool": True,
        "apr": 0.0,
    }


def _public_trade(trade: Json) -> Json:
    hidden = {
        "fee",
        "fee_currency",
        "order_id",
        "label",
        "liquidity",
        "matching_id",
        "api",
        "state",
    }
    hidden |= {"post_only", "reduce_only", "mmp", "order_type", "profit_loss"}
    return {key: value for key, value in trade.items() if key not in hidden}


def known_currency(code: str) -> str:
    """A currency the street accounts for, or the venue's error."""
    if code not in _CURRENCIES:
        raise RpcError(-32602, "Invalid params", "invalid currency", "currency")
    return code
