"""Pages: the morning page in eight parts, and the result of a programme walked to its end."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from headframe.book import CASH, COINS_FREE, COINS_PLEDGED, Accounts, Break, Trade, still
from headframe.desk import adopting, limits, money, quotes
from headframe.desk.agenda import agenda
from headframe.desk.covenants import Certificate
from headframe.desk.decisions import void_reason
from headframe.desk.designations import Residual, month_so_far, residuals_of
from headframe.desk.limits import MarginView
from headframe.desk.office import Office
from headframe.desk.ports import OutcomeUnknown
from headframe.desk.state import State
from headframe.desk.tables import covenants_table, margin_lines, margin_table, pnl_table
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import (
    describe,
    describe_contract,
    exposure_rows,
)
from headframe.lifecycle import (
    MonthResult,
    total,
)
from headframe.report import (
    Column,
    Form,
    Page,
    Section,
    Table,
    coverage_line,
    exposure_by_dealer_table,
    exposure_table,
    performance_table,
    trades_table,
    trial_table,
    watch_table,
)
from headframe.risk import Status
from headframe.units import BTC, CURRENCIES, USD, Money, Month

_AHEAD = timedelta(days=14)
_RECENT = timedelta(days=1)
"""How long a proposal that can no longer be dealt is shown with the reason."""


def _page(
    state: State, title: str, at: datetime, *, sections: tuple[Section, ...], head: str = ""
) -> Page:
    """Return a page of a workspace: its mode is the journal's own, and no page says another."""
    return Page(
        title=title, mode=state.mode, at=at, head=head or str(state.head), sections=sections
    )


def certificate_page(office: Office, made: Certificate) -> Page:
    """The certificate a lender asks for."""
    whole = "every covenant is kept" if made.kept else "not every covenant is kept"
    return _page(
        office.state(),
        f"Compliance certificate of {made.entity} to {made.lender}",
        made.at,
        head=str(made.anchor),
        sections=(
            Section(
                heading=f"As of {made.at:%Y-%m-%d %H:%M} UTC, at {made.spot:,.0f} USD a coin: {whole}",
                sentences=(
                    f"Stated by {made.by}, from the books that the journal's head above stands for.",
                ),
                tables=(covenants_table(made.covenants),),
            ),
        ),
    )


def morning(office: Office) -> Page:
    """The morning page: eight parts, each with its figures or with "none"."""
    now = value_now(office)
    state = now.state
    view = limits.margin(office)
    sections = (
        _decisions(office, state),
        _cash(now, view),
        _twelve_months(now),
        _yesterday(now),
        Section(heading="5 Profit and loss", tables=(pnl_table(money.performance(office)),)),
        Section(
            heading="6 Counterparties", tables=(exposure_by_dealer_table(limits.credit(office)),)
        ),
        _ahead(now),
        _exceptions(office, state),
    )
    return _page(state, f"{state.name}: morning page", now.at, sections=sections)


def _decisions(office: Office, state: State) -> Section:
    lines = (*_stops(office, state), *_waiting(state), *_contracts(state))
    return Section(heading="1 Decisions due", sentences=lines or ("none",))


def _stops(office: Office, state: State) -> Iterator[str]:
    """What has to be settled before anything can be dealt."""
    if state.halted is not None:
        yield f"Trading is halted by {state.halted.by}: {state.halted.reason}: headframe resume lifts it."
    try:
        adopting.require(office)
    except OutcomeUnknown as error:
        yield f"Nothing can be dealt: {error}."


def _waiting(state: State) -> Iterator[str]:
    """Proposals that can be approved or dealt now; then those of the last day that cannot, and why."""
    steps = {True: "deal it (headframe rfq)", False: "approve it (headframe approve)"}
    void: list[str] = []
    for one in state.proposals.values():
        if state.traded(one.id):
            continue
        reason = void_reason(state, one)
        if reason is None:
            yield (
                f"{one.id}: {describe(one)}: {steps[one.id in state.approvals]} "
                f"by {one.envelope.valid_until:%Y-%m-%d %H:%M} UTC; prepared by {one.preparer}."
            )
        elif state.clock is None or state.clock - one.at < _RECENT:
            void.append(f"{one.id}: {describe(one)}: void, {reason}.")
    yield from void


def _contracts(state: State) -> Iterator[str]:
    """Contracts that wait: drafts for approval or dealing, closes for approval."""
    for one in state.contracts.values():
        terms, held = one.envelope, one.held
        if held is None and not one.declined_by and (state.clock or one.at) < terms.valid_until:
            step = "deal" if one.approval is not None else "approve"
            yield (
                f"{one.id}: {describe_contract(terms.terms)}: {step} it (headframe contract {step}) by "
                f"{terms.valid_until:%Y-%m-%d %H:%M} UTC; prepared by {one.preparer}."
            )
        elif held is not None and held.days_left and one.closing is not None:
            yield (
                f"{one.id}: close at {one.closing.usd:,.2f} USD to us: approve it (headframe contract "
                f"close --approve); proposed by {one.closing.by}."
            )


def _cash(now: Valuation, view: MarginView) -> Section:
    ledger = now.state.ledger
    free = float(ledger.balance(COINS_FREE, BTC))
    pledged = float(ledger.balance(COINS_PLEDGED, BTC))
    posted = float(ledger.total("assets:coins:posted:", BTC))
    lent = float(ledger.total(Accounts.coins_lent(""), BTC))
    dollars = float(ledger.total("assets:cash:posted:", USD))
    first = (
        f"Cash {now.liquidity.cash_usd:,.0f} USD, undrawn line {now.liquidity.undrawn_usd:,.0f} USD; "
        f"coins free {free:,.2f}, pledged {pledged:,.2f}, posted {posted:,.2f}"
        f"{f', lent {lent:,.2f}' if lent else ''}; "
        f"dollars posted {dollars:,.0f}."
    )
    return Section(
        heading="2 Cash and margin",
        sentences=(first, *_elsewhere(now), *margin_lines(view)),
        tables=(margin_table(view),),
    )


def _elsewhere(now: Valuation) -> Iterator[str]:
    """Dollars that are not there yet, and cash in other currencies."""
    for one in still(now.state.transit, now.at.date()):
        yield f"On its way from {one.source}: {one.usd} USD, there on {one.there}."
    for (account, code), smallest in now.state.ledger.balances():
        if account not in {CASH, COINS_FREE} or code in {USD.code, BTC.code} or not smallest:
            continue
        money = Money(CURRENCIES[code], smallest)
        usd = now.state.usd_of(money, now.at, now.settings.bank)
        words = "no fresh rate" if usd is None else f"{usd:,.0f} USD"
        yield f"{'Cash' if account == CASH else 'Coins'} {money} {code}: {words}."


def _twelve_months(now: Valuation) -> Section:
    forecast, mandate = now.state.forecast, now.state.mandate
    if forecast is None or mandate is None:
        return Section(heading="3 Twelve months", sentences=("no forecast or no mandate in force",))
    rows = exposure_rows(forecast, mandate.cover, now.positions, now.at)
    if not rows:
        line = "none: no month of the forecast lies ahead; run headframe forecast"
        return Section(heading="3 Twelve months", sentences=(line,))
    secured = sum(row.secured_usd for row in rows)
    need = sum(row.cash_need_usd for row in rows)
    share = f"{secured / need:.0%}" if need else "-"
    line = (
        f"The secured floor brings {secured:,.0f} USD of {need:,.0f} USD of power, fixed costs, "
        f"debt service and capex: {share}."
    )
    assert now.state.forecast_in_force is not None
    version = now.state.versions[now.state.forecast_in_force]
    ahead = tuple(month for month in forecast.months if month.month >= rows[0].month)
    costs = coverage_line(secured, ahead)
    made = (
        f"Sized on {version.id} of {version.at:%Y-%m-%d}, {version.status}; hash {version.sha256}."
    )
    return Section(
        heading="3 Twelve months",
        sentences=(line, costs, made),
        tables=(exposure_table(rows, month_so_far(now)),),
    )


def _yesterday(now: Valuation) -> Section:
    """Return the last close, the month's coins and their realised price, and hedges left over."""
    state = now.state
    lines: list[str] = []
    if state.closed_through is not None:
        lines.append(f"Closed through {state.closed_through} 08:00 UTC.")
    months = money.realised_of(state, now.settings)
    begun = [one for one in months if one.mined.smallest or one.sold.smallest]
    if begun:
        last = begun[-1]
        spot, realised = (
            "-" if price is None else f"{price:,.0f} USD"
            for price in (last.spot_price, last.realised_price)
        )
        lines.append(
            f"{last.month}: {float(last.mined):,.2f} mined{_against(now, last.month)}, "
            f"{float(last.sold):,.2f} sold at {spot}, realised {realised} a coin with the hedge."
        )
    lines += [
        f"{one.trade.id} expired {one.trade.expiry:%Y-%m-%d}, settlement outstanding: headframe close-day."
        for one in now.outstanding
    ]
    lines += [_left_over(one) for one in residuals_of(now)]
    return Section(
        heading="4 Yesterday", sentences=tuple(lines) or ("none: no day has been closed yet",)
    )


def _left_over(one: Residual) -> str:
    """Return a hedge left over after its coins were sold, in a sentence."""
    words = "speculative" if one.over_hedged else f"to be reduced by {one.state.due:%Y-%m-%d}"
    return (
        f"{one.state.trade} hedges {one.state.residual:.2f} coins of {one.state.month} beyond the coins to "
        f"sell ({words}): delta {one.delta_coins:,.2f} BTC, value {one.value_usd:,.0f} USD, owner "
        f"{one.owner}."
    )


def _against(now: Valuation, month: Month) -> str:
    """Return what the forecast expected of a month by now; nothing where it does not know the month."""
    forecast = now.state.forecast
    if forecast is None or month not in {row.month for row in forecast.months}:
        return ""
    done = month.days if now.at >= month.end else (now.at - month.start).days
    expected = forecast.of(month).coins.p50 * done / month.days
    return f" against {expected:,.2f} forecast by then"


def _ahead(now: Valuation) -> Section:
    lines = tuple(one.words for one in agenda(now, _AHEAD))
    return Section(heading="7 The next 14 days", sentences=lines or ("none",))


def _exceptions(office: Office, state: State) -> Section:
    lines = [f"request {r.request.id[:8]} is {r.state}: {r.outcome}" for r in state.live_rfqs()]
    lines += state.shortfalls
    lines += [_broken(one, office.now()) for one in state.breaks.values()]
    lines += [f"{f.flaw}: {f.where}: {f.detail}" for f in quotes.show(office).findings[:10]]
    bad = tuple(row for row in limits.watch(office) if row.status is not Status.OK)
    tables = (watch_table(bad),) if bad else ()
    return Section(heading="8 Exceptions", sentences=tuple(lines) or ("none",), tables=tables)


def _broken(one: Break, now: datetime) -> str:
    """Return an open break in a sentence, with its age and owner."""
    days = max((now - one.since).days, 0)
    return (
        f"break of {one.account} in {one.currency}: ours {one.ours}, theirs {one.theirs} ({one.source}), "
        f"open {days} days, owner {one.owner}: headframe statement"
    )


def result(office: Office, courses: tuple[tuple[str, tuple[MonthResult, ...]], ...]) -> Page:
    """The programme's result: trades, courses walked, and the trial balance."""
    state = office.state()
    summary = Table(
        title="Three courses to the end of the programme",
        columns=(
            Column("course"),
            Column("coins sold", Form.COINS),
            Column("spot USD/coin", Form.PRICE),
            Column("realised USD/coin", Form.PRICE),
            Column("hedge USD", Form.USD),
            Column("cash at end USD", Form.USD),
            Column("unhedged USD", Form.USD),
            Column("lowest month-end cash USD", Form.USD),
            Column("unhedged USD ", Form.USD),
        ),
        rows=tuple(
            (
                name,
                all_in.sold,
                all_in.spot_price,
                all_in.realised_price,
                all_in.hedge_usd,
                all_in.cash_usd,
                all_in.cash_unhedged_usd,
                all_in.cash_low_usd,
                all_in.cash_low_unhedged_usd,
            )
            for name, all_in in ((name, total(months)) for name, months in courses)
        ),
    )
    return _page(
        state,
        f"{state.name}: a year hedged",
        office.now(),
        sections=(
            *morning(office).sections,
            Section(heading="The courses", tables=(summary, *(_course(c) for c in courses))),
            Section(heading="Trades", tables=(trades_table(_trades(state)),)),
            Section(
                heading="Trial balance",
                tables=(trial_table(tuple(state.ledger.trial_balance()), None),),
            ),
        ),
    )


def _course(course: tuple[str, tuple[MonthResult, ...]]) -> Table:
    return performance_table(course[1], f"The {course[0]} course")


def _trades(state: State) -> tuple[Trade, ...]:
    return tuple(state.trades.values())
