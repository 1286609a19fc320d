"""demo: the whole playbook on a sample mine, each step through the functions the commands use."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from headframe.cli import demo_life
from headframe.cli.frame import Call, command
from headframe.cli.progress import bar
from headframe.cli.screen import show
from headframe.counterparty import Step
from headframe.desk import (
    approvals,
    audit,
    counterparties,
    days,
    designations,
    execution,
    lifecycle,
    limits,
    money,
    pages,
    policy,
    production,
    programme,
    quotes,
    scenarios,
    tables,
)
from headframe.desk.awarding import ladder_json
from headframe.desk.office import Office
from headframe.desk.ports import Declined
from headframe.desk.taking import Dealt
from headframe.desk.valuation import value_now
from headframe.hedge import (
    Proposal,
)
from headframe.instrument import Kind
from headframe.lifecycle import (
    MonthResult,
    total,
)
from headframe.market import sample_market
from headframe.pricing import quality_of
from headframe.report import (
    Section,
    counterparty_table,
    coverage_line,
    drivers_table,
    exposure_by_dealer_table,
    exposure_table,
    findings_table,
    forecast_table,
    html,
    ladder_table,
    machines_table,
    mandate_table,
    markdown,
    market_table,
    objective_table,
    performance_table,
    proposal_lines,
    risks_table,
    scenario_table,
    strategy_table,
    trades_table,
    trial_table,
    watch_table,
)
from headframe.risk import Course, Status
from headframe.units import iso
from headframe.wiring import create_office, fork_office, trading

_DEALERS = ("amber", "basalt", "cobalt", "dolomite", "emery", "feldspar")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo-mine"))
@command
def demo(call: Call, folder: Path) -> None:
    """The whole playbook into FOLDER (default demo-mine), which is left as a workspace to explore."""
    office = create_office(folder, sample_market(), user="treasurer")
    if not call.as_json:
        show(
            "A sample mine of about 7 EH/s over two sites, about 100 coins a month, hedges its next",
            "twelve months on paper. Dealers are invented; market, difficulty and consensus are facts.",
        )
    story = _Story(call, office, folder)
    story.market()
    story.forecast()
    story.mandate_and_dealers()
    proposals = story.plan()
    story.approve(proposals)
    story.trade(proposals)
    story.watch()
    courses = story.courses()
    story.life()
    story.verify(courses)


@dataclass
class _Story:
    """The steps in order; each shows what it did and what it means."""

    call: Call
    office: Office
    folder: Path

    def tell(self, heading: str, *things: object) -> None:
        """One step, unless only the data of the end was asked for."""
        if not self.call.as_json:
            show(Section(heading=heading), *things)

    def acting(self, user: str) -> Office:
        """The office with somebody else sitting at it."""
        self.office.user = user
        return self.office

    def market(self) -> None:
        """1: the market and what is wrong with it."""
        seen = quotes.show(self.office)
        self.tell(
            "1 MARKET: what can be hedged, and at what price",
            market_table(seen.snapshot, seen.surface, quality_of(seen.surface, seen.snapshot)),
            findings_table(seen.findings),
            f"Taken {iso(seen.snapshot.as_of)}; the paper clock starts there. The last listed expiry "
            "is ten months out: later months need an over-the-counter quote.",
        )

    def forecast(self) -> None:
        """2: coins by month."""
        version = production.make(self.office)
        made = version.forecast
        year = made.months[-1].cumulative
        flat = sum(row.flat_difficulty_coins for row in made.months)
        self.tell(
            "2 FORECAST: how many coins will there be to hedge",
            forecast_table(made, version.id),
            drivers_table(made),
            risks_table(made),
            machines_table(self.office.settings().operation, made, self.office.market().index),
            f"A year brings {year.p50:,.0f} coins (10 % chance of less than {year.p10:,.0f}); a "
            f"spreadsheet with flat difficulty would promise {flat:,.0f}, "
            f"{flat / year.p50 - 1:.0%} too many. Never sell the difference.",
        )

    def mandate_and_dealers(self) -> None:
        """3: the policy as signed, the dealers, and exposure against both."""
        view = policy.sign(self.acting("board"))
        signed = ", ".join(f"{name} at {iso(at)}" for name, at in view.signed_by)
        self.tell(
            "3 MANDATE: what the board allows, and with whom",
            mandate_table(view.mandate),
            f"Signed by {signed}; hash {view.sha256}.",
        )
        refused: list[str] = []
        for name in _DEALERS:
            counterparties.add(self.acting("treasurer"), name)
            try:
                counterparties.review(self.acting("risk"), name, Step.APPROVE)
            except Declined as error:
                refused.append(f"REFUSED: {error}")
        views = counterparties.views(self.acting("treasurer"))
        rows = tuple((v.dossier, v.standing, v.score, v.objections) for v in views)
        self.tell("Dealers onboarded", counterparty_table(rows), *refused)

    def plan(self) -> tuple[Proposal, ...]:
        """4 and 5: exposure, hedges compared, proposals."""
        found = programme.plan(self.acting("treasurer"))
        need = sum(row.cash_need_usd for row in found.situation.rows)
        secured = sum(row.secured_usd for row in found.situation.rows)
        self.tell(
            "Exposure before the hedge",
            exposure_table(found.situation.rows, found.current),
            f"Today {secured:,.0f} USD of {need:,.0f} USD of cash needs are secured: "
            f"{secured / need:.0%}.",
        )
        chosen = {one.expiry: one.kind for one in found.proposals}
        shown = [strategy_table(b, r, chosen.get(b.expiry, "")) for b, r in found.blocks]
        if found.blocks:
            shown.append(objective_table(found.blocks[0][1]))
        self.tell(
            "4 CANDIDATES: the hedges of each block, priced on tradable bid and ask",
            *shown,
            "Small months share the first expiry at or after their last sale. Basis is measured "
            "against the mine's own daily sales, the hedge shrinking as coins are sold.",
        )
        if found.proposals:
            self._scenario(found.proposals[0])
        choice = str(self.office.mandate().choice).replace("_", " ")
        lines = [line for one in found.proposals for line in proposal_lines(one)]
        self.tell(f"5 PROPOSAL: the best by '{choice}' among those the mandate allows", *lines)
        return found.proposals

    def _scenario(self, proposal: Proposal) -> None:
        put, call = proposal.structure.strike(Kind.PUT), proposal.structure.strike(Kind.CALL)
        asked = scenarios.Asked(
            coins=proposal.size,
            cost=None,
            spot=None,
            put=put,
            call=call,
            prices=(),
            forward=None,
            put_premium=None,
            call_premium=None,
            expiry=proposal.expiry,
        )
        found = scenarios.scenario(asked, self.office)
        self.tell(
            f"Outcome of {proposal.id} by price",
            scenario_table(found.rows, found.terms.coins),
            *found.notes,
        )

    def approve(self, proposals: tuple[Proposal, ...]) -> None:
        """The preparer may not approve; somebody else may."""
        lines: list[str] = []
        if proposals:
            try:
                approvals.give(self.acting("treasurer"), proposals[0].id)
            except Declined as error:
                lines.append(f"the preparer tries: REFUSED: {error}")
        for one in proposals:
            given = approvals.give(self.acting("cfo"), one.id)
            lines.append(f"{one.id} approved by {given.approver} until {iso(given.expires_at)}")
        lines += [
            f"{version.id}: {version.status}; hedging refers to an approved forecast only"
            for version in self.office.state().versions.values()
        ]
        self.tell("Four eyes", *lines)

    def trade(self, proposals: tuple[Proposal, ...]) -> None:
        """6: quotes over the wire, ladders, awards, bookings."""
        self.tell("6 REQUEST FOR QUOTES: the paper street over WebSocket, waits on the paper clock")
        asyncio.run(self._trade(proposals))
        stages = lifecycle.lives(self.office)
        self.tell(
            "Booked",
            trades_table(money.trades(self.office)),
            *(f"{one.name}: {one.words}" for one in stages),
        )

    async def _trade(self, proposals: tuple[Proposal, ...]) -> None:
        async with trading(self.acting("trader"), self.folder) as at_work:
            for one in proposals:
                try:
                    dealt = await execution.deal(at_work, one.id)
                    for each in (*dealt.earlier, dealt):
                        self.tell("", *_ladder(one, each))
                    if dealt.trade is None:
                        self.tell("", *_ladder(one, await execution.deal(at_work, one.id)))
                except Declined as error:
                    self.tell(f"{one.id}: refused", str(error))

    def watch(self) -> None:
        """7: the book marked, margin, credit, limits."""
        view = limits.margin(self.acting("treasurer"))
        found, version = programme.situation(self.office, "treasurer")
        need = sum(row.cash_need_usd for row in found.rows)
        secured = sum(row.secured_usd for row in found.rows)
        breached = tuple(row for row in limits.watch(self.office) if row.status is not Status.OK)
        self.tell(
            "7 RISK: the book marked, both tails, counterparties, limits",
            exposure_table(found.rows, designations.month_so_far(value_now(self.office))),
            f"The floor now secures {secured:,.0f} USD of {need:,.0f} USD of power, fixed costs, "
            f"debt service and capex: {secured / need:.0%}.",
            coverage_line(secured, version.forecast.months),
            tables.pnl_table(money.performance(self.office)),
            tables.margin_table(view),
            *tables.margin_lines(view),
            exposure_by_dealer_table(limits.credit(self.office)),
            *([watch_table(breached)] if breached else ["Every limit is within its bound."]),
        )

    def courses(self) -> tuple[tuple[str, tuple[MonthResult, ...]], ...]:
        """The programme walked to its end along three courses, each in a copy of the workspace."""
        walked: list[tuple[str, tuple[MonthResult, ...]]] = []
        for course in Course:
            copy = fork_office(self.office, self.folder, self.folder / "courses" / course)
            with bar(f"{course} course") as progress:
                days.walk(copy, course, days.horizon(copy.state()), progress)
            months = money.performance(copy).months
            walked.append((str(course), months))
            self.tell(
                f"{str(course).upper()} course: every day mined, sold, hedges reduced and settled",
                performance_table(
                    months, f"To {course.end_ratio:.0%} of today's price by the half-way"
                ),
                _verdict(months),
                *copy.state().shortfalls[:3],
            )
        return tuple(walked)

    def life(self) -> None:
        """Ten weeks of recorded life, in a copy of the workspace."""
        copy = fork_office(self.office, self.folder, self.folder / "life")
        found = demo_life.live(copy)
        if not found.reconciles:
            raise Declined("production, cash and P&L do not reconcile")
        self.tell(
            "8 LIFE: days closed on recorded prices, coins from the pool and sold", *found.shown
        )

    def verify(self, courses: tuple[tuple[str, tuple[MonthResult, ...]], ...]) -> None:
        """9: the record verified, the pages written."""
        found = audit.verify(self.office)
        page = pages.result(self.office, courses)
        written = [
            self.office.files.write(name, text)
            for name, text in (("result.md", markdown(page)), ("result.html", html(page)))
        ]
        if not found.sound:
            raise Declined("the journal does not verify")
        lines = tuple(self.office.state().ledger.trial_balance())
        self.tell(
            "9 RECORD: trial balance, verified journal, pages",
            trial_table(lines, None),
            f"{found.head.count} events: chain whole, states lawful, books balance.",
            f"Anchor {found.head}",
            *(f"Wrote {path}" for path in written),
            f"Explore: cd {self.folder}; headframe watch --once; headframe pnl; headframe report",
        )
        self.call.answer(
            "demo",
            {
                "folder": str(self.folder),
                "anchor": str(found.head),
                "trades": len(self.office.state().trades),
                "courses": {name: _summary(months) for name, months in courses},
                "written": written,
            },
        )


def _ladder(proposal: Proposal, dealt: Dealt) -> list[object]:
    title = f"{proposal.id}: {len(dealt.request.panel)} dealers asked, {dealt.outcome}"
    answered = {rung.quote.dealer for rung in dealt.ladder.rungs}
    silent = [name for name in dealt.request.panel if name not in answered]
    opened, unit = dealt.request.opened_at, proposal.price_currency
    lines: list[object] = [ladder_table(ladder_json(dealt.ladder), title, opened, unit)]
    if silent:
        lines.append(f"declined: {', '.join(silent)}")
    if dealt.trade is not None:
        lines.append(
            f"Awarded to {dealt.trade.dealer} at {dealt.trade.net_price} (cover {dealt.cover or '-'},"
            f" planned {proposal.price}); booked as {dealt.trade.id}, all legs or none."
        )
    return lines


def _verdict(months: tuple[MonthResult, ...]) -> str:
    """What the hedge did on a course, in one sentence."""
    all_in = total(months)
    return (
        f"Spot brought {all_in.spot_price:,.0f} USD a coin, with the hedge "
        f"{all_in.realised_price:,.0f}; cash ends at {all_in.cash_usd:,.0f} USD against "
        f"{all_in.cash_unhedged_usd:,.0f} unhedged, and its lowest month end is "
        f"{all_in.cash_low_usd:,.0f} against {all_in.cash_low_unhedged_usd:,.0f}."
    )


def _summary(months: tuple[MonthResult, ...]) -> dict[str, float]:
    all_in = total(months)
    return {
        "sold": all_in.sold,
        "spot_price": all_in.spot_price,
        "realised_price": all_in.realised_price,
        "cash_usd": all_in.cash_usd,
        "cash_unhedged_usd": all_in.cash_unhedged_usd,
    }
