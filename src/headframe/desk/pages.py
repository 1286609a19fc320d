"""Pages: the morning page in eight parts, and the result of a programme walked to its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from headframe.book import COINS_FREE, COINS_PLEDGED, Trade
from headframe.chain import PERIOD
from headframe.counterparty import Standing
from headframe.desk import limits, money, quotes
from headframe.desk.cash import Rung
from headframe.desk.covenants import Certificate, Covenant
from headframe.desk.limits import MarginView
from headframe.desk.office import Office
from headframe.desk.state import State
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import MonthResult, describe, exposure_rows, total
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
from headframe.units import BTC, USD, Month, expiry_label

_AHEAD = timedelta(days=14)


def pnl_table(found: money.Performance) -> Table:
    """Programme P&L by trade."""
    rows = tuple(
        (
            one.trade.id,
            str(one.trade.structure).replace("_", " "),
            one.trade.dealer,
            0.0 if one.position is None else float(one.position.coins),
            str(one.realised_coins),
            float(one.realised_usd),
            0.0 if one.mark is None else one.mark.value_usd,
            0.0 if one.mark is None else one.mark.delta_coins,
            one.total_usd(found.spot),
        )
        for one in found.trades
    )
    everything = sum(one.total_usd(found.spot) for one in found.trades)
    delta = sum(one.mark.delta_coins for one in found.trades if one.mark is not None)
    return Table(
        title=f"Programme P&L at {found.spot:,.0f} USD: {everything:,.0f} USD",
        columns=(
            Column("trade"),
            Column("hedge"),
            Column("dealer"),
            Column("coins left", Form.COINS),
            Column("realised BTC"),
            Column("realised USD", Form.USD),
            Column("unrealised USD", Form.USD),
            Column("delta BTC", Form.COINS),
            Column("total USD", Form.USD),
        ),
        rows=rows,
        note=(
            "Realised coins are valued at today's price in the total. Net delta with coins on hand: "
            f"hedges {delta:,.2f} BTC, coins free, pledged and posted {found.coins:,.2f} BTC."
        ),
    )


def pnl_by_table(by: str, rows: Sequence[money.Sum]) -> Table:
    """Programme P&L added up by month, strategy or counterparty."""
    return Table(
        title=f"Programme P&L by {by}: {sum(one.total_usd for one in rows):,.0f} USD",
        columns=(
            Column(by),
            Column("coins", Form.COINS),
            Column("coins left", Form.COINS),
            Column("realised USD", Form.USD),
            Column("unrealised USD", Form.USD),
            Column("delta BTC", Form.COINS),
            Column("total USD", Form.USD),
        ),
        rows=tuple(
            (
                one.name,
                one.coins,
                one.coins_left,
                one.realised_usd,
                one.unrealised_usd,
                one.delta_coins,
                one.total_usd,
            )
            for one in rows
        ),
        note="Coins at today's price; a trade's profit is shared out by the coins it hedges of each month.",
    )


def margin_table(view: MarginView) -> Table:
    """Both tails of a month."""
    return Table(
        title="A month after a move of the price",
        columns=(
            Column("move", Form.SHARE),
            Column("price USD", Form.PRICE),
            Column("hedges worth USD", Form.USD),
            Column("margin held USD", Form.USD),
            Column("called beyond today USD", Form.USD),
            Column("liquidity USD", Form.USD),
        ),
        rows=tuple(
            (row.move, row.price, row.hedge_usd, row.margin_usd, row.call_usd, row.liquidity_usd)
            for row in view.stresses
        ),
        note=f"Venue rules {view.rules}"
        + ("." if view.rules_in_force else ": the last known; the venue changed them since."),
    )


def ladder_table(rows: Sequence[Rung], move: float) -> Table:
    """The cash ladder."""
    words = "on the forward curve" if not move else f"with a move of {move:+.0%}"
    return Table(
        title=f"Cash ladder {words}, USD",
        columns=(
            Column("until"),
            Column("price", Form.PRICE),
            Column("sales", Form.USD),
            Column("costs", Form.USD),
            Column("hedges", Form.USD),
            Column("collateral", Form.USD),
            Column("credit line", Form.USD),
            Column("cannot be paid", Form.USD),
            Column("cash", Form.USD),
            Column("drawn", Form.USD),
            Column("coins free", Form.COINS),
            Column("posted", Form.COINS),
        ),
        rows=tuple(
            (
                f"{one.last:%Y-%m-%d}",
                one.price,
                one.sales,
                one.costs,
                one.hedges,
                one.collateral,
                one.line,
                one.overdue,
                one.cash,
                one.drawn,
                one.coins_free,
                one.coins_posted,
            )
            for one in rows
        ),
        note=(
            "One course, not a chance: coins at the forecast's median; what hedges pay in coin is sold with "
            "the day's sale. The chances of each month are those of headframe simulate."
        ),
    )


def covenants_table(rows: Sequence[Covenant]) -> Table:
    """The lender's covenants one by one."""
    return Table(
        title="The lender's covenants",
        columns=(
            Column("clause"),
            Column("covenant"),
            Column("asked"),
            Column("found"),
            Column("kept"),
            Column("what follows"),
        ),
        rows=tuple(
            (one.clause, one.name, one.asked, one.found, "yes" if one.kept else "NO", one.remedy)
            for one in rows
        ),
    )


def certificate_page(office: Office, made: Certificate) -> Page:
    """The certificate a lender asks for."""
    whole = "every covenant is kept" if made.kept else "not every covenant is kept"
    return Page(
        title=f"Compliance certificate of {made.entity} to {made.lender}",
        mode=office.state().mode,
        at=made.at,
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


def margin_with_table(proposal: str, dealer: str, view: MarginView, then: MarginView) -> Table:
    """What a proposal adds before it is sent: margin now, the call after each move, the cash-out price."""
    rows: list[tuple[str, float | None, float | None]] = [
        ("posted today", view.today.posted_usd, then.today.posted_usd),
        *(
            (f"called after {now.move:+.0%} in a month", now.call_usd, after.call_usd)
            for now, after in zip(view.stresses, then.stresses, strict=True)
        ),
        ("cash runs out above", view.cash_out_above, then.cash_out_above),
    ]
    return Table(
        title=f"Margin with {proposal} dealt with {dealer}, whose terms ask most of its panel",
        columns=(
            Column(""),
            Column("as it is USD", Form.USD),
            Column("with it USD", Form.USD),
            Column("it adds USD", Form.USD),
        ),
        rows=tuple(
            (name, before, after, None if before is None or after is None else after - before)
            for name, before, after in rows
        ),
    )


def margin_lines(view: MarginView) -> tuple[str, ...]:
    """Margin due today and the two prices that matter, in sentences."""
    above = view.cash_out_above
    out = "cash does not run out below 20 times today's price"
    if above is not None:
        out = f"cash runs out above {above:,.0f} USD ({above / view.spot - 1:+.0%})"
    below = view.covenant_below
    loan = "no loan covenant depends on the price"
    if below is not None:
        loan = f"the loan's covenant breaks below {below:,.0f} USD ({below / view.spot - 1:+.0%})"
    today = view.today
    due = (
        f"Margin today: initial {today.initial_usd:,.0f}, variation {today.variation_usd:,.0f}, "
        f"collateral {today.collateral_usd:,.0f} USD; liquidity {view.liquidity_usd:,.0f} USD."
    )
    lines = (due, f"On the way up {out}; on the way down {loan}.")
    other = view.portfolio
    if other is None:
        return lines
    short = (
        "; the venue adds a shock for so much delta, unpublished: too low"
        if other.delta_shocked
        else ""
    )
    asked = (
        f"By portfolio margin ({view.portfolio_model}): initial {other.initial:,.4f}, maintenance "
        f"{other.maintenance:,.4f} coins, of it {other.roll:,.4f} for rolls; worst at "
        f"{other.worst_move:+.0%}{short}."
    )
    return (*lines, asked)


def morning(office: Office) -> Page:
    """The morning page: eight parts, each with its figures or with "none"."""
    now = value_now(office)
    state = now.state
    view = limits.margin(office)
    sections = (
        _decisions(state),
        _cash(now, view),
        _twelve_months(now),
        _yesterday(state),
        Section(heading="5 Profit and loss", tables=(pnl_table(money.performance(office)),)),
        Section(
            heading="6 Counterparties", tables=(exposure_by_dealer_table(limits.credit(office)),)
        ),
        _ahead(now),
        _exceptions(office, state),
    )
    return Page(
        title=f"{state.name}: morning page",
        mode="paper",
        at=now.at,
        head=str(state.head),
        sections=sections,
    )


def _decisions(state: State) -> Section:
    waiting = [p for p in state.proposals.values() if not state.traded(p.id)]
    live = [p for p in waiting if state.clock is None or p.envelope.valid_until > state.clock]
    steps = {True: "deal it (headframe rfq)", False: "approve it (headframe approve)"}
    lines = tuple(
        f"{p.id}: {describe(p)}: {steps[p.id in state.approvals]} "
        f"by {p.envelope.valid_until:%Y-%m-%d %H:%M} UTC; prepared by {p.preparer}."
        for p in live
    )
    return Section(heading="1 Decisions due", sentences=lines or ("none",))


def _cash(now: Valuation, view: MarginView) -> Section:
    ledger = now.state.ledger
    free = float(ledger.balance(COINS_FREE, BTC))
    pledged = float(ledger.balance(COINS_PLEDGED, BTC))
    posted = float(ledger.total("assets:coins:posted:", BTC))
    dollars = float(ledger.total("assets:cash:posted:", USD))
    first = (
        f"Cash {now.liquidity.cash_usd:,.0f} USD, undrawn line {now.liquidity.undrawn_usd:,.0f} USD; "
        f"coins free {free:,.2f}, pledged {pledged:,.2f}, posted {posted:,.2f}; "
        f"dollars posted {dollars:,.0f}."
    )
    return Section(
        heading="2 Cash and margin",
        sentences=(first, *margin_lines(view)),
        tables=(margin_table(view),),
    )


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
        heading="3 Twelve months", sentences=(line, costs, made), tables=(exposure_table(rows),)
    )


def _yesterday(state: State) -> Section:
    if not state.months or state.last_day is None:
        return Section(heading="4 Yesterday", sentences=("none: no day has been closed yet",))
    last: MonthResult = list(state.months.values())[-1]
    line = (
        f"{state.last_day}: this month {last.mined:,.2f} mined{_against(state, last)}, "
        f"{last.sold:,.2f} sold at "
        f"{last.spot_price:,.0f} USD, realised {last.realised_price:,.0f} USD a coin with the hedge."
    )
    return Section(heading="4 Yesterday", sentences=(line,))


def _against(state: State, last: MonthResult) -> str:
    """What the forecast expected of the month by then; nothing where it does not know the month."""
    assert state.last_day is not None
    if state.forecast is None or last.month not in {row.month for row in state.forecast.months}:
        return ""
    expected = state.forecast.of(last.month).coins.p50 * state.last_day.day / last.month.days
    return f" against {expected:,.2f} forecast by then"


def _ahead(now: Valuation) -> Section:
    until = now.at + _AHEAD
    lines = [
        f"{expiry_label(p.trade.expiry)}: {p.trade.id} expires with {p.coins:.2f} coins left"
        for p in now.positions
        if p.trade.expiry <= until
    ]
    for name, dossier in sorted(now.state.dossiers.items()):
        if now.state.standing[name] is Standing.APPROVED:
            soon = [one for one in dossier.ends if now.at.date() <= one[0] <= until.date()]
            lines += [f"{day}: {name}'s {paper} expires" for day, paper in soon]
    lines += _dates(now, until)
    mandate = now.state.mandate
    if mandate is not None:
        news = [e for e in mandate.asking.macro_events if now.at <= e <= until]
        lines += [f"{e:%Y-%m-%d %H:%M} UTC: scheduled news, do not ask around it" for e in news]
    return Section(heading="7 The next 14 days", sentences=tuple(lines) or ("none",))


def _dates(now: Valuation, until: datetime) -> list[str]:
    """Expected retargets at ten minutes a block, and the month-end test of the loan's covenant."""
    lines: list[str] = []
    forecast = now.state.forecast
    if forecast is not None:
        for number in range(1, 200):
            due = forecast.start_at + number * timedelta(days=14)
            height = forecast.start_height + number * PERIOD
            if now.at <= due <= until:
                lines.append(f"about {due:%Y-%m-%d}: difficulty retarget at height {height:,}")
    treasury = now.settings.operation.treasury
    last = Month.of(now.at).last_day
    if treasury.loan_usd and treasury.coins_pledged and last <= until.date():
        share = treasury.loan_usd / (treasury.coins_pledged * now.surface.spot)
        allowed = treasury.loan_to_value_max
        lines.append(f"{last}: covenant test, loan to value {share:.0%} of at most {allowed:.0%}")
    return lines


def _exceptions(office: Office, state: State) -> Section:
    lines = [f"request {r.request.id[:8]} is {r.state}: {r.outcome}" for r in state.live_rfqs()]
    lines += state.shortfalls
    lines += [f"{f.flaw}: {f.where}: {f.detail}" for f in quotes.show(office).findings[:10]]
    bad = tuple(row for row in limits.watch(office) if row.status is not Status.OK)
    tables = (watch_table(bad),) if bad else ()
    return Section(heading="8 Exceptions", sentences=tuple(lines) or ("none",), tables=tables)


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
    return Page(
        title=f"{state.name}: a year hedged",
        mode="paper",
        at=office.now(),
        head=str(state.head),
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
