"""What a workspace knows of things that have a history: signatures, forecasts, requests, users, keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from headframe.book import (
    CASH,
    COINS_FREE,
    COINS_PLEDGED,
    LOAN,
    Difference,
    HeldContract,
    Trade,
)
from headframe.desk.ports import Json
from headframe.hedge import ContractEnvelope
from headframe.mandate import Approval, Facts
from headframe.mining import Case, Forecast
from headframe.rfq import Request, RfqState
from headframe.risk import Alert
from headframe.units import BTC, USD, Money, Month, booked

_NOTHING = Money(USD, 0)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed which text of the mandate, and when."""

    signer: str
    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A forecast as it was frozen: who prepared it from what, and who approved it."""

    id: str
    at: datetime
    forecast: Forecast
    sha256: str
    inputs_sha256: str
    prepared_by: str
    source: str
    case: Case | None
    approved_by: str | None = None
    approved_at: datetime | None = None

    @property
    def status(self) -> str:
        """Prepared or approved, and by whom."""
        if self.approved_by is None:
            return f"prepared by {self.prepared_by}, not approved"
        return f"prepared by {self.prepared_by}, approved by {self.approved_by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RfqRecord:
    """A request as the journal knows it."""

    request: Request
    proposal: str
    state: RfqState
    venue: str
    venue_id: str | None = None
    ladder: tuple[Json, ...] = ()
    outcome: str = ""
    cover: str | None = None
    by: str = ""
    """Who asked."""
    awarded: str | None = None
    """The dealer the award went to, whatever came of it."""
    marks: Json = field(default_factory=dict[str, Any])
    """At the award: the model's mid, the index, greeks, the rule, what sweeping the lit book would cost."""
    marks_asked: Json = field(default_factory=dict[str, Any])
    """When it was asked: the model's mid, the index, greeks."""
    after: dict[int, float] = field(default_factory=dict[int, float])
    """The mid so many seconds after the award."""
    follows: str = ""
    """The request before it in the same decision, which a late quote had ended; empty for a first one."""
    bound: str | None = None
    """The price it may not be dealt worse than: the best that counted at a request before it."""
    late: tuple[Json, ...] = ()
    """What was decided about late quotes, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something heard of a counterparty: by whom, from where; what is adverse stands until it is answered."""

    number: int
    name: str
    text: str
    source: str
    adverse: bool
    by: str
    at: datetime
    answer: str = ""
    answered_by: str = ""

    @property
    def open(self) -> bool:
        """Whether it is adverse and nobody has answered it."""
        return self.adverse and not self.answer


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation came to: of which trade (none of ours where empty), from whom, what differs."""

    trade: str
    reference: str
    by: str
    source: str
    at: datetime
    differences: tuple[Difference, ...]
    fixing_source: str = ""
    """The source of settlement prices that the confirmation names; the venue's own where it names none."""
    value_date: date | None = None
    """The day on which the confirmation settles premium and fee; the agreement's where it says none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """Coins sold as a venue filled them: what they brought before the fee."""

    id: str
    at: datetime
    coins: Money
    cash: Money
    fee: Money
    venue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginCall:
    """A call under an agreement: by the dealer or (``from_us``) by us; what is settled of what is owed."""

    number: int
    dealer: str
    from_us: bool
    asked: Money
    ours: Money
    """What our own valuation gives."""
    undisputed: Money
    due: date
    at: datetime
    by: str
    reference: str = ""
    agreed: Money | None = None
    agreed_by: str = ""
    reason: str = ""
    settled: Money = _NOTHING

    @property
    def owed(self) -> Money:
        """What is to be delivered: what was agreed, before that what nobody disputes."""
        return self.undisputed if self.agreed is None else self.agreed

    @property
    def left(self) -> Money:
        """What is not delivered yet."""
        return self.owed - self.settled

    @property
    def disputed(self) -> Money:
        """What the two sides differ on until they agree."""
        return self.asked - self.undisputed if self.agreed is None else Money(USD, 0)

    @property
    def open(self) -> bool:
        """Whether anything is to be delivered or agreed."""
        return self.left.smallest != 0 or self.disputed.smallest != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A new version of a trade: what it was, what it becomes, why; in force once approved by another."""

    number: int
    before: Trade
    after: Trade
    reason: str
    by: str
    at: datetime
    approved_by: str = ""
    declined_by: str = ""

    @property
    def open(self) -> bool:
        """Whether it waits for approval."""
        return not (self.approved_by or self.declined_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractClose:
    """What both sides agreed to close a contract at, in USD to us; booked once another person approves."""

    usd: Decimal
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """A contract on a schedule from its draft on: its terms, who approved them, what it was dealt as."""

    id: str
    at: datetime
    preparer: str
    envelope: ContractEnvelope
    envelope_sha256: str
    mandate_sha256: str
    forecast_id: str
    fair: float
    shares: tuple[tuple[Month, Decimal], ...]
    facts: Facts
    panel: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    approval: Approval | None = None
    declined_by: str = ""
    ladder: tuple[Json, ...] = ()
    held: HeldContract | None = None
    closing: ContractClose | None = None
    confirmed_by: str = ""
    """Who held the dealer's confirmation against it, and what that is called."""
    differences: tuple[str, ...] = ()
    """In what the confirmation differs from what is booked."""
    dealt_by: str = ""

    @property
    def stage(self) -> str:
        """Where it stands, from draft to its end."""
        if self.held is not None:
            return self._on(self.held)
        if self.declined_by:
            return "declined"
        return "approved" if self.approval is not None else "draft"

    def _on(self, held: HeldContract) -> str:
        if held.closed:
            return "closed out"
        if not held.days_left:
            return "settled"
        if self.differences:
            return "executed, confirmation differs"
        if held.fixings:
            return "active"
        return "confirmed" if self.confirmed_by else "executed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert that stands, who answered it and how, and the routes it went out by."""

    alert: Alert
    answered_by: str = ""
    reason: str = ""
    snoozed_until: datetime | None = None
    sent: tuple[str, ...] = ()

    def quiet(self, at: datetime) -> bool:
        """Whether somebody has taken it: acknowledged, or snoozed and not yet woken."""
        return bool(self.answered_by) and (self.snoozed_until is None or at < self.snoozed_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningBalances:
    """What the mine owned and owed when the ledger was opened, corrections counted in."""

    cash_usd: Money
    coins_free: Money
    coins_pledged: Money
    loan_usd: Money
    credit_line_usd: Money | None = None
    """The credit line as it was then; None in journals opened before it was recorded. It is in no account."""

    @classmethod
    def of_postings(
        cls, postings: Iterable[Sequence[str]], credit_line_usd: str | None
    ) -> "OpeningBalances":
        """Return the balances that the postings of an opening, or of a correction of one, amount to."""
        sums = {(CASH, USD): 0, (COINS_FREE, BTC): 0, (COINS_PLEDGED, BTC): 0, (LOAN, USD): 0}
        by_code = {(account, unit.code): (account, unit) for account, unit in sums}
        for account, code, text in postings:
            key = by_code.get((account, code))
            if key is not None:
                sums[key] += booked(text, key[1]).smallest
        return cls(
            cash_usd=Money(USD, sums[CASH, USD]),
            coins_free=Money(BTC, sums[COINS_FREE, BTC]),
            coins_pledged=Money(BTC, sums[COINS_PLEDGED, BTC]),
            loan_usd=Money(USD, -sums[LOAN, USD]),
            credit_line_usd=None if credit_line_usd is None else booked(credit_line_usd, USD),
        )

    def plus(self, change: "OpeningBalances") -> "OpeningBalances":
        """Return the balances after a correction; its credit line replaces the one before."""
        return OpeningBalances(
            cash_usd=self.cash_usd + change.cash_usd,
            coins_free=self.coins_free + change.coins_free,
            coins_pledged=self.coins_pledged + change.coins_pledged,
            loan_usd=self.loan_usd + change.loan_usd,
            credit_line_usd=change.credit_line_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restore from a backup: nothing trades until each venue's record since then is read or attested."""

    head: str
    """Count and hash of the backup's last event."""
    since: datetime
    """The instant of that event: what venues dealt from then on may be missing."""
    at: datetime
    lineage: str
    """Of this restore alone: ids that are made after it differ from all that were made without it."""
    reconciled: tuple[str, ...] = ()
    """Venues whose record was read and adopted, or attested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A trade in a venue's record that this journal does not know and could not adopt."""

    venue: str
    venue_id: str
    label: str
    at: datetime
    instruments: tuple[str, ...]
    amount: Decimal
    reason: str
    """Why it could not be adopted."""

    @property
    def id(self) -> str:
        """What it is called here."""
        return f"{self.venue}:{self.venue_id}"


@dataclass(frozen=True, slots=True)
class Halt:
    """Who stopped trading, why, and when: nothing new is sent until somebody resumes."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A user: roles, and the argon2id of a password."""

    name: str
    roles: tuple[str, ...]
    verifier: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a token may do, for whom and how long; the token itself is nowhere."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """An action that a caller named by a key of its own: done once, whatever is sent again."""

    fingerprint: str
    rfq: str
