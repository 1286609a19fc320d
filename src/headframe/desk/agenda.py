"""What is to come: settlements, deliveries and payments by their dates, tests, expiries, news."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from headframe.book import HeldContract, MarginTerms, Position
from headframe.chain import PERIOD
from headframe.counterparty import Standing
from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.desk.programme import pledge_of
from headframe.desk.valuation import Valuation, value_now
from headframe.instrument import Delivery, delivers, delivery_window
from headframe.units import Money, Month

_RETARGET = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Dated:
    """One thing to come; ``whole_day`` where only its day is known."""

    at: datetime
    what: str
    whole_day: bool = False

    @property
    def words(self) -> str:
        """With its day or its instant."""
        when = f"{self.at:%Y-%m-%d}" if self.whole_day else f"{self.at:%Y-%m-%d %H:%M} UTC"
        return f"{when}: {self.what}"


def shown(office: Office, days: int) -> tuple[Dated, ...]:
    """Everything within some days from now, soonest first."""
    users.allowed(office, users.Action.READ)
    if not 1 <= days <= 1_100:
        raise Invalid(f"an agenda spans 1 to 1,100 days, was {days}")
    return agenda(value_now(office), timedelta(days=days))


def agenda(now: Valuation, span: timedelta) -> tuple[Dated, ...]:
    """The same of a book that is valued already."""
    until = now.at + span
    found = (
        *_settlements(now, until),
        *_payments(now, until),
        *_tests(now, until),
        *_papers(now),
        *_news(now),
    )
    today = now.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(
        sorted(one for one in found if (today if one.whole_day else now.at) <= one.at <= until)
    )


def _settlements(now: Valuation, until: datetime) -> Iterator[Dated]:
    for one in now.outstanding:
        words = (
            f"{one.trade.id} expired {one.trade.expiry:%Y-%m-%d %H:%M} UTC, settlement outstanding"
        )
        yield _day(now, now.at.date(), f"{words}: headframe close-day")
    for one in now.dealt:
        if one.trade.expiry <= until:
            yield Dated(at=one.trade.expiry, what=_expiry(one))
    for held in now.state.held_contracts():
        yield from _fixings(held, until)
    futures = [
        one.trade.id
        for one in now.dealt
        if one.trade.margin is MarginTerms.VENUE
        and not any(leg.instrument.is_option for leg in one.trade.legs)
    ]
    if futures:
        at = now.at.replace(hour=8, minute=0, second=0, microsecond=0)
        at += timedelta(days=0 if at > now.at else 1)
        yield Dated(at=at, what=f"variation of {', '.join(futures)} settles, as on every day")


def _fixings(held: HeldContract, until: datetime) -> Iterator[Dated]:
    """A contract's next fixing, and its last, when options on a mean pay."""
    name, days = held.contract.id, held.days_left
    daily = held.contract.terms.forward is not None
    words = "hashprice settles, as on every day" if daily else "price enters its mean, as every day"
    first, last = held.fixes_at(days[0]), held.fixes_at(days[-1])
    if first <= until:
        yield Dated(at=first, what=f"{name}: {days[0]}'s {words} to {days[-1]}")
    if last <= until and len(days) > 1:
        ends = "its last day settles" if daily else "its mean is known and pays"
        yield Dated(at=last, what=f"{name}: {ends}, {held.coins:.2f} coins left now")


def _expiry(one: Position) -> str:
    """How a trade ends: what the index is averaged over, and what its options deliver."""
    leg = max(one.trade.legs, key=lambda each: each.instrument.expiry)
    begin, end = delivery_window(leg.instrument)
    how = f"the index averaged {begin:%H:%M}-{end:%H:%M}"
    if delivers(leg.instrument) is Delivery.FUTURE_THEN_CASH:
        how += ", options into a future that settles in cash"
    return f"{one.trade.id} expires with {one.coins:.2f} coins left, {how}"


def _payments(now: Valuation, until: datetime) -> Iterator[Dated]:
    """Costs at each month's end, dollars on their way, collateral called."""
    forecast, bank = now.state.forecast, now.settings.bank
    costs = now.settings.operation.costs
    for row in () if forecast is None else forecast.months:
        if row.month < Month.of(now.at) or row.month.start > until:
            continue
        last = row.month.last_day
        day = last if bank is None else bank.days.on_or_before(last)
        usd = row.power_usd + costs.fixed_usd_month + costs.debt_service_usd_month
        usd += costs.capex_usd.get(row.month, 0.0)
        yield _day(now, day, f"costs of {row.month} are paid, {usd:,.0f} USD")
    for one in now.state.transit:
        yield _day(now, one.there, f"{float(one.usd):,.2f} USD arrive from {one.source}")
    for due in now.state.payments_due:
        side = "from" if due.money.smallest > 0 else "to"
        size = Money(due.money.currency, abs(due.money.smallest))
        yield _day(
            now, due.due, f"{due.trade}: {size} {size.currency.code} settles {side} {due.dealer}"
        )
    for call in now.state.calls:
        side = "to" if call.ours else "from"
        yield _day(
            now, call.due, f"collateral of {float(call.usd):,.2f} USD moves {side} {call.dealer}"
        )
    for made in now.state.margin_calls:
        if made.left.smallest:
            side = "from" if made.from_us else "to"
            yield _day(
                now,
                made.due,
                f"call {made.number}: {float(made.left):,.2f} USD due {side} {made.dealer}",
            )


def _tests(now: Valuation, until: datetime) -> Iterator[Dated]:
    """Retargets at ten minutes a block, the covenant at the month's end, the next review."""
    forecast = now.state.forecast
    if forecast is not None:
        at, height = forecast.start_at + _RETARGET, forecast.start_height + PERIOD
        while at <= until:
            if at >= now.at:
                words = f"difficulty retarget at height {height:,}, about then"
                yield Dated(at=at, what=words, whole_day=True)
            at, height = at + _RETARGET, height + PERIOD
    pledge, spot = pledge_of(now.state, now.settings), now.surface.spot
    if pledge.loan_usd > 0.0 and pledge.coins > 0.0:
        share = pledge.loan_usd / (pledge.coins * spot)
        allowed = now.settings.operation.treasury.loan_to_value_max
        words = f"covenant test, loan to value {share:.0%} of at most {allowed:.0%}"
        yield _day(now, Month.of(now.at).last_day, words)
    mandate = now.state.mandate
    if mandate is not None and now.state.reviewed is not None:
        due = now.state.reviewed.at + timedelta(days=mandate.review.days)
        yield Dated(at=due, what="the next review of the programme is due", whole_day=True)


def _papers(now: Valuation) -> Iterator[Dated]:
    for name, dossier in sorted(now.state.dossiers.items()):
        if now.state.standing[name] is Standing.APPROVED:
            for day, paper in dossier.ends:
                yield _day(now, day, f"{name}'s {paper} expires")


def _news(now: Valuation) -> Iterator[Dated]:
    mandate = now.state.mandate
    for at in () if mandate is None else mandate.asking.macro_events:
        yield Dated(at=at, what="scheduled news, do not ask around it")
    bank = now.settings.bank
    for day in () if bank is None else bank.holidays:
        yield _day(now, day, "bank holiday")


def _day(now: Valuation, day: date, what: str) -> Dated:
    return Dated(at=datetime.combine(day, time(), now.at.tzinfo), what=what, whole_day=True)
