"""The mandate's rule of delta."""

import click

from headframe.cli.frame import Call, command


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

    office = call.office()
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
