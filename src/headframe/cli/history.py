"""history: the difficulty history carried, imported, and extended from a node or an Esplora server."""

from pathlib import Path

import click

from headframe.cli.frame import Call, Whole, command

_COIN = click.option("--coin", default="BTC", show_default=True)


@click.group()
def history() -> None:
    """The difficulty history: show, import, fetch."""


@history.command()
@_COIN
@click.option("--last", type=Whole(1, 10_000), default=13, show_default=True)
@command
def show(call: Call, coin: str, last: int) -> None:
    """The last periods known, and which of them are reported figures."""
    from headframe.chain import chain_of
    from headframe.codec import to_json
    from headframe.desk import history as kept
    from headframe.report import history_table

    one = chain_of(coin)
    office = call.office()
    state = office.state()
    rows = kept.known(state, one.coin, office.now())[-last:]
    call.answer(
        "history", {"coin": one.coin, "rows": [to_json(row) for row in rows]}, history_table(rows)
    )


@history.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_COIN
@command
def import_history(call: Call, file: Path, coin: str) -> None:
    """Add the periods of FILE (CSV: height, time, bits or difficulty)."""
    from headframe.chain import chain_of
    from headframe.desk import history as kept
    from headframe.feed import read_history

    one = chain_of(coin)
    new, notes = kept.extend(call.office(), one.coin, read_history(file, one), file.name)
    _told(call, one.coin, len(new), notes)


@history.command()
@click.option("--esplora", help="Base URL of an Esplora-style REST API (HEADFRAME_ESPLORA_URL).")
@click.option("--node", help="URL of a Bitcoin node's JSON-RPC with its user (HEADFRAME_NODE_URL).")
@command
def fetch(call: Call, esplora: str | None, node: str | None) -> None:
    """Extend Bitcoin's history to the tip from a node or a server of your choice."""
    from headframe.desk import history as kept
    from headframe.feed import fetch_periods
    from headframe.units import Wrong
    from headframe.wiring import source_url

    if esplora is None and node is None:
        esplora, node = source_url("ESPLORA"), source_url("NODE")
    if (esplora is None) == (node is None):
        raise Wrong(
            "give one of --esplora URL and --node URL, or set one of HEADFRAME_ESPLORA_URL and "
            "HEADFRAME_NODE_URL, which keeps a password out of the list of processes"
        )
    office = call.office()
    state = office.state()
    known = kept.known(state, "BTC", office.now())
    source = "esplora" if esplora is not None else "node"
    found = fetch_periods(source, esplora or node or "", known)
    new, notes = kept.extend(office, "BTC", found, source)
    _told(call, "BTC", len(new), notes)


def _told(call: Call, coin: str, new: int, notes: tuple[str, ...]) -> None:
    for note in notes:
        call.talk(note)
    body = {"coin": coin, "new": new, "notes": list(notes)}
    call.answer("history-extended", body, f"{coin}: {new} new periods")
