"""Wherever an expiry is typed, a day as the venue writes it and an ISO date mean the same instant."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest

from headframe.cli.app import app
from headframe.cli.frame import Expiry
from headframe.codec import PriceDefaults, read_settlement_prices
from headframe.feed import market_from_text
from headframe.units import Wrong, expiry_instant, parse_expiry

DAY = datetime(2026, 9, 25, 8, tzinfo=UTC)
SAME = ("25-SEP-26", "25SEP26", "25-sep-26", "2026-09-25")


def options(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Option]]:
    """Every option of the click tree with the command it belongs to."""
    context = click.Context(group)
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            one = group.get_command(context, name)
            assert one is not None
            yield from options(one, f"{path} {name}".strip())
    for param in group.params:
        if isinstance(param, click.Option):
            yield path, param


def test_every_option_that_takes_an_expiry_reads_it_by_the_one_type() -> None:
    found = [(path, one) for path, one in options(app) if any("expir" in name for name in one.opts)]
    assert {path for path, _ in found} >= {"collar", "scenario", "switch"}
    for path, one in found:
        assert isinstance(one.type, Expiry), f"{path} {one.opts[0]}"


@pytest.mark.parametrize("text", SAME)
def test_both_forms_are_the_same_instant_everywhere(text: str) -> None:
    assert parse_expiry(text) == DAY
    assert expiry_instant(text) == DAY
    assert Expiry().convert(f" {text} ", None, None) == DAY
    row = {"date": "2026-09-24", "instrument": text, "price": "80000"}
    defaults = PriceDefaults(coin="BTC", source="a test")
    (price,) = read_settlement_prices([(1, row)], "x", defaults)
    assert price.instrument == "BTC-25SEP26"
    typed = f"as_of,index,expiry,forward,ATM\n2026-08-22T12:00:00Z,78000,{text},78500,40\n"
    assert market_from_text(typed, name="x.csv", as_of=None).forwards[0].expiry == DAY


def test_a_chain_states_an_expiry_as_a_day_or_as_an_instant() -> None:
    assert expiry_instant("2026-09-25T16:00:00+00:00") == DAY + timedelta(hours=8)
    for wrong in ("2026-13-01", "32-SEP-26", "soon", ""):
        with pytest.raises(Wrong):
            expiry_instant(wrong)


@pytest.mark.parametrize("text", ["2026-02-30", "25-SEPT-26", "0", "PERPETUAL"])
def test_what_is_no_day_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Expiry().convert(text, None, None)
