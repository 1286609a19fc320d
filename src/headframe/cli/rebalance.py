"""The mandate's rule of delta, and reviews of the programme."""

from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, command

if TYPE_CHECKING:
    from headframe.desk.reviewing import Due
    from headframe.hedge import Trigger


@click.command()
@click.option("--dry-run", is_flag=True, help="Show where delta stands; propose nothing.")
@command
def rebalance(call: Call, dry_run: bool) -> int:
    """Hold the delta of option hedges against the mandate's band and propose the futures that restore it.

    Nothing is dealt: each proposal is approved and dealt like any other.
    """
    from headframe.codec import to_json
    from headframe.desk import rebalancing
    from headframe.report import balances_table, proposal_lines

    office = call.office(dry_run=dry_run)
    if dry_run:
        rule, found = rebalancing.look(office)
        data = {"rule": to_json(rule), "balances": [to_json(one) for one in found]}
        call.answer("rebalance", data, balances_table(rule, found))
        return 0
    made = rebalancing.propose(office)
    call.answer(
        "rebalance",
        {
            "rule": to_json(made.rule),
            "balances": [to_json(one) for one in made.balances],
            "proposals": [to_json(one) for one in made.proposals],
            "refused": list(made.refused),
        },
        balances_table(made.rule, made.balances),
        *(line for one in made.proposals for line in proposal_lines(one)),
        *(f"not proposed: {words}" for words in made.refused),
    )
    return 4 if made.refused else 0


@click.command()
@click.option("--hold", is_flag=True, help="Hold it: keep its ground and propose what it asks.")
@command
def review(call: Call, *, hold: bool) -> int:
    """Whether a review is due and why; status 4 where it is and is not held.

    With --hold what changed is kept, months below their target are planned, and of months above their ceiling
    so much is proposed to be closed as is too much. Nothing is dealt.
    """
    from headframe.codec import to_json
    from headframe.desk import reviewing
    from headframe.report import proposal_lines

    office = call.office()
    if not hold:
        found = reviewing.due(office)
        data = {"due": bool(found.triggers), **to_json(found)}
        call.answer("review", data, *_reasons(found.triggers), _last(found))
        return 4 if found.triggers else 0
    held = reviewing.hold(office)
    call.answer(
        "review-held",
        {
            "due": to_json(held.due),
            "months": [to_json(row) for row in held.rows],
            "proposals": [to_json(one) for one in held.proposals],
        },
        *_reasons(held.due.triggers),
        *(line for one in held.proposals for line in proposal_lines(one)),
        f"reviewed by {held.due.now.by}: {len(held.proposals)} proposals"
        + ("" if held.proposals else "; every month stands within its band"),
    )
    return 0


def _reasons(found: "tuple[Trigger, ...]") -> tuple[str, ...]:
    return tuple(f"{one.name}: {one.words}" for one in found) or ("no reason to review",)


def _last(found: "Due") -> str:
    last = found.last
    return "never reviewed" if last is None else f"last reviewed {last.at:%Y-%m-%d} by {last.by}"
