"""What an account holds and must post: positions, summary, margins, the simulated portfolio.

Deribit's standard margin as published until July 2026: futures 2 % + 0.005 % a coin; a short option
the greater of 15 % less how far it is out of the money and 10 %, and its mark; bought options nothing.
"""

from headframe.instrument import Instrument, Kind
from headframe.paper.accounts import Account, Position
from headframe.paper.listing import Listing
from headframe.paper.rpc import Json, Params, invalid
from headframe.paper.world import World

_NOUGHT = (
    "options_gamma", "options_theta", "options_vega", "options_pl", "options_session_rpl",
    "options_session_upl", "futures_session_rpl", "session_rpl", "spot_reserve",
    "additional_reserve", "fee_balance",
)  # fmt: skip
"""Figures of a summary that the street does not keep."""


class Holdings:
    """Positions and margin of accounts, in the settlement currency."""

    def __init__(self, world: World, listing: Listing) -> None:
        self.world = world
        self.listing = listing

    def margins_of(self, terms: Instrument, size: float) -> tuple[float, float]:
        """Initial and maintenance margin of a position, in the settlement currency."""
        if not size:
            return 0.0, 0.0
        price = self.world.price(terms)
        unit = 1.0 if terms.inverse else self.world.index()
        if not terms.is_option:
            coins = abs(size) / price if terms.amount_in_usd else abs(size)
            extra = 0.00005 * coins
            return coins * (0.02 + extra) * unit, coins * (0.01 + extra) * unit
        if size > 0.0:
            return 0.0, 0.0
        forward, strike = self.world.forward(terms), float(terms.strike or 0)
        away = (forward - strike if terms.kind is Kind.PUT else strike - forward) / forward
        mark = price if terms.inverse else price / self.world.index()
        initial = max(0.15 - max(away, 0.0), 0.1) + mark
        return -size * initial * unit, -size * (0.075 + mark) * unit

    def position(self, params: Params, account: Account) -> Json:
        """private/get_position."""
        name = params.text("instrument_name")
        terms = self.world.find(name).terms
        return self._position(name, account.positions.get(name, Position(terms)))

    def positions(self, params: Params, account: Account) -> list[Json]:
        """private/get_positions."""
        kind = params.choice("kind", ("future", "option", "spot", "any"), "any")
        now = self.world.clock.now()
        return [
            self._position(name, held)
            for name, held in account.positions.items()
            if held.size and held.terms.expiry > now and kind in {"any", self.world.find(name).kind}
        ]

    def _position(self, name: str, held: Position) -> Json:
        one = self.world.find(name)
        mark = self.world.price(held.terms)
        floating = _floating(held, mark)
        initial, maintenance = self.margins_of(held.terms, held.size)
        found: Json = {
            "instrument_name": name,
            "kind": one.kind,
            "direction": "zero" if not held.size else "buy" if held.size > 0 else "sell",
            "size": held.size,
            "average_price": held.average,
            "mark_price": mark,
            "index_price": self.world.index(),
            "settlement_price": mark,
            "initial_margin": round(initial, 8),
            "maintenance_margin": round(maintenance, 8),
            "floating_profit_loss": round(floating, 8),
            "realized_profit_loss": round(held.realized, 8),
            "total_profit_loss": round(floating + held.realized, 8),
            "delta": self.delta(name, held),
        }
        if one.terms.is_option:
            greeks = self.listing.greeks(one)
            return found | {key: held.size * greeks[key] for key in ("gamma", "vega", "theta")}
        coins = held.size / mark if held.terms.amount_in_usd and mark else held.size
        return found | {"size_currency": round(coins, 8), "leverage": 50, "open_orders_margin": 0.0}

    def delta(self, name: str, held: Position) -> float:
        """Delta in coins; an option's is Black and Scholes's."""
        one = self.world.find(name)
        if one.terms.is_option:
            return round(held.size * float(self.listing.greeks(one)["delta"]), 8)
        mark = self.world.price(held.terms)
        return round(held.size / mark if held.terms.amount_in_usd else held.size, 8)

    def summary(self, params: Params, account: Account) -> Json:
        """private/get_account_summary: one currency."""
        code = params.text("currency", self.world.snapshot.coin)
        if code not in account.cash:
            raise invalid("currency", "the account holds none")
        held = self._held(code, account)
        marks = {name: self.world.price(one.terms) for name, one in held.items()}
        options = sum(one.size * marks[name] for name, one in held.items() if one.terms.is_option)
        futures = sum(
            _floating(one, marks[name]) for name, one in held.items() if not one.terms.is_option
        )
        margins = [self.margins_of(one.terms, one.size) for one in held.values()]
        initial, maintenance = sum(m[0] for m in margins), sum(m[1] for m in margins)
        balance = account.cash[code]
        equity = balance + options + futures
        deltas = {name: self.delta(name, one) for name, one in held.items()}
        net = sum(
            deltas[name] - (one.size * marks[name] if one.terms.is_option else 0.0)
            for name, one in held.items()
        )
        free = balance + futures - initial
        found: Json = dict.fromkeys(_NOUGHT, 0.0) | {
            "currency": code,
            "balance": balance,
            "equity": equity,
            "margin_balance": balance + futures,
            "available_funds": free,
            "available_withdrawal_funds": max(min(free, balance), 0.0),
            "initial_margin": initial,
            "maintenance_margin": maintenance,
            "projected_initial_margin": initial,
            "projected_maintenance_margin": maintenance,
            "delta_total": net,
            "projected_delta_total": net,
            "options_value": options,
            "options_delta": sum(deltas[n] for n, one in held.items() if one.terms.is_option),
            "futures_pl": futures,
            "futures_session_upl": futures,
            "session_upl": futures,
            "total_pl": futures,
            "portfolio_margining_enabled": False,
            "cross_collateral_enabled": False,
            "margin_model": "segregated_sm",
            "limits": {},
        }
        return found | (_identity(account) if params.flag("extended", default=False) else {})

    def _held(self, code: str, account: Account) -> dict[str, Position]:
        """An account's living positions that settle in a currency."""
        now = self.world.clock.now()
        return {
            name: one
            for name, one in account.positions.items()
            if one.terms.settled_in == code and one.size and one.terms.expiry > now
        }

    def margins(self, params: Params) -> Json:
        """private/get_margins: what buying or selling an amount would ask."""
        one = self.world.find(params.text("instrument_name"))
        amount = params.number("amount")
        params.number("price")
        return {
            "buy": round(self.margins_of(one.terms, amount)[0], 8),
            "sell": round(self.margins_of(one.terms, -amount)[0], 8),
            "min_price": one.rules.tick,
            "max_price": 1e6,
        }

    def simulated(self, params: Params, account: Account) -> Json:
        """private/simulate_portfolio: the summary with other positions, in addition or instead."""
        table = params.table("simulated_positions")
        rows = {} if table is None else table.values
        keep = params.flag("add_positions", default=True)
        trial = Account(account.client_id, "", account.user_id, cash=dict(account.cash))
        if keep:
            trial.positions = {
                name: Position(one.terms, one.size, one.average)
                for name, one in account.positions.items()
            }
        for name, size in rows.items():
            amount = Params({"size": size}).number("size")
            terms = self.world.find(str(name)).terms
            held = trial.positions.setdefault(str(name), Position(terms))
            mark = self.world.price(terms)
            held.average = held.average or mark
            held.size += amount
        return self.summary(params, trial)


def _identity(account: Account) -> Json:
    """Who an account is."""
    name = account.client_id
    return {
        "id": account.user_id,
        "username": name,
        "system_name": name,
        "email": "",
        "type": "main",
        "creation_timestamp": 0,
    }


def _floating(held: Position, mark: float) -> float:
    """Unrealized profit in the settlement currency."""
    if not held.size:
        return 0.0
    if held.terms.amount_in_usd:
        return held.size * (1.0 / held.average - 1.0 / mark)
    return held.size * (mark - held.average)
