"""The cash ladder: the books walked forward day by day on one course of the price, in weeks or months.

Each day is closed as the paper clock closes it: coins at the forecast's median, sales by the policy, hedges
reduced and settled, margin and collateral moved, costs paid, the credit line drawn, and what cannot be found
said. Nothing is written: it is one course, not a chance; the chances are the scenario engine's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from headframe.book import CASH, COINS_FREE, CREDIT_LINE, Accounts, Ledger, under_way
from headframe.desk import simulation, users
from headframe.desk.days import closed, start_of_day
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound, Record
from headframe.desk.programme import pledge_of
from headframe.desk.valuation import Valuation, value_now
from headframe.lifecycle import (
    close_day,
)
from headframe.risk import ChanceLadder, Course, Ladder, chance_ladder, prepare
from headframe.units import BTC, USD, Month, Wrong

WEEKS, MONTHS = 13, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One week or month: flows of cash in USD that add up to its change, and what stands at its end."""

    first: date
    last: date
    price: float
    sales: float
    costs: float
    hedges: float
    collateral: float
    line: float
    overdue: float
    cash: float
    drawn: float
    coins_free: float
    coins_posted: float
    on_the_way: float = 0.0
    """Of the cash, what is not there yet by the bank's calendar."""

    @property
    def flows(self) -> float:
        """All of them."""
        return self.sales + self.costs + self.hedges + self.collateral + self.line + self.overdue


def ladder(
    office: Office, *, weekly: bool = True, move: float = 0.0, over_days: int = 30
) -> tuple[Rung, ...]:
    """Thirteen weeks or twelve months from the first day that is not closed, as far as the forecast goes.

    The price follows the forward curve, moved by ``move`` in a straight line over so many days, then no more.
    """
    users.allowed(office, users.Action.READ)
    if not (-0.99 <= move <= 20.0 and 1 <= over_days <= 366):
        raise Invalid("a move lies between -0.99 and 20, over 1 to 366 days")
    now = value_now(office)
    forecast = now.state.forecast
    if forecast is None:
        raise NotFound("there is no forecast to walk along; run headframe forecast")
    state = now.state
    begin = max(
        state.last_day + timedelta(days=1) if state.last_day else now.at.date(),
        forecast.months[0].month.start.date(),
    )
    end = forecast.months[-1].month.last_day
    return tuple(_walked(now, list(_periods(begin, end, weekly=weekly)), move, over_days))


def _periods(begin: date, end: date, *, weekly: bool) -> Iterator[tuple[date, date]]:
    """First and last days of the periods, whole as far as the forecast goes."""
    for _ in range(WEEKS if weekly else MONTHS):
        last = begin + timedelta(days=6) if weekly else Month.of(begin).last_day
        if begin > end:
            return
        yield begin, min(last, end)
        begin = last + timedelta(days=1)


def _walked(
    now: Valuation, periods: list[tuple[date, date]], move: float, over_days: int
) -> Iterator[Rung]:
    trial, settings = now.state.copy(), now.settings
    for first, last in periods:
        before, price = trial.ledger.copy(), now.surface.spot
        day = first
        while day <= last:
            ahead = max((day - now.at.date()).days, 0)
            share = min(ahead / over_days, 1.0)
            price = round(now.surface.forward(ahead / 365.0) * (1.0 + move * share), 2)
            start = start_of_day(
                trial, settings, now.surface, Course.STABLE, day, Decimal(repr(price))
            )
            draft = closed(start, close_day(start), Course.STABLE)
            record = Record(
                trial.head.count + 1, start.closes_at, "ladder", draft.kind, draft.body, ""
            )
            fold(trial, [record])
            day += timedelta(days=1)
        away = float(under_way(trial.transit, last))
        yield _rung(first, last, price, before, trial.ledger, away)


def _rung(
    first: date, last: date, price: float, before: Ledger, after: Ledger, away: float
) -> Rung:
    def moved(prefix: str) -> float:
        return float(after.total(prefix, USD) - before.total(prefix, USD))

    return Rung(
        first=first,
        last=last,
        price=price,
        sales=-moved(Accounts.CONVERSION),
        costs=-moved(Accounts.expense("")),
        hedges=-moved(Accounts.hedge("")),
        collateral=-moved(Accounts.cash_posted("")) - moved(Accounts.cash_held("")),
        line=-moved(CREDIT_LINE),
        overdue=-moved(Accounts.OVERDUE),
        cash=float(after.balance(CASH, USD)),
        drawn=-float(after.balance(CREDIT_LINE, USD)),
        coins_free=float(after.balance(COINS_FREE, BTC)),
        coins_posted=float(after.total(Accounts.coins_posted(""), BTC)),
        on_the_way=away,
    )


def chances(
    office: Office, *, weekly: bool, kind: Ladder, paths: int, seed: int | None
) -> ChanceLadder:
    """The ladder on the engine's paths: thirteen weeks from now, or the ends of twelve months.

    The covenants are the loan-to-value of the settings and every step of the mandate's lender.
    """
    users.allowed(office, users.Action.READ)
    months = 4 if weekly else MONTHS
    asked = simulation.Asked(
        kind=kind, months=months, paths=paths, seed=seed, thread_count=None, covenant_usd=0.0, moves=(),
    )  # fmt: skip
    made = simulation.programme(office, asked)
    now = value_now(office)
    try:
        engine = prepare(made)
        ends = engine.calendar.month.tolist()
        days = [7 * week for week in range(1, WEEKS + 1)]
        if not weekly:
            days = [
                at for at in range(1, len(ends) + 1) if at == len(ends) or ends[at] != ends[at - 1]
            ]
        found = chance_ladder(
            engine,
            days,
            dict(_prices(now)),
            paths=paths,
            seed=office.state().seed if seed is None else seed,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error
    pledge = pledge_of(now.state, now.settings)
    share = now.settings.operation.treasury.loan_to_value_max
    if pledge.price_at(share) is None:
        return found
    return found.cured(partial(pledge.short_coins, share))


def _prices(now: Valuation) -> Iterator[tuple[str, float]]:
    """By covenant the price below which the loan is too much of its collateral."""
    pledge = pledge_of(now.state, now.settings)
    shares = [now.settings.operation.treasury.loan_to_value_max]
    if now.state.mandate is not None:
        shares += [one.above for one in now.state.mandate.lender.steps]
    for share in sorted(set(shares)):
        price = pledge.price_at(share)
        if price is not None:
            yield f"loan above {share:.0%} (under {price:,.0f} USD)", price
