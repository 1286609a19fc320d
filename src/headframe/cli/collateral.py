"""collateral list, heard, call, agree, settle."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, Whole, command
from headframe.units import Wrong, parse_figure

if TYPE_CHECKING:
    from headframe.desk.known import MarginCall


class Dollars(click.ParamType[Any]):
    """An amount in USD."""

    name = "usd"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The amount, or a usage error."""
        try:
            return parse_figure(str(value))
        except Wrong as error:
            self.fail(str(error), param, ctx)


@click.group()
def collateral() -> None:
    """Collateral under the agreements: where it stands, calls heard and made, disputes, deliveries."""


@collateral.command(name="list")
@command
def list_collateral(call: Call) -> None:
    """Every agreement with what lies where and what either side may call, and the calls that are open."""
    from headframe.codec import to_json
    from headframe.desk import calls, tables

    office = call.office()
    rows, made = calls.rows(office), [one for one in calls.calls(office) if one.open]
    call.answer(
        "collateral",
        {"agreements": to_json(rows), "calls": [_told(one) for one in made]},
        tables.annexes_table(rows),
        *([tables.calls_table(made)] if made else ["No call is open."]),
    )


@collateral.command()
@click.argument("dealer")
@click.argument("usd", type=Dollars())
@click.option("--reference", default="", help="What the dealer calls it; kept once.")
@command
def heard(call: Call, dealer: str, usd: Decimal, reference: str) -> None:
    """Put DEALER's call for USD on record, against our own figure."""
    from headframe.desk import calls

    _answer(call, calls.heard(call.office(), dealer, usd, reference))


@collateral.command(name="call")
@click.argument("dealer")
@click.option("--reference", default="", help="What we call it; kept once.")
@click.option("--theirs", type=Dollars(), help="The dealer's figure, where it values the trades.")
@command
def call_dealer(call: Call, dealer: str, reference: str, theirs: Decimal | None) -> None:
    """Call what the agreement with DEALER gives us today."""
    from headframe.desk import calls

    _answer(call, calls.made(call.office(), dealer, reference, theirs))


@collateral.command()
@click.argument("number", type=Whole(1, 10**9))
@click.argument("usd", type=Dollars())
@click.argument("reason")
@command
def agree(call: Call, number: int, usd: Decimal, reason: str) -> None:
    """Keep what both sides came to on disputed call NUMBER: another person than who recorded it."""
    from headframe.desk import calls

    _answer(call, calls.agree(call.office(), number, usd, reason))


@collateral.command()
@click.argument("number", type=Whole(1, 10**9))
@click.option("--usd", type=Dollars(), help="A part of it (default: all that is left).")
@click.option(
    "--in", "currency", default="USD", show_default=True, help="Another eligible currency."
)
@command
def settle(call: Call, number: int, usd: Decimal | None, currency: str) -> None:
    """Book that call NUMBER was delivered."""
    from headframe.desk import calls

    _answer(call, calls.settle(call.office(), number, usd, currency))


def _told(one: "MarginCall") -> Any:  # noqa: ANN401 - JSON
    from headframe.codec import to_json

    return {
        **to_json(one),
        "owed": str(one.owed),
        "left": str(one.left),
        "disputed": str(one.disputed),
    }


def _answer(call: Call, one: "MarginCall") -> None:
    from headframe.desk import tables

    call.answer("margin-call", {"call": _told(one)}, tables.calls_table((one,)))
