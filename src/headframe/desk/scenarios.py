"""The scenario table: what each strategy brings at a price, on typed figures or on the workspace's market.

The two are never mixed: once a figure of the market is typed, the market of the workspace gives none. With an
expiry named, its market gives spot, forward and premiums, and only the strikes are the user's own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from headframe.desk import production, quotes
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.mining import Forecast
from headframe.pricing import tradable
from headframe.risk import Outcome, Strategy, Terms, outcomes
from headframe.units import Wrong, expiry_label, year_fraction

_CENT = Decimal("0.01")
DEFAULT_MOVES = (-0.40, -0.20, 0.0, 0.20, 0.40, 0.60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed; None is not said."""

    coins: Decimal | None
    cost: Decimal | None
    spot: Decimal | None
    put: Decimal | None
    call: Decimal | None
    prices: tuple[Decimal, ...]
    forward: Decimal | None
    put_premium: Decimal | None
    call_premium: Decimal | None
    expiry: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The table and what had to be said about it."""

    terms: Terms
    prices: tuple[Decimal, ...]
    rows: tuple[Outcome, ...]
    notes: tuple[str, ...]


def scenario(asked: Asked, office: Office | None) -> Scenario:
    """Outcomes by price, on the typed figures of a market or on that of the workspace, never on both.

    Coins and cost that are not typed come from the workspace's forecast, where there is a workspace.
    """
    full, source = _complete(asked, office)
    names = ("coins", "cost", "put", "call")
    missing = [f"--{name}" for name in names if getattr(full, name) is None]
    prices = full.prices or _default_prices(full)
    if missing or not prices:
        needed = ", ".join(missing or ["--prices"])
        where = "without a workspace" if office is None else "on figures of your own"
        raise Invalid(f"{where} a scenario needs {needed}")
    try:
        assert full.coins is not None
        assert full.cost is not None
        assert full.put is not None
        assert full.call is not None
        terms = Terms(
            coins=full.coins,
            cost=full.cost,
            put=full.put,
            call=full.call,
            forward=full.forward,
            put_premium=full.put_premium,
            call_premium=full.call_premium,
        )
        rows = outcomes(terms, prices)
    except Wrong as error:
        raise Invalid(str(error)) from error
    return Scenario(terms=terms, prices=prices, rows=rows, notes=(*source, *_notes(terms)))


def _complete(asked: Asked, office: Office | None) -> tuple[Asked, tuple[str, ...]]:
    """Fill in what was not typed, and say where it came from."""
    prices = ("spot", "forward", "put_premium", "call_premium")
    typed = [name for name in prices if getattr(asked, name) is not None]
    if asked.expiry is not None and typed:
        named = ", ".join("--" + name.replace("_", "-") for name in typed)
        raise Invalid(
            f"--expiry: expected prices from the workspace's market alone, got {named} besides; "
            "fix: leave out --expiry, or the prices"
        )
    if office is None:
        return asked, ()
    strikes = asked.put is not None or asked.call is not None
    if asked.expiry is None and (typed or strikes):
        note = "on the figures given: no price is taken from the workspace's market"
        return _from_mine(asked, office), (note,)
    return _from_market(asked, office)


def _notes(terms: Terms) -> list[str]:
    found = [
        f"{strategy} is left out: {option} is not known"
        for strategy, option in (
            (Strategy.SHORT_FUTURE, "--forward"),
            (Strategy.PROTECTIVE_PUT, "--put-premium"),
        )
        if strategy not in terms.known
    ]
    if terms.put_premium is None or terms.call_premium is None:
        found.append("the collar is taken at zero cost: give --put-premium and --call-premium")
    else:
        found.append(f"the collar's residual is {terms.collar_cost} USD a coin (positive is paid)")
    return found


def _default_prices(asked: Asked) -> tuple[Decimal, ...]:
    if asked.spot is None:
        return ()
    moves = (Decimal(repr(1.0 + move)) for move in DEFAULT_MOVES)
    return tuple((asked.spot * move).quantize(_CENT) for move in moves)


def _from_mine(asked: Asked, office: Office) -> Asked:
    """Fill in coins and cost that were not typed, from the first month of the forecast."""
    if asked.coins is not None and asked.cost is not None:
        return asked
    made = production.current(office)
    return replace(
        asked,
        coins=_coins(made) if asked.coins is None else asked.coins,
        cost=_cost(made) if asked.cost is None else asked.cost,
    )


def _from_market(asked: Asked, office: Office) -> tuple[Asked, tuple[str, ...]]:
    """Fill in spot, forward and premiums of the expiry, strikes, and coins and cost of the mine."""
    seen = quotes.show(office)
    snapshot, surface = seen.snapshot, seen.surface
    quote = next(
        (
            row
            for row in snapshot.forwards
            if (asked.expiry or row.expiry) == row.expiry
            and (asked.expiry or (row.expiry - snapshot.as_of).days >= 90)
        ),
        None,
    )
    if quote is None:
        listed = ", ".join(expiry_label(row.expiry) for row in snapshot.forwards)
        wanted = expiry_label(asked.expiry) if asked.expiry else "90 days or more away"
        raise NotFound(f"the market has no expiry {wanted}; listed: {listed}")
    spot = Decimal(repr(snapshot.index))
    forward = surface.forward(year_fraction(snapshot.as_of, quote.expiry))
    grid = Decimal(1000)
    put = asked.put or (Decimal(repr(forward * 0.9)) / grid).to_integral_value() * grid
    call = asked.call or (Decimal(repr(forward * 1.15)) / grid).to_integral_value() * grid
    premiums: list[Decimal | None] = []
    for is_call, strike in ((False, put), (True, call)):
        price = tradable(
            snapshot, surface, is_call=is_call, strike=float(strike), expiry=quote.expiry
        )
        side = None if price is None else (price.bid if is_call else price.ask)
        premiums.append(None if side is None else (Decimal(repr(side)) * spot).quantize(_CENT))
    filled = replace(
        asked,
        spot=spot,
        put=put,
        call=call,
        forward=Decimal(repr(forward)).quantize(_CENT),
        put_premium=premiums[0],
        call_premium=premiums[1],
    )
    note = f"spot, forward and premiums of {expiry_label(quote.expiry)} are those of the market"
    return _from_mine(filled, office), (f"{note} of {snapshot.as_of:%Y-%m-%d %H:%M} UTC",)


def _coins(made: Forecast) -> Decimal:
    return Decimal(repr(made.months[0].coins.p50)).quantize(_CENT)


def _cost(made: Forecast) -> Decimal:
    """Cash cost per coin of the first month: all cash that leaves over expected coins."""
    row = made.months[0]
    if row.coins.p50 <= 0.0:
        raise Invalid(f"{row.month} brings no coins to spread its cost over; give --cost")
    return Decimal(repr(row.cash_need_usd / row.coins.p50)).quantize(_CENT)
