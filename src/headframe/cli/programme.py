"""plan, approve, rfq."""

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, command

if TYPE_CHECKING:
    from headframe.desk.programme import Plan
    from headframe.venue import Said


@click.command()
@click.option("--dry-run", is_flag=True, help="Compare only; propose nothing.")
@command
def plan(call: Call, dry_run: bool) -> int:
    """Exposure by month, the hedges of each block compared, and the best allowed one proposed."""
    from headframe.codec import to_json
    from headframe.desk import production, programme
    from headframe.report import exposure_table, proposal_lines, strategy_table, unwind_table

    office = call.office(dry_run=dry_run)
    found = programme.plan(office, propose=not dry_run)
    version, stale = found.version, production.outdated(office, found.version)
    sized = f"sized on {version.id} of {version.at:%Y-%m-%d}, {version.status}"
    if stale:
        sized += (
            "; its inputs have changed since: headframe forecast prepares a new version, forecast "
            "changes says what drives it, forecast approve puts it in force"
        )
    chosen = {one.expiry: one.kind for one in found.proposals}
    shown: list[object] = [exposure_table(found.situation.rows, found.current)]
    policy = found.situation.mandate.cover.unwind
    for (bucket, rated), (hedge, costs) in zip(found.blocks, found.unwinds, strict=True):
        shown.append(strategy_table(bucket, rated, chosen.get(bucket.expiry, "")))
        shown.append(unwind_table(hedge, costs, policy))
    for one in found.proposals:
        shown += proposal_lines(one)
    if not found.blocks:
        shown.append("every month is covered up to its target: nothing to propose")
    elif not found.proposals:
        shown.append("the mandate allows none of these hedges")
    call.answer(
        "plan",
        {
            "exposure": [to_json(row) for row in found.situation.rows],
            "current_month": to_json(found.current) | {"to_come": found.current.to_come},
            "proposals": [to_json(one) for one in found.proposals],
            "unwind_policies": _unwind_policies(found),
            "forecast": {
                "id": version.id,
                "sha256": version.sha256,
                "approved_by": version.approved_by,
                "outdated": stale,
            },
            "dry_run": dry_run,
        },
        *shown,
        sized,
    )
    return 4 if found.blocks and not found.proposals else 0


def _unwind_policies(found: "Plan") -> list[dict[str, object]]:
    """Return each block's hedge under every policy of reducing it, as JSON."""
    from headframe.codec import to_json

    return [
        {
            "expiry": to_json(hedge.candidate.bucket.expiry),
            "hedge": str(hedge.candidate.kind),
            "policies": to_json(costs),
        }
        for hedge, costs in found.unwinds
    ]


@click.command()
@click.argument("proposal")
@command
def approve(call: Call, proposal: str) -> None:
    """Approve PROPOSAL's envelope of terms (--as APPROVER, who must not be its preparer)."""
    from headframe.codec import to_json
    from headframe.desk import approvals
    from headframe.units import iso

    given = approvals.give(call.office(), proposal)
    call.answer(
        "approval",
        to_json(given),
        f"{proposal} approved by {given.approver} (prepared by {given.preparer}) until "
        f"{iso(given.expires_at)}; envelope {given.envelope_sha256}",
    )


@click.command()
@click.argument("proposal")
@click.option("--dry-run", is_flag=True, help="Every check, and what would be sent; nothing is.")
@click.option(
    "--live/--by-rule",
    default=None,
    help="A live ladder at which you say when (in a terminal), or the award at the response time.",
)
@click.option(
    "--venue",
    help="A venue of headframe.toml, its order book (NAME-book), or best (by headframe routes).",
)
@click.option(
    "--all", "every", is_flag=True, help="Clip after clip, where the mandate asks for clips."
)
@command
def rfq(
    call: Call, proposal: str, dry_run: bool, live: bool | None, venue: str | None, every: bool
) -> int:
    """Ask the dealers of PROPOSAL's panel; the mandate's rule says who wins.

    In a terminal a live ladder is shown and you accept by typing the size; without one the award is made
    when the response time ends.
    """
    if dry_run:
        return _preview(call, proposal)
    from headframe.desk import approvals, execution, executions
    from headframe.desk.ports import Invalid
    from headframe.desk.taking import Dealt
    from headframe.web import desk_at
    from headframe.wiring import token_given, trading, user_name

    if venue == "best":
        venue = _best(call, proposal)
    running = desk_at(call.folder)
    if running is not None:
        if live or every:
            raise Invalid(
                f"a desk runs here ({running.url}) and awards one request by the rule: stop it for "
                "--live and --all, or leave them out"
            )
        return _dealt(call, running.rfq(proposal, user_name(call.user), token_given(), venue))
    office = call.office()
    place = venue or approvals.proposal_of(office.state(), proposal).facts.venue
    if every:
        return _clips(call, proposal, place, live=bool(live))
    person = live if live is not None else _at_a_terminal(call)

    async def run() -> Dealt:
        async with trading(office, call.folder, database=call.database, venue=place) as at_work:
            if not person:
                return await execution.deal(at_work, proposal, call.talk)
            from headframe.cli.ladder import watching

            with watching() as watch:
                return await execution.deal(at_work, proposal, watch=watch)

    dealt = asyncio.run(run())
    return _dealt(call, executions.shown(office.state(), dealt.request.id))


def _clips(call: Call, proposal: str, place: str, *, live: bool) -> int:
    """Clip after clip; what was dealt is shown, and why no more followed."""
    from headframe.codec import to_json
    from headframe.desk import execution, executions
    from headframe.desk.ports import Invalid, Stopped
    from headframe.desk.taking import Dealt
    from headframe.report import clips_table
    from headframe.wiring import trading

    if live:
        raise Invalid("--all awards every clip by the rule: leave --live out")
    office = call.office()

    async def run() -> tuple[tuple[Dealt, ...], Stopped | None]:
        async with trading(office, call.folder, database=call.database, venue=place) as at_work:
            return await execution.deal_all(at_work, proposal, call.talk)

    dealt, stopped = asyncio.run(run())
    state = office.state()
    left = state.proposals[proposal].size - state.dealt(proposal)
    call.answer(
        "rfqs",
        {
            "proposal": proposal,
            "dealt": to_json(state.dealt(proposal)),
            "left": to_json(left),
            "stopped": None if stopped is None else str(stopped),
            "requests": [executions.shown(state, one.request.id) for one in dealt],
        },
        clips_table([one for clip in dealt for one in clip.trades]),
        f"{state.dealt(proposal)} coins of {proposal} are dealt, {left} are left"
        + (f": {stopped}" if stopped is not None else ""),
    )
    if stopped is not None:
        return stopped.status
    return 0 if dealt[-1].trades else 4


def _best(call: Call, proposal: str) -> str:
    """The place where the proposal would cost least."""
    from headframe.cli.execution import ways_of
    from headframe.desk.ports import Declined
    from headframe.rfq import best_place

    place = best_place(ways_of(call, proposal))
    if place is None:
        raise Declined(
            f"no way of dealing {proposal} is open: headframe routes {proposal} says why"
        )
    call.talk(f"{place} would cost least")
    return place


def _at_a_terminal(call: Call) -> bool:
    """Whether a person sits here who wants tables, not JSON."""
    return not call.as_json and sys.stdin.isatty() and sys.stdout.isatty()


def _preview(call: Call, proposal: str) -> int:
    from headframe.codec import to_json
    from headframe.desk import execution
    from headframe.units import iso

    request, _ = execution.judged(call.office(dry_run=True), proposal)
    legs = "; ".join(f"{leg.ratio:+d} x {leg.instrument.name}" for leg in request.structure.legs)
    call.answer(
        "rfq-preview",
        {"request": to_json(request)},
        f"would ask {', '.join(request.panel)} to quote {request.size} coins of {legs}, "
        f"we {request.direction}, answers by {iso(request.respond_by)}, limit {request.limit}",
    )
    return 0


def _dealt(call: Call, found: dict[str, Any]) -> int:
    """What came of a request, dealt here or by the desk that runs already."""
    from headframe.report import ladder_table
    from headframe.units import instant

    unit = found["price_currency"]
    title = f"Request {found['id'][:8]} for {found['proposal']}: {found['outcome']}"
    lines = [f"request {one['id'][:8]} before it: {one['outcome']}" for one in found["earlier"]]
    lines += [
        f"late quote: {one['reason']}" for one in found["late"] if one["reason"] != found["outcome"]
    ]
    lines.append(f"outcome: {found['outcome']}; cover {found['cover'] or '-'}")
    lines += [
        f"booked {one['id']} with {one['dealer']} at {one['net_price']}" for one in found["trades"]
    ]
    table = ladder_table(found["ladder"], title, instant(found["opened_at"]), unit)
    call.answer("rfq", found, table, *lines)
    if found["state"] in {"unknown", "opening", "open", "awarding"}:
        return 5
    return 0 if found["trades"] else 4


@click.command()
@click.argument("proposal")
@click.option(
    "--quote",
    "quotes",
    multiple=True,
    help="DEALER=PRICE or DEALER=PRICE/SECONDS it is good for (60); net per coin as the dealer sells it.",
)
@click.option("--dealt", help="The dealer you have dealt with, on the rule's award.")
@click.option("--nothing", is_flag=True, help="An earlier request by voice came to nothing.")
@command
def voice(
    call: Call, proposal: str, quotes: tuple[str, ...], dealt: str | None, nothing: bool
) -> int:
    """Award PROPOSAL on quotes heard by chat or telephone: the same ladder, rules and record.

    First type the quotes: the answer says who wins by the mandate's rule. Deal with that dealer, then say
    so with --dealt. The mandate must allow the venue "voice".
    """
    from headframe.desk import execution, executions, fencing
    from headframe.desk.taking import Dealt
    from headframe.venue import Spoken
    from headframe.web import desk_at
    from headframe.wiring import by_voice, token_given, trading, user_name

    office = call.office()
    spoken = Spoken(tuple(_said(text) for text in quotes), dealt, nothing)
    running = desk_at(call.folder)
    if running is not None:
        heard = running.voice(proposal, user_name(call.user), token_given(), spoken)
        if heard.get("settled"):
            call.answer("voice", {"settled": True}, "nothing by voice is open")
            return 0
        return _dealt(call, heard)

    async def run() -> Dealt | None:
        async with trading(office, call.folder, database=call.database) as at_work:
            line = by_voice(at_work, spoken)
            await fencing.reconcile_at(line, call.talk)
            await fencing.reconcile(at_work, call.talk)
            return await execution.deal(line, proposal, call.talk) if spoken.said else None

    found = asyncio.run(run())
    if found is None:
        call.answer("voice", {"settled": True}, "nothing by voice is open")
        return 0
    return _dealt(call, executions.shown(office.state(), found.request.id))


def _said(text: str) -> "Said":
    """A quote as typed."""
    from headframe.codec import number
    from headframe.desk.ports import Invalid
    from headframe.units import Wrong, parse_whole
    from headframe.venue import Said

    dealer, _, rest = text.partition("=")
    price, slash, seconds = rest.partition("/")
    try:
        good = parse_whole(seconds, "seconds", digits_max=5) if slash else 60
        heard = Said(dealer.strip(), number(price, "price"), good)
    except Wrong as error:
        raise Invalid(f"--quote is DEALER=PRICE or DEALER=PRICE/SECONDS: {error}") from error
    if not heard.dealer or good < 1:
        raise Invalid(f"--quote is DEALER=PRICE or DEALER=PRICE/SECONDS, was {text[:60]!r}")
    return heard


@click.command()
@click.argument("reason")
@command
def halt(call: Call, reason: str) -> None:
    """Stop trading at once for REASON: nothing new is sent, by any command, until somebody resumes.

    Requests that are out are not awarded; reconciling, cancelling and booking of what the venue dealt go
    on. The stop survives a restart.
    """
    from headframe.desk import controls

    stop = controls.halt(call.office(), reason)
    call.answer(
        "halt",
        {"halted": True, "by": stop.by, "reason": stop.reason},
        f"trading is halted by {stop.by}: {stop.reason}",
    )


@click.command()
@command
def resume(call: Call) -> None:
    """Let trading go on after a halt: another person than the one who halted it."""
    from headframe.desk import controls

    by = controls.resume(call.office())
    call.answer("halt", {"halted": False, "by": by}, f"trading was resumed by {by}")
