"""contract: worth of contracts on a schedule; draft, approve, deal, fix, confirm, close."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Instant, Whole, command
from headframe.cli.scenario import Amount

if TYPE_CHECKING:
    from headframe.book import ContractTerms
    from headframe.desk.contracts import ContractRow, Heard
    from headframe.desk.known import ContractRecord


@click.group()
def contract() -> None:
    """Contracts on a schedule: their worth; drafted, approved, dealt, fixed day by day, closed."""


_FROM = click.option("--from", "first", type=Instant(), required=True, help="First day.")
_TO = click.option("--to", "last", type=Instant(), required=True, help="Last day, inclusive.")
_PATHS = click.option("--paths", type=Whole(2, 1_000_000), default=20_000, show_default=True)


@contract.command(name="hashprice")
@_FROM
@_TO
@click.option("--phs", type=Amount(), default="1", show_default=True, help="PH/s sold.")
@click.option("--fixed", type=Amount(), required=True, help="USD, or coins, per PH/s and day.")
@click.option("--in-coin", is_flag=True, help="Fixed and settled in coin.")
@_PATHS
@command
def hashprice(
    call: Call,
    *,
    first: datetime,
    last: datetime,
    phs: Decimal,
    fixed: Decimal,
    in_coin: bool,
    paths: int,
) -> None:
    """Hashrate sold at a fixed hashprice, settled every day against the index."""
    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.instrument import HashpriceForward
    from headframe.risk import forward_initial

    terms = HashpriceForward(
        first=first.date(), last=last.date(), phs=phs, fixed=fixed, in_coin=in_coin
    )
    office = call.office()
    found = structures.hashprice_forward(office, terms, paths=paths)
    unit = "coins" if in_coin else "USD"
    asked = forward_initial(terms, office.now().date())
    words = "" if asked.in_force else ", not in force that day"
    margin = f"{asked.amount:,.8f}" if in_coin else f"{asked.amount:,.2f}"
    call.answer(
        "hashprice-forward",
        {**to_json(found), "initial": to_json(asked)},
        f"fair {found.fair:.8f} {unit} per PH/s and day (error {found.fair_se:.8f})"
        if in_coin
        else f"fair {found.fair:,.2f} {unit} per PH/s and day (error {found.fair_se:.2f})",
        f"worth {found.value_usd:,.0f} USD to the seller (error {found.value_se:,.0f}), "
        f"undiscounted, on {found.paths:,} paths",
        f"initial margin {margin} {unit} by {asked.schedule}{words}",
    )


@contract.command(name="difficulty")
@_FROM
@_TO
@click.option("--fixed", type=Amount(), required=True, help="Mean difficulty in T.")
@click.option("--usd-per-t", type=Amount(), default="1000", show_default=True)
@_PATHS
@command
def difficulty(
    call: Call, *, first: datetime, last: datetime, fixed: Decimal, usd_per_t: Decimal, paths: int
) -> None:
    """The mean difficulty of every block of a time against a fixed one; the buyer gains as it rises."""
    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.instrument import DifficultySwap

    terms = DifficultySwap(first=first.date(), last=last.date(), fixed_t=fixed, usd_per_t=usd_per_t)
    found = structures.difficulty_swap(call.office(), terms, paths=paths)
    call.answer(
        "difficulty-swap",
        to_json(found),
        f"fair {found.fair:,.2f} T (error {found.fair_se:.2f})",
        f"worth {found.value_usd:,.0f} USD to the buyer (error {found.value_se:,.0f}), "
        f"undiscounted, on {found.paths:,} paths",
    )


@contract.command(name="average")
@_FROM
@_TO
@click.option("--put", "put_strike", type=Amount(), required=True, help="Strike bought, USD.")
@click.option("--call", "call_strike", type=Amount(), help="Strike of a call sold: a collar.")
@command
def average(
    call: Call,
    *,
    first: datetime,
    last: datetime,
    put_strike: Decimal,
    call_strike: Decimal | None,
) -> None:
    """Options on the mean of the daily fixings at 08:00 UTC: the fair premium per coin, and each leg's."""
    from headframe.desk import structures

    made = averaged_terms(call, first, last, Decimal(1), put_strike, call_strike)
    found = structures.averages(call.office(), made)
    said = [f"{words}: {value:,.2f} USD a coin" for words, value in found.legs]
    call.answer(
        "average-options",
        {"fair": found.fair, "legs": dict(found.legs), "forward": found.forward},
        f"fair premium {found.fair:,.2f} USD a coin, mean forward {found.forward:,.2f}",
        *said,
    )


@contract.command()
@_FROM
@_TO
@click.option("--phs", type=Amount(), help="PH/s sold forward.")
@click.option("--least", type=Amount(), help="The least USD, or coins, per PH/s and day.")
@click.option("--in-coin", is_flag=True, help="Fixed and settled in coin.")
@click.option("--coins", type=Amount(), help="Coins of options on the mean.")
@click.option("--put", "put_strike", type=Amount(), help="Strike bought, USD.")
@click.option("--call", "call_strike", type=Amount(), help="Strike of a call sold: a collar.")
@click.option("--most", help="The most premium per coin; negative: the least received.")
@command
def draft(
    call: Call,
    *,
    first: datetime,
    last: datetime,
    phs: Decimal | None,
    least: Decimal | None,
    in_coin: bool,
    coins: Decimal | None,
    put_strike: Decimal | None,
    call_strike: Decimal | None,
    most: str | None,
) -> None:
    """Draft a contract with the worst price it may be dealt at, judged under the mandate.

    Hashrate sold forward: --phs and --least. Options on a mean: --coins, --put, --most, and --call for a
    collar. Contracts are dealt by telephone or chat: the mandate must allow the venue "voice".
    """
    from headframe.desk import contracts
    from headframe.units import parse_figure

    if phs is not None and least is not None and not (coins or put_strike or call_strike or most):
        terms, limit = _forward_terms(call, first, last, phs, least, in_coin=in_coin), least
    elif coins and put_strike and most is not None and not (phs or least or in_coin):
        terms = averaged_terms(call, first, last, coins, put_strike, call_strike)
        limit = parse_figure(most)
    else:
        raise click.UsageError(
            "say --phs and --least for hashrate sold forward, or --coins, --put and --most for options on "
            "a mean"
        )
    _answer(call, contracts.draft(call.office(), terms, limit))


def _forward_terms(
    call: Call, first: datetime, last: datetime, phs: Decimal, fixed: Decimal, *, in_coin: bool
) -> "ContractTerms":
    from headframe.book import ContractTerms
    from headframe.instrument import HashpriceForward, StructureKind

    forward = HashpriceForward(
        first=first.date(), last=last.date(), phs=phs, fixed=fixed, in_coin=in_coin
    )
    coin = call.office().settings().operation.coin
    return ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin=coin, forward=forward)


def averaged_terms(
    call: Call,
    first: datetime,
    last: datetime,
    coins: Decimal,
    put_strike: Decimal,
    call_strike: Decimal | None,
) -> "ContractTerms":
    """A put on a mean bought, and the call of a collar sold."""
    from headframe.book import ContractTerms
    from headframe.instrument import AveragedOption, Kind, StructureKind

    window = {"first": first.date(), "last": last.date()}
    options = [AveragedOption(kind=Kind.PUT, strike=put_strike, coins=coins, **window)]
    kind = StructureKind.AVERAGE_PUT
    if call_strike is not None:
        kind = StructureKind.AVERAGE_COLLAR
        options.append(AveragedOption(kind=Kind.CALL, strike=call_strike, coins=-coins, **window))
    coin = call.office().settings().operation.coin
    return ContractTerms(kind=kind, coin=coin, options=tuple(options))


@contract.command(name="list")
@command
def list_contracts(call: Call) -> None:
    """Every contract: what it is, where it stands, what is left of it and what that is worth."""
    from headframe.desk import contracts, tables

    rows = contracts.rows(call.office())
    shown = [tables.contracts_table(rows)] if rows else ["There is no contract."]
    call.answer("contracts", {"contracts": [_told(one) for one in rows]}, *shown)


@contract.command()
@click.argument("name")
@command
def approve(call: Call, name: str) -> None:
    """Approve draft NAME: another person than who drafted it."""
    from headframe.desk import contracts

    _answer(call, contracts.give(call.office(), name))


@contract.command()
@click.argument("name")
@command
def decline(call: Call, name: str) -> None:
    """Put draft NAME, or a close of it that waits, away."""
    from headframe.desk import contracts

    _answer(call, contracts.decline(call.office(), name))


@contract.command()
@click.argument("name")
@click.option("--quote", "quotes", multiple=True, metavar="DEALER=PRICE", required=True)
@click.option("--dealt", default="", help="The dealer you have dealt with, on the rule's award.")
@click.option("--fee", type=Amount(), default="0", help="USD.")
@command
def deal(call: Call, name: str, quotes: tuple[str, ...], dealt: str, fee: Decimal) -> None:
    """Award NAME on quotes heard: a rate for hashrate, or a premium per coin.

    First type the quotes: the answer says who wins by the mandate's rule. Deal with that dealer, then say so
    with --dealt.
    """
    from headframe.desk import contracts

    said = [_heard(text) for text in quotes]
    _answer(call, contracts.deal(call.office(), name, said, dealt, fee))


def _heard(text: str) -> "Heard":
    from headframe.desk.contracts import Heard
    from headframe.desk.ports import Invalid
    from headframe.units import Wrong, parse_figure

    dealer, mark, price = text.partition("=")
    try:
        if mark and dealer.strip():
            return Heard(dealer.strip(), parse_figure(price))
    except Wrong as error:
        raise Invalid(f"--quote is DEALER=PRICE: {error}") from error
    raise Invalid(f"--quote is DEALER=PRICE, was {text[:60]!r}")


@contract.command()
@click.argument("day", type=Instant())
@click.option("--hashprice", type=Amount(), help="The day's index, USD per PH/s and day.")
@click.option("--in-coin", "in_coin", type=Amount(), help="The day's index in coins.")
@click.option("--price", type=Amount(), help="USD a coin at 08:00 UTC of the day.")
@click.option("--anyway", is_flag=True, help="Though it is far from what is expected.")
@command
def fix(
    call: Call,
    *,
    day: datetime,
    hashprice: Decimal | None,
    in_coin: Decimal | None,
    price: Decimal | None,
    anyway: bool,
) -> None:
    """Fix DAY of every contract that is due for it, and book what it pays."""
    from headframe.desk import contract_days

    paid = contract_days.fix(
        call.office(),
        day.date(),
        hashprice=hashprice,
        in_coin=in_coin,
        price=price,
        anyway=anyway,
    )
    rows = [
        {"contract": name, "paid": str(amount), "currency": code} for name, amount, code in paid
    ]
    said = [f"{name}: {amount} {code} to us" for name, amount, code in paid]
    call.answer("contract-fixed", {"day": str(day.date()), "contracts": rows}, *said)


@contract.command()
@click.argument("name")
@click.argument("reference")
@click.option("--dealer", required=True, help="Whose confirmation it is.")
@_FROM
@_TO
@click.option("--price", required=True, help="The rate, or the premium per coin.")
@click.option("--fee", type=Amount(), default="0", show_default=True, help="USD.")
@click.option("--phs", type=Amount(), help="PH/s sold forward.")
@click.option("--in-coin", is_flag=True, help="Fixed and settled in coin.")
@click.option("--coins", type=Amount(), help="Coins of options on the mean.")
@click.option("--put", "put_strike", type=Amount(), help="Strike bought, USD.")
@click.option("--call", "call_strike", type=Amount(), help="Strike of a call sold.")
@command
def confirm(
    call: Call,
    *,
    name: str,
    reference: str,
    dealer: str,
    first: datetime,
    last: datetime,
    price: str,
    fee: Decimal,
    phs: Decimal | None,
    in_coin: bool,
    coins: Decimal | None,
    put_strike: Decimal | None,
    call_strike: Decimal | None,
) -> None:
    """Hold the dealer's confirmation REFERENCE of NAME, as it states the contract, against what was dealt."""
    from headframe.book import StatedContract
    from headframe.desk import contract_days
    from headframe.units import parse_figure

    said = parse_figure(price)
    if phs is not None and not (coins or put_strike or call_strike):
        terms = _forward_terms(call, first, last, phs, said, in_coin=in_coin)
    elif coins is not None and put_strike is not None and not in_coin:
        terms = averaged_terms(call, first, last, coins, put_strike, call_strike)
    else:
        raise click.UsageError(
            "say --phs of hashrate sold forward, or --coins and --put of options"
        )
    stated = StatedContract(dealer=dealer, terms=terms, price=said, fee=fee)
    record = contract_days.confirm(call.office(), name, stated, reference)
    _answer(call, record, *record.differences)


@contract.command()
@click.argument("name")
@click.option("--usd", help="What was agreed for all that is left, in USD to us; negative: we pay.")
@click.option("--approve", "approving", is_flag=True, help="Book the close that waits.")
@command
def close(call: Call, name: str, usd: str | None, approving: bool) -> None:
    """Close what is left of NAME before its end: proposed with --usd, booked by another with --approve."""
    from headframe.desk import contract_days
    from headframe.units import parse_figure

    if (usd is None) is not approving:
        raise click.UsageError("say --usd AMOUNT to propose a close, or --approve to book it")
    if usd is None:
        _answer(call, contract_days.approve_close(call.office(), name))
    else:
        _answer(call, contract_days.close(call.office(), name, parse_figure(usd)))


def _told(one: "ContractRow") -> dict[str, object]:
    from headframe.codec import to_json

    return {**to_json(one.record), "stage": one.record.stage, "worth_usd": one.worth_usd}


def _answer(call: Call, record: "ContractRecord", *said: str) -> None:
    from headframe.desk import tables
    from headframe.desk.contracts import ContractRow

    row = ContractRow(record=record, worth_usd=None)
    call.answer("contract", {"contract": _told(row)}, tables.contracts_table((row,)), *said)
