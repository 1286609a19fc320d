"""What is lawful in the three files and would still stop a deal: said by ``check`` before it happens."""

from collections.abc import Iterator
from datetime import date

from headframe.codec import Settings, read_counterparties, read_mandate, read_settings
from headframe.counterparty import Dossier
from headframe.desk.ports import Files
from headframe.desk.workspace import FILES
from headframe.mandate import Mandate
from headframe.units import BTC

BLOCK_LEAST_COINS = 25.0
"""The least option leg of a Block RFQ on BTC at Deribit, in coins."""
BLOCK_LEAST_USD = 200_000.0
"""The least future leg of a Block RFQ on BTC at Deribit, in USD."""


def warnings(files: Files, today: date) -> tuple[str, ...]:
    """Return every warning of the files; a file that cannot be read hides none of another's."""
    settings = read_settings(files.text(FILES[0]))
    mandate = read_mandate(files.text(FILES[1]))
    dossiers = read_counterparties(files.text(FILES[2]))
    out: list[str] = []
    if isinstance(mandate, Mandate):
        out += _validity(mandate, today)
        if isinstance(settings, Settings) and mandate.scope.coin == BTC.code:
            out += _block_minimums(mandate)
    for row in dossiers:
        if isinstance(row, Dossier):
            out += _future_evidence(row, today)
    return tuple(out)


def _validity(mandate: Mandate, today: date) -> Iterator[str]:
    scope = mandate.scope
    if today < scope.valid_from:
        yield (
            f"{FILES[1]}: scope.valid_from: expected a day up to {today}, got {scope.valid_from}; "
            "fix: nothing can be dealt before that day; wait for it or have an earlier one signed"
        )
    if today > scope.valid_until:
        yield (
            f"{FILES[1]}: scope.valid_until: expected {today} or later, got {scope.valid_until}; "
            "fix: the mandate has ended; have a later version signed"
        )


def _block_minimums(mandate: Mandate) -> Iterator[str]:
    rfq = mandate.rfq
    if rfq.block_min_coins < BLOCK_LEAST_COINS:
        yield (
            f"{FILES[1]}: rfq.block_min_coins: expected at least {BLOCK_LEAST_COINS:g}, "
            f"got {rfq.block_min_coins:g}; fix: the venue refuses smaller blocks of options, raise it"
        )
    if rfq.future_block_min_usd < BLOCK_LEAST_USD:
        yield (
            f"{FILES[1]}: rfq.future_block_min_usd: expected at least {BLOCK_LEAST_USD:,.0f}, "
            f"got {rfq.future_block_min_usd:,.0f}; fix: the venue refuses smaller blocks of futures, raise it"
        )


def _future_evidence(dossier: Dossier, today: date) -> Iterator[str]:
    dated = [(row.document, row.dated) for row in dossier.evidence]
    dated += [(f"the answer to {row.question[:60]!r}", row.dated) for row in dossier.answers]
    for document, day in dated:
        if day > today:
            yield (
                f"{FILES[2]}: {dossier.name}, {document}: expected a date up to {today}, got {day}; "
                "fix: correct the date, nobody can have seen the document yet"
            )
