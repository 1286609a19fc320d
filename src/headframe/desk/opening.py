"""Opening balances: what the files state until the ledger is opened, what it was opened with, corrections.

Until the ``opened`` event the files rule: the state shows their balances and nothing may be booked. The
event comes with the signature that puts the first mandate in force, or with ``headframe open``, and once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from headframe.book import Entry, opening
from headframe.codec import Settings
from headframe.desk.known import OpeningBalances
from headframe.desk.ports import Declined, Draft
from headframe.desk.state import State, postings_json
from headframe.units import BTC, USD, Money, booked, iso

EVENT = "opened"
CORRECTION = "opening_corrected"
NOT_OPEN = (
    "ledger: expected it opened, got opening balances that are still those of headframe.toml; fix: "
    "headframe mandate sign --as SIGNATORY (the signature that puts the mandate in force opens it), or "
    "headframe open"
)
_BOOKS_WITHOUT_POSTINGS = frozenset({"statement"})
"""Kinds that hold the ledger against other records and keep what came of it."""


def balances_of(settings: Settings) -> OpeningBalances:
    """Return the balances of a settings file as the ledger would be opened with."""
    treasury = settings.operation.treasury
    return OpeningBalances(
        cash_usd=booked(treasury.cash_usd, USD),
        coins_free=booked(treasury.coins_free, BTC),
        coins_pledged=booked(treasury.coins_pledged, BTC),
        loan_usd=booked(treasury.loan_usd, USD),
        credit_line_usd=booked(treasury.credit_line_usd, USD),
    )


def entry_of(balances: OpeningBalances, before: OpeningBalances | None = None) -> Entry:
    """Return the entry that opens the ledger, or that corrects what it was opened with before."""
    if before is None:
        return opening(
            cash=balances.cash_usd,
            free=balances.coins_free,
            pledged=balances.coins_pledged,
            loan=balances.loan_usd,
        )
    return opening(
        cash=balances.cash_usd - before.cash_usd,
        free=balances.coins_free - before.coins_free,
        pledged=balances.coins_pledged - before.coins_pledged,
        loan=balances.loan_usd - before.loan_usd,
    )


def correction_draft(balances: OpeningBalances, entries: Iterable[Entry], reason: str) -> Draft:
    """Return the event that takes the ledger from what it was opened with to other balances."""
    body = {
        "reason": reason,
        "credit_line_usd": str(balances.credit_line_usd),
        "postings": postings_json(entries),
    }
    return Draft(CORRECTION, body)


def opening_draft(settings: Settings) -> Draft:
    """Return the event that opens the ledger with the figures of the file."""
    workspace, balances = settings.workspace, balances_of(settings)
    return Draft(
        EVENT,
        {
            "name": workspace.name,
            "mode": workspace.mode,
            "seed": workspace.seed,
            "credit_line_usd": str(balances.credit_line_usd),
            "postings": postings_json([entry_of(balances)]),
        },
    )


def opened_by_files(state: State, settings: Settings) -> State:
    """Return a copy of an unopened state with the file's figures in its books; ``opened`` stays None."""
    shown, workspace = state.copy(), settings.workspace
    shown.name, shown.mode, shown.seed = workspace.name, workspace.mode, workspace.seed
    shown.opening = balances_of(settings)
    shown.ledger.post(entry_of(shown.opening))
    return shown


def require_open(state: State, drafts: Iterable[Draft]) -> None:
    """Decline events that book, or that hold the ledger against others, before the ledger is open."""
    kinds = [draft.kind for draft in drafts if _needs_open(draft)]
    if state.opened is None and kinds and EVENT not in {draft.kind for draft in drafts}:
        raise Declined(NOT_OPEN)


def _needs_open(draft: Draft) -> bool:
    return "postings" in draft.body or draft.kind in _BOOKS_WITHOUT_POSTINGS


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of headframe.toml that is not the one the ledger was opened with."""

    table: str
    field: str
    file: str
    ledger: str
    correctable: bool

    def words(self, opened: str) -> str:
        """Return the difference and its remedy in one line."""
        fix = (
            f"put {self.ledger} back; if the ledger is wrong, book the difference with headframe open "
            '--correct --reason "WHY" --as SIGNATORY'
            if self.correctable
            else f"put {self.ledger} back: it is fixed at the opening"
        )
        return (
            f"{self.table}.{self.field}: expected {self.ledger} as in the ledger (opened {opened}), got "
            f"{self.file} in the file; fix: {fix}"
        )


def differences(state: State, settings: Settings) -> Iterator[Difference]:
    """Yield every figure in which the file is not what the ledger was opened with; none while unopened."""
    if state.opened is None or state.opening is None:
        return
    for name in ("name", "mode", "seed"):
        file, ledger = str(getattr(settings.workspace, name)), str(getattr(state, name))
        if file != ledger:
            yield Difference("workspace", name, file, ledger, correctable=False)
    for each in fields(OpeningBalances):
        held: Money | None = getattr(state.opening, each.name)
        stated: object = getattr(settings.operation.treasury, each.name)
        if held is None or not isinstance(stated, float):
            continue  # not recorded at the opening, or not readable in the file
        money = booked(stated, held.currency)
        if money != held:
            yield Difference("treasury", each.name, str(money), str(held), correctable=True)


def cash_at_opening(state: State, settings: Settings) -> float:
    """Return the cash in USD that the ledger was opened with; before that the file's."""
    held = state.opening
    return settings.operation.treasury.cash_usd if held is None else float(held.cash_usd)


def opened_words(state: State) -> str:
    """Return the instant of the opening for a message."""
    return "not yet" if state.opened is None else iso(state.opened)
