"""The street's own records of an account: daily settlements, deliveries, and the transaction log.

Everything follows from the fills and the prices of each 08:00 UTC; nothing is kept beside them. A future
settles each day at its own price: the session's profit and loss is what its fills of the session and the
position carried into it gain by then. What expires settles at the delivery price, the mean of the index from
07:30 to 08:00 UTC; an option then pays its value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from headframe.instrument import Instrument, payoff
from headframe.lifecycle import close_at, closes_after, last_close
from headframe.paper.funding import PerpetualFunding
from headframe.paper.rpc import Json
from headframe.paper.world import World, instant_of, ms

_DIGITS = 8
_MARK_DIGITS = 9
"""An option's value at delivery is stated to nine decimals of the coin, as the venue does."""


@dataclass(frozen=True, slots=True)
class BookedFill:
    """One trade as an account had it: the amount is signed, positive is bought."""

    name: str
    terms: Instrument
    amount: Fraction
    price: Fraction
    fee: Fraction
    trade: Json

    @property
    def at_ms(self) -> int:
        """When it was dealt."""
        return int(self.trade["timestamp"])


@dataclass(slots=True)
class _Holding:
    """What is held of one instrument, what it cost in this session, and since it was opened."""

    terms: Instrument
    size: Fraction = Fraction(0)
    session_cost: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    traded: bool = False
    funding: Fraction = Fraction(0)
    """Funding accrued in the session, of a perpetual."""
    funded_to: datetime | None = None

    def add(self, fill: BookedFill) -> None:
        """Take a fill at its price."""
        worth = _worth(self.terms, fill.amount, fill.price)
        self.size += fill.amount
        self.session_cost += worth
        self.cost += worth
        self.traded = True

    def gains(self, price: Fraction) -> tuple[Fraction, Fraction]:
        """Return the profit at a price of this session, and since it was opened."""
        worth = _worth(self.terms, self.size, price)
        if self.terms.amount_in_usd:
            return self.session_cost - worth, self.cost - worth
        return worth - self.session_cost, worth - self.cost

    def settle(self, price: Fraction) -> None:
        """Begin a session at a settlement price."""
        self.session_cost, self.traded = _worth(self.terms, self.size, price), False
        if not self.size:
            self.cost = Fraction(0)


def _worth(terms: Instrument, amount: Fraction, price: Fraction) -> Fraction:
    """Return an amount at a price in the settlement currency; coins of a future whose amount is in USD."""
    return amount / price if terms.amount_in_usd else amount * price


@dataclass(slots=True)
class AccountRecords:
    """Settlements and the transaction log of one account up to an instant, oldest first."""

    settlements: list[Json] = field(default_factory=list[Json])
    log: list[Json] = field(default_factory=list[Json])


class Records:
    """Prices of each close, and what accounts settled at them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.funding = PerpetualFunding(world)

    def closes(self) -> list[date]:
        """Return the days whose 08:00 UTC has passed since the street began, oldest first."""
        first, last = closes_after(self.world.start), last_close(self.world.clock.now())
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def delivery_price(self, day: date) -> float:
        """Return the mean of the index over the half hour before 08:00 UTC."""
        close = close_at(day)
        looks = [self.world.index_at(close - timedelta(minutes=n)) for n in range(31)]
        return round(sum(looks) / len(looks), 2)

    def settlement_price(self, terms: Instrument, day: date) -> float:
        """Return the price at which a future settles at 08:00 UTC of a day before its expiry."""
        return round(self.world.future_at(terms, close_at(day)), 2)

    def market(self) -> Iterator[Json]:
        """Yield what settled of every listed instrument since the street began, oldest first."""
        for day in self.closes():
            at = close_at(day)
            for one in self.world.listed.values():
                expired = one.terms.expiry.date() == day and not one.perpetual
                if expired or (not one.terms.is_option and one.terms.expiry > at):
                    holding = _Holding(one.terms)
                    yield self._row(one.name, holding, day, expired=expired)

    def of(self, fills: list[BookedFill], funds: dict[str, float]) -> AccountRecords:
        """Return the records of an account from its fills and what it began with."""
        found = AccountRecords()
        ordered = sorted(fills, key=lambda one: one.at_ms)
        begin = min([ms(self.world.start), *(one.at_ms for one in ordered[:1])])
        balances = {code: Fraction(0) for code in funds}
        for code, amount in funds.items():
            self._log(found, balances, (code, Fraction(str(amount))), _deposit(begin))
        held: dict[str, _Holding] = {}
        last = last_close(self.world.clock.now())
        day = closes_after(instant_of(ordered[0].at_ms)) if ordered else last + timedelta(days=1)
        waiting = iter([*ordered, None])
        fill = next(waiting)
        while day <= last or fill is not None:
            while fill is not None and (day > last or fill.at_ms < ms(close_at(day))):
                self._traded(found, balances, held, fill)
                fill = next(waiting)
            if day <= last:
                self._closed(found, balances, held, day)
            day += timedelta(days=1)
        return found

    def _traded(
        self,
        found: AccountRecords,
        balances: dict[str, Fraction],
        held: dict[str, _Holding],
        fill: BookedFill,
    ) -> None:
        holding = held.setdefault(fill.name, _Holding(fill.terms))
        self._fund(holding, instant_of(fill.at_ms))
        holding.add(fill)
        premium = -fill.amount * fill.price if fill.terms.is_option else Fraction(0)
        row = _trade_entry(fill, holding.size) | {
            "cashflow": _figure(premium),
            "commission": _figure(fill.fee),
        }
        self._log(found, balances, (fill.terms.settled_in, premium - fill.fee), row)

    def _closed(
        self,
        found: AccountRecords,
        balances: dict[str, Fraction],
        held: dict[str, _Holding],
        day: date,
    ) -> None:
        """Settle every future, and everything that expires, at 08:00 UTC of a day."""
        at = close_at(day)
        for name in sorted(held):
            holding = held[name]
            expired = holding.terms.expiry <= at
            if holding.terms.is_option and not expired:
                continue
            if holding.size or holding.traded:
                self._fund(holding, at)
                row = self._row(name, holding, day, expired=expired)
                holding.funding = Fraction(0)
                found.settlements.append(row)
                self._moved(found, balances, holding.terms, row)
                holding.settle(Fraction(str(row["mark_price"])) or Fraction(1))
            if expired:
                del held[name]

    def _fund(self, holding: _Holding, at: datetime) -> None:
        """Accrue the funding of a perpetual up to an instant, before its size changes or it settles."""
        if not holding.terms.is_perpetual:
            return
        if holding.funded_to is not None and holding.size:
            holding.funding += self.funding.accrued(
                holding.terms, holding.size, holding.funded_to, at
            )
        holding.funded_to = at

    def _moved(
        self, found: AccountRecords, balances: dict[str, Fraction], terms: Instrument, row: Json
    ) -> None:
        """Write the cash of a settlement into the log."""
        moved = Fraction(str(row["session_profit_loss"]))
        if terms.is_option:
            moved = _rounded(Fraction(str(row["position"])) * _option_value(terms, row))
        moved += Fraction(str(row.get("funding", 0)))
        entry = {
            "type": row["type"],
            "timestamp": row["timestamp"],
            "instrument_name": row["instrument_name"],
            "position": 0.0 if row["type"] == "delivery" else row["position"],
            "price": row["mark_price"],
            "index_price": row["index_price"],
            "cashflow": _figure(moved),
            "commission": 0.0,
            "side": "-",
            "interest_pl": row.get("funding"),
        }
        self._log(found, balances, (terms.settled_in, moved), entry)

    def _row(self, name: str, holding: _Holding, day: date, *, expired: bool) -> Json:
        """Return one settlement in the venue's shape."""
        terms = holding.terms
        index = self.delivery_price(day)
        row: Json = {
            "type": "delivery" if expired else "settlement",
            "timestamp": ms(close_at(day)),
            "instrument_name": name,
            "index_price": index,
            "position": _figure(holding.size),
        }
        if terms.is_option:
            value = _rounded(_option_value(terms, row), _MARK_DIGITS)
            gain = _figure(holding.size * value - holding.cost)
            return row | {
                "mark_price": _figure(value),
                "profit_loss": gain,
                "session_profit_loss": gain,
            }
        mark = index if expired else self.settlement_price(terms, day)
        session, total = holding.gains(Fraction(str(mark)))
        row |= {
            "mark_price": mark,
            "profit_loss": _figure(_rounded(total)),
            "session_profit_loss": _figure(_rounded(session)),
        }
        if not terms.is_perpetual:
            return row
        return row | {"funding": _figure(_rounded(holding.funding))}

    def _log(
        self,
        found: AccountRecords,
        balances: dict[str, Fraction],
        moved: tuple[str, Fraction],
        row: Json,
    ) -> None:
        """Write one entry of the transaction log with the balance after it."""
        code, change = moved
        balances[code] = balances.get(code, Fraction(0)) + change
        number = len(found.log) + 1
        found.log.append(
            _EMPTY
            | row
            | {
                "id": number,
                "user_seq": number,
                "currency": code,
                "change": _figure(change),
                "balance": _figure(balances[code]),
                "equity": _figure(balances[code]),
            }
        )


_EMPTY: Json = {
    "trade_id": None,
    "order_id": None,
    "instrument_name": None,
    "position": None,
    "price": None,
    "interest_pl": None,
    "side": "-",
    "info": {},
}


def _deposit(begin: int) -> Json:
    return {"type": "deposit", "timestamp": begin, "cashflow": 0.0, "commission": 0.0}


def _trade_entry(fill: BookedFill, size: Fraction) -> Json:
    trade = fill.trade
    side = "buy" if fill.amount > 0 else "sell"
    before = size - fill.amount
    opens = not before or (before > 0) == (fill.amount > 0)
    return {
        "type": "trade",
        "timestamp": fill.at_ms,
        "trade_id": str(trade["trade_id"]),
        "order_id": str(trade["order_id"]),
        "instrument_name": fill.name,
        "position": _figure(size),
        "price": float(fill.price),
        "price_currency": "USD" if not fill.terms.is_option else fill.terms.settled_in,
        "mark_price": trade["mark_price"],
        "index_price": trade["index_price"],
        "amount": _figure(abs(fill.amount)),
        "contracts": trade["contracts"],
        "side": f"{'open' if opens else 'close'} {side}",
        "user_role": "maker" if trade.get("liquidity") == "M" else "taker",
        "profit_as_cashflow": False,
    }


def _option_value(terms: Instrument, row: Json) -> Fraction:
    """Return what one option delivers at the index of a row."""
    index = Fraction(str(row["index_price"]))
    return payoff(terms, Fraction(1), index, Fraction(1))


def _rounded(value: Fraction, digits: int = _DIGITS) -> Fraction:
    return Fraction(round(value * 10**digits), 10**digits)


def _figure(value: Fraction) -> float:
    """Return a figure as JSON carries it, to nine decimals."""
    return float(round(value, _MARK_DIGITS))
