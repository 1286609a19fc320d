"""What an address received and what a pool paid, as servers say it: shared by coins and mining payouts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from headframe.cli.frame import Call
from headframe.desk.flows import Receipts

if TYPE_CHECKING:
    from headframe.desk.office import Office
    from headframe.feed import AddressReceipts


def read_addresses(
    office: "Office", url: str | None, addresses: tuple[str, ...], confirmations: int
) -> "AddressReceipts":
    """Return what addresses of the mine's coin received, by an Esplora-style server."""
    from headframe.chain import chain_of
    from headframe.desk import history
    from headframe.feed import ReceiptRules, fetch_receipts
    from headframe.units import Wrong
    from headframe.wiring import source_url

    base = url or source_url("ESPLORA")
    if base is None:
        raise Wrong("give --esplora URL, or set HEADFRAME_ESPLORA_URL")
    state, settings = office.state(), office.settings()
    chain = chain_of(settings.operation.coin)
    known = history.known_heights(state, chain.coin, office.now())
    rules = ReceiptRules(
        chain=chain,
        confirmations=confirmations,
        own=frozenset((*settings.wallet.addresses, *state.own_addresses)),
        known_height=max(known, default=0),
    )
    return fetch_receipts(base, addresses, rules)


def as_receipts(found: "AddressReceipts", addresses: tuple[str, ...], coin: str) -> Receipts:
    """Return receipts as the desk books them: an id for each transaction and output."""
    from headframe.book import Output, Payout, PayoutSource
    from headframe.units import CURRENCIES, booked

    currency = CURRENCIES[coin]
    payouts = tuple(
        Payout(
            id=f"tx-{one.txid}:{one.output}",
            at=one.at,
            coins=booked(one.coins, currency),
            source=PayoutSource.CHAIN,
            txid=one.txid,
            output=one.output,
            address=one.address,
        )
        for one in found.receipts
    )
    outputs = {
        txid: tuple(
            Output(place=place, address=address, coins=booked(coins, currency))
            for place, address, coins in rows
        )
        for txid, rows in found.outputs.items()
    }
    return Receipts(
        payouts=payouts, outputs=outputs, addresses=addresses, transfers=found.transfers
    )


def waiting_words(found: "AddressReceipts", coin: str) -> tuple[str, ...]:
    """Return how many receipts wait for confirmations, and until when, in words."""
    words: list[str] = []
    for coinbase, name in ((True, "of block rewards"), (False, "of payments")):
        rows = [one for one in found.waiting if one.coinbase is coinbase]
        if rows:
            coins, last = sum((one.receipt.coins for one in rows), Decimal(0)), rows[-1]
            words.append(
                f"{len(rows)} {name} ({coins:f} {coin}) wait for confirmations: the last until height "
                f"{last.due_height:,}, about {last.due_at:%Y-%m-%d %H:%M} UTC"
            )
    return tuple(words)


def read_pool(
    call: Call, office: "Office", since: datetime | None
) -> tuple[Receipts, tuple[str, ...]]:
    """Return what the pool's API says it paid, and what was left out or rounded."""
    from headframe.feed import fetch_pool
    from headframe.units import Wrong
    from headframe.wiring import secret_at

    settings = office.settings()
    api = settings.pool_api
    if api is None:
        raise Wrong("headframe.toml names no pool: add [pool_api] with url, id, at and amount")
    first = (office.now() - timedelta(days=30) if since is None else since).date()
    found = fetch_pool(api, secret_at(api.secret, call.folder), first, settings.operation.coin)
    return Receipts(payouts=found.payouts), found.notes
