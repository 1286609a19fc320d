"""A dealer that is a second late with the better price: awaited, left out, counted or refused, never dealt twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import faults
from headframe.desk import adopting, audit, execution, executions, fencing, late_quotes
from headframe.desk.fold import fold
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Declined, OutcomeUnknown, Unreachable
from headframe.desk.state import State
from headframe.mandate import LateQuotes
from headframe.rfq import RfqState, quality_of
from headframe.units import Wrong
from headframe.wiring import open_office
from late_makers import Answer, LateTruth, count, planned, punctual

_SOON = timedelta(seconds=30)
EXCLUDE = {"late_quotes": LateQuotes.EXCLUDE, "window_seconds": 240, "requests_max": 3}
SESSIONS = 150


@pytest.fixture(scope="module")
def trader(planned_mine: Path) -> Office:
    return open_office(planned_mine, user="trader")


def base(trader: Office, **rules: Any) -> faults.Template:
    return faults.template(trader, **({"resting": False} | EXCLUDE | rules))


def late_emery(life: float = 120.0, **others: Answer) -> Any:
    """Every dealer on time but emery, which is 1.5 s late and the best; the same at every request."""

    def plan(number: int, request: Any) -> dict[str, Answer]:
        del number
        found = {
            name: Answer(10.0 + place, 150.0, 0.0001 * place)
            for place, name in enumerate(request.panel)
        }
        late = {"emery": Answer(46.5, life, -0.0010)} | others
        return found | {name: made for name, made in late.items() if name in request.panel}

    return planned(plan)


def deal(
    template: faults.Template, truth: Any, **named: Any
) -> tuple[Any, Office, LateTruth, list[str]]:
    """One decision at a venue by plan: what it led to, the desk, the venue and what the person was told."""
    session = faults.Session(template, 1, rate=0.0, crash_rate=0.0, truth=truth)
    told: list[str] = []
    session.venue.directs = named.pop("directs", True)
    with faults.priced_once(template):
        line = Trading(session.office, session.venue)
        dealt = asyncio.run(execution.deal(line, "P-1", told.append, **named))
    assert audit.verify(session.office).sound
    assert isinstance(session.truth, LateTruth)
    return dealt, session.office, session.truth, told


def steps(office: Office) -> list[tuple[Any, Any]]:
    return [
        (record.kind, record.body.get("step"))
        for record in office.journal.read()
        if record.kind in {"asked", "rfq", "filled"}
    ]


def test_the_late_dealer_is_left_out_of_a_second_request(trader: Office) -> None:
    dealt, office, truth, told = deal(base(trader), late_emery())
    assert dealt.trade is not None
    assert dealt.trade.dealer == "amber"
    assert [len(one.request.panel) for one in (*dealt.earlier, dealt)] == [5, 4]
    assert [one.state for one in truth.there.values()] == ["cancelled", "filled"]
    assert truth.overlaps == truth.dealt_late == 0
    first, second = office.state().rfqs.values()
    assert (first.state, second.state) == (RfqState.NO_AWARD, RfqState.FILLED)
    assert set(first.request.panel) - set(second.request.panel) == {"emery"}
    assert second.follows == first.request.id
    assert first.request.approval == second.request.approval
    (late,) = first.late
    assert (late["action"], late["dealers"], late["rule"]) == ("ask_without", ["emery"], "exclude")
    assert "emery's" in first.outcome
    assert "came 1.5 s after the response time" in first.outcome
    assert "to be asked again without emery" in first.outcome
    assert first.outcome in told
    assert steps(office) == [
        ("asked", None), ("rfq", "opened"), ("rfq", "quoted"), ("rfq", "decline"),
        ("asked", None), ("rfq", "opened"), ("rfq", "quoted"), ("rfq", "intend_award"), ("filled", "filled"),
    ]  # fmt: skip


def test_a_late_quote_that_ends_soon_is_waited_out(trader: Office) -> None:
    dealt, office, truth, told = deal(base(trader), late_emery(life=30.0))
    assert dealt.trade is not None
    assert len(truth.there) == 1
    (record,) = office.state().rfqs.values()
    assert record.late[0]["action"] == "wait"
    assert (
        office.now()
        == record.request.opened_at + (record.request.respond_by - record.request.opened_at) * 1.7
    )
    assert "waiting until" in told[-1]
    assert [row["dealer"] for row in record.ladder if row["rejection"] == "no longer good"] == [
        "emery"
    ]
    assert truth.dealt_late == 0


def test_without_the_rule_nothing_is_awarded_as_before(trader: Office) -> None:
    dealt, office, truth, _ = deal(base(trader, late_quotes=LateQuotes.REFUSE), late_emery())
    assert dealt.trades == ()
    assert "late_quotes = refuse" in dealt.outcome
    assert len(truth.there) == 1
    assert next(iter(office.state().rfqs.values())).state is RfqState.NO_AWARD


def test_a_late_quote_that_counts_is_dealt_and_said_to_be_late(trader: Office) -> None:
    dealt, office, truth, _ = deal(base(trader, late_quotes=LateQuotes.ACCEPT), late_emery())
    assert dealt.trade is not None
    assert dealt.trade.dealer == "emery"
    assert truth.dealt_late == 1
    (record,) = office.state().rfqs.values()
    assert record.late[0]["action"] == "accept"
    card = {one.dealer: one for one in _cards(office)}["emery"]
    assert card.late == 1


def _cards(office: Office) -> Any:
    from headframe.rfq import scorecards

    return scorecards(executions.every(office, None, None))


def test_a_late_dealer_without_whom_too_few_answered_has_a_second_chance(trader: Office) -> None:
    def plan(number: int, request: Any) -> dict[str, Answer]:
        quotes = {"amber": Answer(10.0, 150.0, 0.0), "basalt": Answer(46.5, 150.0, 0.0001)}
        on_time = {"basalt": Answer(30.0, 150.0, 0.0001)} if number == 2 else {}
        assert set(quotes) <= set(request.panel)
        return quotes | on_time

    dealt, office, truth, _ = deal(base(trader), planned(plan))
    assert dealt.trade is not None
    first, second = office.state().rfqs.values()
    assert (first.request.panel, first.request.limit) == (
        second.request.panel,
        second.request.limit,
    )
    assert second.bound is None
    assert "without basalt too few quotes count" in first.outcome
    assert truth.overlaps == truth.dealt_late == 0


def test_waiting_alone_ends_with_the_window_and_says_so(trader: Office) -> None:
    waits = base(trader, late_quotes=LateQuotes.WAIT)
    dealt, office, truth, _ = deal(waits, late_emery(life=500.0))
    assert dealt.trades == ()
    assert len(truth.there) == 1
    assert "a wait for the late quote of emery" in dealt.outcome
    state = next(iter(office.state().rfqs.values()))
    assert (
        office.now()
        <= state.request.opened_at + (state.request.respond_by - state.request.opened_at) * 240 / 45
    )


def test_where_no_dealer_can_be_named_the_same_panel_is_asked_at_the_best_price_or_better(
    trader: Office,
) -> None:
    plan = late_emery()

    def second(number: int, request: Any) -> dict[str, Answer]:
        made = {
            name: Answer(10.0 + place, 150.0, 0.0002) for place, name in enumerate(request.panel)
        }
        late = Answer(46.5, 120.0, -0.0010) if number == 1 else Answer(20.0, 120.0, -0.0010)
        first = (
            {"amber": Answer(10.0, 150.0, 0.0)}
            if number == 1
            else {"amber": Answer(10.0, 150.0, -0.0002)}
        )
        return made | first | {"emery": late}

    dealt, office, truth, _ = deal(base(trader), planned(second), directs=False)
    assert dealt.trade is not None
    first, again = office.state().rfqs.values()
    assert first.late[0]["action"] == "ask_again"
    assert first.request.panel == again.request.panel
    assert again.bound == first.late[0]["best_price"]
    assert again.request.limit == first.request.limit
    assert dealt.trade.dealer == "emery", "on time at the second request it wins like any other"
    assert truth.dealt_late == 0
    worse = {"amber": Answer(10.0, 150.0, 0.0001), "emery": Answer(20.0, 150.0, 0.0002)}

    def gone(number: int, request: Any) -> dict[str, Answer]:
        return second(number, request) | (worse if number == 2 else {})

    dearer, _, truth, _ = deal(base(trader), planned(gone), directs=False)
    assert dearer.outcome == "no price as good as the best one of the request before"
    assert len(truth.there) == 2
    stuck, office, truth, _ = deal(base(trader), plan, directs=False)
    assert stuck.trades == ()
    assert len(truth.there) == 3, "as many requests as the mandate allows, no more"
    assert truth.overlaps == 0


def test_requests_stop_where_the_mandate_and_the_panel_say(trader: Office) -> None:
    """Whoever is asked, the last dealer is late and best: left out one by one down to dealers_min."""

    def plan(number: int, request: Any) -> dict[str, Answer]:
        del number
        found = {name: Answer(10.0, 150.0, 0.0002) for name in request.panel}
        return found | {request.panel[-1]: Answer(46.0, 150.0, -0.0010)}

    _, office, truth, _ = deal(base(trader), planned(plan))
    panels = [len(one.request.panel) for one in truth.there.values()]
    assert panels == [5, 4, 3]
    asked = [one.request.id for one in truth.there.values()]
    assert executions.earlier(office.state(), asked[2]) == (asked[0], asked[1])
    assert {executions.latest(office.state(), one) for one in asked} == {asked[2]}
    few = deal(base(trader, requests_max=1), planned(plan))[2]
    assert len(few.there) == 1
    short = deal(base(trader, window_seconds=100), planned(plan))[2]
    assert len(short.there) == 1, "a second request would end after the window"


def test_no_second_request_is_sent_before_the_first_is_proven_ended(trader: Office) -> None:
    """The venue shows it open, shows a trade of it, does not list it, or does not answer: unknown, nothing sent."""
    template = base(trader)
    for broken in ("still open", "a trade", "not listed", "no answer"):
        session = faults.Session(template, 1, rate=0.0, crash_rate=0.0, truth=late_emery())
        venue, line = session.venue, Trading(session.office, session.venue)
        real = {name: getattr(venue, name) for name in ("cancel", "find", "evidence")}

        async def ignored(*_: Any) -> None:
            """The venue says yes and does nothing."""

        async def nothing(*_: Any) -> None:
            return None

        async def silent(*_: Any) -> None:
            raise Unreachable("no answer")

        async def traded(number: str, request: Any, truth: Any = session.truth) -> Any:
            price = Decimal(repr(round(request.reference, 4)))
            one = truth.there[int(number)]
            one.fills, one.state = (truth._fill(request, price, Decimal(1), "amber"),), "filled"
            return one.fills

        lie: dict[str, Any] = {
            "still open": ("cancel", ignored), "a trade": ("evidence", traded),
            "not listed": ("find", nothing), "no answer": ("find", silent),
        }  # fmt: skip
        name, work = lie[broken]
        setattr(venue, name, work)
        with faults.priced_once(template), pytest.raises(OutcomeUnknown):
            asyncio.run(execution.deal(line, "P-1"))
        assert len(session.truth.there) == 1, broken
        (record,) = session.office.state().rfqs.values()
        assert record.state is RfqState.UNKNOWN
        setattr(venue, name, real[name])
        asyncio.run(fencing.reconcile(line, lambda _: None))
        assert session.office.state().live_rfqs() == ()
        assert len(session.office.state().trades) == (1 if broken == "a trade" else 0)


def test_a_request_that_may_not_follow_says_why_and_leaves_nothing_open(
    trader: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, calls = base(trader), []

    async def known(*_: Any) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Declined("trading is halted")

    monkeypatch.setattr(adopting, "require_known", known)
    with pytest.raises(
        Declined, match=r"came 1.5 s after .*; it was not asked again: trading is halted"
    ):
        deal(template, late_emery())
    assert len(calls) == 2


def test_a_caller_that_sends_its_key_again_gets_the_same_decision(trader: Office) -> None:
    key = execution.Key("treasury-0001", "f")
    template = base(trader)
    dealt, office, truth, _ = deal(template, late_emery(), key=key)
    before = execution.done_before(office, key)
    assert before is not None
    assert executions.latest(office.state(), before) == dealt.request.id
    shown = executions.shown(office.state(), dealt.request.id)
    assert shown["follows"] == before
    assert [one["id"] for one in shown["earlier"]] == [before]
    assert executions.shown(office.state(), before)["followed_by"] == dealt.request.id
    assert len(truth.there) == 2


def test_the_record_of_a_decision_names_the_late_quote_and_the_request_before(
    trader: Office,
) -> None:
    from headframe.report import execution_table

    dealt, office, _, _ = deal(base(trader), late_emery())
    told = executions.one(office, dealt.request.id)
    rows: Any = {row[0]: row[1] for row in execution_table(told, quality_of(told)).rows}
    assert rows["follows"] == told.follows
    first = executions.one(office, told.follows)
    rows = {row[0]: row[1] for row in execution_table(first, quality_of(first)).rows}
    assert "without emery" in str(rows["late quote"])


def test_killed_at_any_point_nothing_is_dealt_twice(trader: Office) -> None:
    """The process dies at the n-th write or call, for every n: the next command goes on, one trade at most."""
    template, died, points = base(trader), 0, 0
    truth = late_emery()
    with faults.priced_once(template):
        while True:
            session = faults.Session(template, 1, rate=0.0, crash_rate=0.0, truth=truth)
            left = points
            points += 1

            def crash() -> None:
                nonlocal left
                left -= 1
                if left == -1:
                    raise faults.Crash

            session.venue.crash = session.journal.crash = crash
            try:
                asyncio.run(execution.deal(Trading(session.office, session.venue), "P-1"))
                ended = left >= 0
            except faults.Crash:
                ended, died = False, died + 1
            session.venue.crash = session.journal.crash = lambda: None
            _goes_on(session)
            if ended:
                break
    assert died > 40, "the first request's end and the second request lie within these points"


def _goes_on(session: faults.Session) -> None:
    """The next process: reconciles, deals what is not dealt; then the venue's truth is held against the books."""
    office = session._start()
    line = Trading(office, session.venue)
    asyncio.run(session.clock.wait_until(session.clock.now() + _SOON))
    asyncio.run(fencing.reconcile(line, lambda _: None))
    if not office.state().traded("P-1"):
        asyncio.run(execution.deal(line, "P-1"))
    filled = [one for one in session.truth.there.values() if one.fills]
    assert len(filled) == 1
    assert {one.rfq for one in office.state().trades.values()} == {filled[0].request.id}
    assert isinstance(session.truth, LateTruth)
    assert session.truth.overlaps == session.truth.dealt_late == 0
    assert office.state().live_rfqs() == ()
    assert audit.verify(office).sound


def test_sessions_with_faults_and_late_dealers_lose_nothing_and_deal_nothing_twice(
    trader: Office,
) -> None:
    template = base(trader, resting=True)
    report = faults.simulate(template, range(SESSIONS), truth=punctual(0.4))
    assert report.clean, report
    assert report.filled > SESSIONS // 2
    assert report.crashes > SESSIONS // 20
    assert report.asked > report.sessions


def test_a_second_request_sent_before_the_first_has_ended_is_noticed(
    trader: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bug that the fence is there for, planted: two requests live at once under one approval."""

    async def unproven(*_: Any) -> None:
        """Nothing is cancelled and nothing read."""

    monkeypatch.setattr(late_quotes, "prove_ended", unproven)
    assert deal(base(trader), late_emery())[2].overlaps == 1


def test_late_dealers_no_longer_end_a_decision_without_an_award(trader: Office) -> None:
    """The counted figures of docs/paper-street.md, on fewer seeds: 100 decisions of each rule."""
    seeds = range(100)
    before = count(base(trader, late_quotes=LateQuotes.REFUSE), seeds)
    after = count(base(trader), seeds)
    assert before.blocked >= 15
    assert after.blocked <= before.blocked // 5
    assert after.awarded > before.awarded
    for found in (before, after):
        assert found.double == found.overlaps == found.dealt_late == 0
        assert found.awarded + found.reasons.total() == found.decisions == 100
    assert count(base(trader, late_quotes=LateQuotes.ACCEPT), seeds).blocked == 0


def test_on_the_built_in_street_the_command_says_why_it_asked_again(
    approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the street's own protocol, from the command line: emery 1.5 s late and best, whenever it is asked."""
    from click.testing import CliRunner

    from headframe.cli.app import app
    from headframe.paper import street

    real: Any = vars(street)["answer"]

    def answer(dealer: str, **named: Any) -> Any:
        found = replace(real("amber", **named), dealer=dealer, delay=10.0, life=150.0)
        return replace(found, delay=46.5, life=120.0, shift=-0.0012) if dealer == "emery" else found

    monkeypatch.setattr(street, "answer", answer)
    words = ["rfq", "P-1", "--by-rule", "--as", "trader", "--workspace", str(approved)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    (why,) = [line for line in done.stdout.splitlines() if " before it: " in line]
    assert "emery's -0.0" in why
    assert "came 1.5 s after the response time, better than amber's" in why
    assert "ended at the venue, to be asked again without emery" in why
    assert "asked 4 dealers: amber, basalt, cobalt, dolomite" in done.stderr
    assert "booked T-1 with amber" in done.stdout
    shown = CliRunner().invoke(app, ["execution", "--workspace", str(approved)])
    assert shown.exit_code == 0, shown.output
    office = open_office(approved, user="auditor")
    assert [one.state for one in office.state().rfqs.values()] == [
        RfqState.NO_AWARD, RfqState.FILLED,
    ]  # fmt: skip
    assert audit.verify(office).sound


def test_rules_that_contradict_themselves_are_refused(trader: Office) -> None:
    rules = trader.mandate().rfq
    assert rules.late_quotes is LateQuotes.EXCLUDE
    with pytest.raises(Wrong, match=r"window_seconds: expected at least .* 55"):
        replace(rules, window_seconds=54)
    with pytest.raises(Wrong, match="requests_max"):
        replace(rules, requests_max=0)
    old = replace(rules, late_quotes=LateQuotes.REFUSE, window_seconds=0)
    assert old.request_seconds == 55


def test_a_journal_written_before_the_rule_is_read_as_it_was(trader: Office) -> None:
    """Events without the new keys fold to requests that follow none and had no late quote to decide on."""
    _, office, _, _ = deal(base(trader, late_quotes=LateQuotes.REFUSE), late_emery(life=1.0))
    assert not any({"follows", "late"} & record.body.keys() for record in office.journal.read())
    again = fold(State(), office.journal.read())
    (record,) = again.rfqs.values()
    assert (record.follows, record.late) == ("", ())
