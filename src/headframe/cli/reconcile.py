"""reconcile: what venues dealt and this journal lacks."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, command

if TYPE_CHECKING:
    from headframe.desk.adopting import Adoption
    from headframe.desk.known import Stray


@click.command()
@click.option(
    "--attest", metavar="REASON", help="Say that every trade of a venue without a record is booked."
)
@click.option("--venue", help="Which venue --attest is for (default: voice).")
@click.option("--dismiss", metavar="STRAY", help="Set a stray trade aside, for ever.")
@click.option("--reason", help="Why a stray trade is none of these books.")
@command
def reconcile(
    call: Call, attest: str | None, venue: str | None, dismiss: str | None, reason: str | None
) -> int:
    """Read every venue's record since the last restore and adopt what this journal lacks.

    After a restore nothing trades before. A trade that carries our own id and matches one approved proposal
    is booked from the venue's evidence; any other stands as stray until an approver sets it aside with
    --dismiss and --reason. What was dealt by voice an approver attests. Exit status 5 while anything stands.
    """
    from headframe.desk import adopting
    from headframe.desk.ports import Invalid

    if dismiss is not None and attest is not None:
        raise Invalid("--dismiss: expected alone, got --attest too; fix: one after the other")
    office = call.office()
    if dismiss is not None:
        adopting.dismiss(office, dismiss, reason or "")
        call.talk(f"{dismiss} is set aside")
    elif attest is not None:
        adopting.attest(office, venue or adopting.VOICE, attest)
        call.talk(f"{venue or adopting.VOICE} is attested")
    found, troubles = ([], []) if dismiss or attest else asyncio.run(_read(call))
    waiting = adopting.missing(office)
    strays = tuple(office.state().strays.values())
    lines = [f"{one.venue}: read, {len(one.adopted)} trades adopted" for one in found]
    lines += troubles
    lines += [
        f"stray {one.id}, dealt {one.at:%Y-%m-%d %H:%M} UTC: {one.amount:f} of "
        f"{', '.join(one.instruments)}: {one.reason}"
        for one in strays
    ]
    if waiting:
        lines.append(f"still to be read or attested: {', '.join(waiting)}")
    call.answer("reconcile", _body(found, strays, waiting), *(lines or ["nothing is missing"]))
    return 5 if waiting or strays else 0


def _body(
    found: "list[Adoption]", strays: "tuple[Stray, ...]", waiting: tuple[str, ...]
) -> dict[str, Any]:
    from headframe.codec import to_json

    return {
        "venues": [{"venue": one.venue, "adopted": list(one.adopted)} for one in found],
        "strays": [to_json(one) | {"id": one.id} for one in strays],
        "waiting": list(waiting),
    }


async def _read(call: Call) -> "tuple[list[Adoption], list[str]]":
    """Each venue of the settings in turn; one that cannot be reached is said and left for later."""
    from headframe.desk import adopting
    from headframe.desk.ports import Broken, Declined, OutcomeUnknown
    from headframe.wiring import trading

    settings = call.office().settings()
    found: list[Adoption] = []
    troubles: list[str] = []
    for name in dict.fromkeys(one.name for one in (settings.venue, *settings.venues)):
        office = call.office()
        try:
            async with trading(office, call.folder, database=call.database, venue=name) as line:
                found += await adopting.adopt(line, call.talk)
        except (Broken, OutcomeUnknown) as error:
            troubles.append(f"{name}: not read: {error}")
        except Declined as error:
            if name == settings.venue.name:
                raise
            troubles.append(f"{name}: not read: {error}")
    return found, troubles
