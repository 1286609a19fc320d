"""What is lawful in the three files and would still stop a deal: said by ``check`` before it happens."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from headframe.codec import (
    Settings,
    agree,
    counterparties_in_part,
    mandate_in_part,
    read_counterparties,
    read_mandate,
    read_settings,
    readable_text,
)
from headframe.counterparty import Dossier
from headframe.desk.office import Office
from headframe.desk.policy import changes
from headframe.desk.ports import Files
from headframe.desk.workspace import FILES, texts_of
from headframe.mandate import Mandate
from headframe.units import BTC

BLOCK_LEAST_COINS = 25.0
"""The least option leg of a Block RFQ on BTC at Deribit, in coins."""
BLOCK_LEAST_USD = 200_000.0
"""The least future leg of a Block RFQ on BTC at Deribit, in USD."""


def warnings(files: Files, today: date) -> tuple[str, ...]:
    """Return every warning of the files; a file that cannot be read hides none of another's."""
    texts = texts_of(files)
    settings = read_settings(texts[FILES[0]])
    mandate, flaws = mandate_in_part(texts[FILES[1]])
    dossiers, faults = counterparties_in_part(texts[FILES[2]])
    out = agree(lambda: _validity(mandate, today), flawed=bool(flaws))
    coin = readable_text(mandate.scope.coin)
    if isinstance(settings, Settings) and coin == BTC.code:
        out += agree(lambda: _block_minimums(mandate), flawed=bool(flaws))
    for row in dossiers:
        out += agree(partial(_future_evidence, row, today), flawed=bool(faults))
    return tuple(out)


def unrecorded(office: Office) -> tuple[str, ...]:
    """Return what mandate.toml and counterparties.toml say otherwise than the journal, with the remedy."""
    state, texts = office.journal_state(), texts_of(office.files)
    mandate, dossiers = read_mandate(texts[FILES[1]]), read_counterparties(texts[FILES[2]])
    out: list[str] = []
    if state.mandate is not None and isinstance(mandate, Mandate):
        out += [
            f"{FILES[1]}: {one.key}: expected {one.before} as signed, got {one.after}; fix: put it back, "
            "or have every signatory sign the file (headframe mandate sign)"
            for one in changes(state.mandate, mandate)
        ]
    for row in dossiers:
        known = state.dossiers.get(row.name) if isinstance(row, Dossier) else None
        if known is not None and isinstance(row, Dossier):
            out += [
                f"{FILES[2]}: {row.name}, {one.key}: expected {one.before} as on record, got {one.after}; "
                f"fix: put it back, or headframe counterparty add {row.name} and have it reviewed"
                for one in changes(known, row)
            ]
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
    later = [(document, day) for document, day in dated if day > today]
    if later:
        document, day = later[0]
        more = f" (and {len(later) - 1} more of it)" if len(later) > 1 else ""
        yield (
            f"{FILES[2]}: {dossier.name}, {document}{more}: expected a date up to {today}, got {day}; "
            "fix: correct the date, nobody can have seen the document yet"
        )
