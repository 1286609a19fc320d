"""The state of a workspace: a fold of its journal, the same live and in replay."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from decimal import Decimal

from headframe.book import (
    Accounts,
    Bank,
    Break,
    Entry,
    FxRate,
    HeldContract,
    Ledger,
    MatchedPayout,
    PaymentDue,
    Payout,
    PendingCall,
    Position,
    Trade,
    Transit,
)
from headframe.chain import Retarget
from headframe.counterparty import HOUSE, Dossier, Grid, Standing, as_graded
from headframe.desk.known import (
    AlertRecord,
    Amendment,
    Confirmed,
    ContractRecord,
    Halt,
    Keyed,
    MarginCall,
    Note,
    OpeningBalances,
    Restored,
    RfqRecord,
    Sale,
    Signature,
    Stray,
    Token,
    User,
    Version,
)
from headframe.desk.ports import Head, Json
from headframe.hedge import (
    Baseline,
    Proposal,
    index_of,
)
from headframe.lifecycle import (
    CoinSale,
    FundingDue,
    FundingRate,
    HedgeResult,
    MonthBooks,
    MonthResult,
    SettlementPrice,
)
from headframe.mandate import Approval, Mandate
from headframe.market import Snapshot
from headframe.mining import Forecast
from headframe.pricing import Surface
from headframe.rfq import TERMINAL, Fill, RfqState
from headframe.risk import Posted, stand_ins
from headframe.units import BTC, CURRENCIES, USD, Money, Month

GENESIS_HEAD = Head(0, "0" * 64)
_STEP = Decimal("0.1")
_RATE_AFTER = timedelta(days=1)
"""How much later than an amount its rate may be."""
_FEW = 3
"""Awards before a dealer's share of refusals is a figure."""


@dataclass
class State:
    """Everything that follows from the journal so far."""

    head: Head = GENESIS_HEAD
    clock: datetime | None = None
    opened: datetime | None = None
    """Of when the opening balances are; None until the ledger is opened: the files rule so long."""
    opening: OpeningBalances | None = None
    """What the ledger was opened with; before that the balances of the files."""
    name: str = ""
    mode: str = "paper"
    seed: int = 0
    halted: Halt | None = None
    users: dict[str, User] = field(default_factory=dict[str, User])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    keyed: dict[str, Keyed] = field(default_factory=dict[str, Keyed])
    bearing: int = 0
    """The last event that bears on whether a trade may be made."""
    market: Snapshot | None = None
    surface: Surface | None = None
    """The surface fitted when the market was taken; none in journals older than that."""
    market_received: datetime | None = None
    mandate_texts: dict[str, str] = field(default_factory=dict[str, str])
    signatures: list[Signature] = field(default_factory=list[Signature])
    mandate: Mandate | None = None
    mandate_sha256: str = ""
    dossiers: dict[str, Dossier] = field(default_factory=dict[str, Dossier])
    standing: dict[str, Standing] = field(default_factory=dict[str, Standing])
    notes: list[Note] = field(default_factory=list[Note])
    """What was heard of counterparties, oldest first."""
    steps: list[Json] = field(default_factory=list[Json])
    versions: dict[str, Version] = field(default_factory=dict[str, Version])
    forecast_in_force: str | None = None
    retargets: dict[str, tuple[Retarget, ...]] = field(
        default_factory=dict[str, tuple[Retarget, ...]]
    )
    mined: dict[date, str] = field(default_factory=dict[date, str])
    hashrates: dict[date, str] = field(default_factory=dict[date, str])
    mappings: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    proposals: dict[str, Proposal] = field(default_factory=dict[str, Proposal])
    approvals: dict[str, Approval] = field(default_factory=dict[str, Approval])
    rfqs: dict[str, RfqRecord] = field(default_factory=dict[str, RfqRecord])
    fills: dict[str, Fill] = field(default_factory=dict[str, Fill])
    breaks: dict[str, Break] = field(default_factory=dict[str, Break])
    """Balances on which a statement does not agree, by account and currency."""
    alerts: dict[str, AlertRecord] = field(default_factory=dict[str, AlertRecord])
    """Alerts that stand, by cause."""
    alerts_made: int = 0
    flows: dict[str, str] = field(default_factory=dict[str, str])
    """Payouts, sales and the like that are booked: their ids, and the hash of what each was."""
    payouts: dict[str, Payout] = field(default_factory=dict[str, Payout])
    """Payouts that are booked, by id: when each happened and what it came by."""
    matched_payouts: dict[str, MatchedPayout] = field(default_factory=dict[str, MatchedPayout])
    """Payouts told again by another source, by the id they have there."""
    own_addresses: list[str] = field(default_factory=list[str])
    """Addresses of our own, as receipts were read from them."""
    sales: list[Sale] = field(default_factory=list[Sale])
    """Sales of coins as venues filled them, oldest first."""
    transit: list[Transit] = field(default_factory=list[Transit])
    """Dollars that are booked and not there yet, by the bank's calendar."""
    calls: list[PendingCall] = field(default_factory=list[PendingCall])
    """Collateral that was called and is still to be delivered."""
    ended: dict[str, str] = field(default_factory=dict[str, str])
    """How trades ended whose last coins a day took: exercised, expired, settled."""
    amendments: list[Amendment] = field(default_factory=list[Amendment])
    """New versions of trades, proposed and approved, oldest first."""
    margin_calls: list[MarginCall] = field(default_factory=list[MarginCall])
    """Calls as they were made, oldest first."""
    fx: dict[str, tuple[FxRate, ...]] = field(default_factory=dict[str, tuple[FxRate, ...]])
    """Rates of other currencies, oldest first."""
    reviewed: Baseline | None = None
    """What the last review stood on."""
    closings: dict[str, Trade] = field(default_factory=dict[str, Trade])
    """What closed trades, each as the trade it was."""
    closes: dict[str, str] = field(default_factory=dict[str, str])
    """A closing, and the trade it closes."""
    closed_usd: float = 0.0
    """What closings brought since the last day, their premium counted in."""
    filled_as: dict[str, str] = field(default_factory=dict[str, str])
    """The venue's id of a trade, and ours."""
    came_with: dict[str, str] = field(default_factory=dict[str, str])
    """A trade that replaced another, and the closing it came with."""
    confirmed: dict[str, Confirmed] = field(default_factory=dict[str, Confirmed])
    strangers: dict[str, Confirmed] = field(default_factory=dict[str, Confirmed])
    """Confirmations of trades we do not have, by their reference."""
    trades: dict[str, Trade] = field(default_factory=dict[str, Trade])
    contracts: dict[str, ContractRecord] = field(default_factory=dict[str, ContractRecord])
    """Contracts on a schedule, from their drafts on."""
    remaining: dict[str, dict[Month, Decimal]] = field(
        default_factory=dict[str, dict[Month, Decimal]]
    )
    last_marks: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    ledger: Ledger = field(default_factory=Ledger)
    months: dict[Month, MonthResult] = field(default_factory=dict[Month, MonthResult])
    scenario_sales: list[CoinSale] = field(default_factory=list[CoinSale])
    """Coins that price scenarios sold, by day."""
    month_books: dict[Month, MonthBooks] = field(default_factory=dict[Month, MonthBooks])
    """Coins and dollars of each month in exact integers."""
    last_day: date | None = None
    """The last day a price scenario closed."""
    recorded_through: date | None = None
    """The last day of which real coins, sales or costs are booked: a scenario invents none up to it."""
    scenario_from: date | None = None
    """The first day of the price scenario this workspace walks."""
    scenario_start: float = 0.0
    """The price at which it began."""
    closed_through: date | None = None
    """The day of the last close at 08:00 UTC, of a scenario or on recorded prices."""
    settlement_prices: dict[str, SettlementPrice] = field(
        default_factory=dict[str, SettlementPrice]
    )
    """Settlement and delivery prices as they were recorded, by what they state."""
    funding_rates: dict[str, FundingRate] = field(default_factory=dict[str, FundingRate])
    """Funding rates of perpetuals as they were recorded, by what they state."""
    payments_due: list[PaymentDue] = field(default_factory=list[PaymentDue])
    """Premium and fees that settle on a value date to come."""
    funding_due: list[FundingDue] = field(default_factory=list[FundingDue])
    """Parts of perpetuals dealt back since the last close, whose funding the next close pays."""
    results: dict[str, HedgeResult] = field(default_factory=dict[str, HedgeResult])
    """What hedges brought, by trade, designated month, month of the cash and cause."""
    spot: float | None = None
    course: str = ""
    cash_unhedged: float | None = None
    shortfalls: list[str] = field(default_factory=list[str])
    restored: Restored | None = None
    """The last restore from a backup."""
    strays: dict[str, Stray] = field(default_factory=dict[str, Stray])
    """Trades in venues' records that stand unexplained; while one does, nothing trades."""
    dismissed: dict[str, str] = field(default_factory=dict[str, str])
    """Trades of venues' records that an approver set aside, by id, and why."""
    cached: str = ""
    """Hash of the checkpoint the state began at; empty once every event was folded."""

    def replace_by(self, other: "State") -> None:
        """Become another state, for everyone who holds this one."""
        for each in fields(State):
            setattr(self, each.name, getattr(other, each.name))

    @property
    def forecast(self) -> Forecast | None:
        """The forecast hedging refers to: the last one approved, before any was the last prepared."""
        held = self.forecast_in_force
        return None if held is None else self.versions[held].forecast

    def usd_of(self, money: Money, at: datetime, bank: Bank | None) -> float | None:
        """An amount in USD at the last rate known at an instant; None where that is older than is counted."""
        if money.currency == USD:
            return float(money)
        known = [one for one in self.fx.get(money.currency.code, ()) if one.at <= at + _RATE_AFTER]
        if not known or not (bank or Bank()).counts(known[-1], at):
            return None
        return float(money) * float(known[-1].usd)

    def coins_posted(self, dealer: str) -> float:
        """Coins a dealer holds of our collateral."""
        return float(self.ledger.balance(Accounts.coins_posted(dealer), BTC))

    def coins_lent(self, name: str) -> float:
        """Coins a counterparty has borrowed of us."""
        return float(self.ledger.balance(Accounts.coins_lent(name), BTC))

    def posted_usd(self, dealer: str, spot: float) -> float:
        """What a dealer holds of our collateral, coins at a price."""
        dollars = float(self.ledger.balance(Accounts.cash_posted(dealer), USD))
        others, _ = self.others_usd(dealer, ours=True)
        return dollars + others + self.coins_posted(dealer) * spot

    def collateral_posted(self) -> dict[str, Posted]:
        """Return what lies with each dealer: dollars, other currencies after haircuts, coins."""
        return {
            name: Posted(
                float(self.ledger.balance(Accounts.cash_posted(name), USD))
                + self.others_usd(name, ours=True)[1],
                self.coins_posted(name),
            )
            for name in self.dossiers
        }

    def held_usd(self, dealer: str) -> float:
        """What we hold of a dealer's collateral, other currencies at their last rate."""
        dollars = -float(self.ledger.balance(Accounts.cash_held(dealer), USD))
        return dollars + self.others_usd(dealer, ours=False)[0]

    def others_usd(self, dealer: str, *, ours: bool) -> tuple[float, float]:
        """Collateral in other currencies, ours with a dealer or its with us: in USD, and after haircuts.

        At the last rate, however old; what is eligible no more counts for nothing after haircuts.
        """
        dossier = self.dossiers.get(dealer)
        whole = counted = 0.0
        for money in self.others(dealer, ours=ours):
            code = money.currency.code
            usd = float(money) * float(self.fx[code][-1].usd)
            haircut = None if dossier is None else dossier.collateral.haircut_of(code)
            whole += usd
            counted += usd * (1.0 - haircut) if haircut is not None else 0.0
        return whole, counted

    def others(self, dealer: str, *, ours: bool) -> Iterator[Money]:
        """Collateral in other currencies, ours with a dealer or its with us."""
        account = Accounts.cash_posted(dealer) if ours else Accounts.cash_held(dealer)
        for code in self.fx:
            money = self.ledger.balance(account, CURRENCIES[code])
            if money.smallest and code not in {USD.code, BTC.code}:
                yield money if ours else -money

    def all_others_usd(self, *, ours: bool) -> float:
        """The same of every dealer, without haircuts."""
        return sum(self.others_usd(name, ours=ours)[0] for name in self.dossiers)

    @property
    def grid(self) -> Grid:
        """The scoring grid: the mandate's, or the house's."""
        return HOUSE if self.mandate is None else self.mandate.counterparties.grid

    def graded(self, on: date) -> dict[str, Dossier]:
        """The dossiers as they may be used on a day: lines within their grade's, what nets."""
        return {name: as_graded(one, on, self.grid) for name, one in self.dossiers.items()}

    def copy(self) -> "State":
        """A state of its own, to try events on."""
        other = copy(self)
        for name in _CONTAINERS:
            setattr(other, name, copy(getattr(self, name)))
        other.remaining = {key: dict(left) for key, left in self.remaining.items()}
        other.ledger = self.ledger.copy()
        return other

    def positions(self) -> tuple[Position, ...]:
        """What is left of every trade that still hedges coins, oldest first."""
        return tuple(
            Position(
                trade=trade,
                remaining=tuple(sorted(left.items())),
                last_mark=self.last_marks.get(trade.id),
            )
            for trade in self.trades.values()
            if (left := {m: c for m, c in self.remaining[trade.id].items() if c > 0})
        )

    def live_positions(self, at: datetime) -> tuple[Position, ...]:
        """Return the positions that have not expired at an instant, oldest first."""
        return tuple(one for one in self.positions() if one.trade.expiry > at)

    def outstanding(self, at: datetime) -> tuple[Position, ...]:
        """Return the positions that have expired and are not settled: settlement outstanding."""
        return tuple(one for one in self.positions() if one.trade.expiry <= at)

    def held_contracts(self) -> tuple[HeldContract, ...]:
        """Contracts of which days are still to be fixed, oldest first."""
        every = (one.held for one in self.contracts.values())
        return tuple(held for held in every if held is not None and held.days_left)

    def contract_positions(self, surface: Surface, at: datetime) -> tuple[Position, ...]:
        """What is left of contracts, as positions worth the same."""
        on = self.held_contracts()
        if not on:
            return ()
        assert self.forecast is not None
        return stand_ins(on, surface, at, index_of(self.forecast))

    def dealt_as(self, name: str) -> Trade | None:
        """A trade by its id, or a contract that was dealt as the trade it stands beside; None of neither."""
        if name in self.trades:
            return self.trades[name]
        record = self.contracts.get(name)
        return None if record is None or record.held is None else record.held.contract.trade

    def booked(self) -> dict[str, Trade]:
        """Every trade and, beside them, every contract that was dealt, as the trade it stands beside."""
        found = {name: self.dealt_as(name) for name in (*self.trades, *self.contracts)}
        return {name: trade for name, trade in found.items() if trade is not None}

    def live_rfqs(self) -> tuple[RfqRecord, ...]:
        """Requests that may still lead to a trade."""
        live = {
            RfqState.OPENING,
            RfqState.OPEN,
            RfqState.AWARDING,
            RfqState.AWAITING_DEALER,
            RfqState.UNKNOWN,
        }
        return tuple(record for record in self.rfqs.values() if record.state in live)

    def dealt(self, proposal: str) -> Decimal:
        """Coins of a proposal that have been dealt."""
        every = (*self.trades.values(), *self.closings.values())
        return sum((one.size for one in every if one.proposal == proposal), Decimal(0))

    def last_dealt(self, proposal: str) -> datetime | None:
        """When a part of a proposal was last dealt."""
        every = (*self.trades.values(), *self.closings.values())
        return max((one.at for one in every if one.proposal == proposal), default=None)

    def booked_of(self, rfq: str) -> tuple[Trade, ...]:
        """What a request was booked as: trades, or closings of one."""
        every = (*self.trades.values(), *self.closings.values())
        return tuple(one for one in every if one.rfq == rfq)

    def traded(self, proposal: str) -> bool:
        """Whether a proposal has been dealt whole: less than a tenth of a coin, the least step, is left."""
        return self.proposals[proposal].size - self.dealt(proposal) < _STEP

    def agreed(self, trade: str) -> bool:
        """Whether a trade is confirmed as booked."""
        held = self.confirmed.get(trade)
        return held is not None and not held.differences

    def rejections(self) -> dict[str, float]:
        """Of each dealer's awards the share that came to nothing, once it has had a few."""
        awards: dict[str, list[bool]] = {}
        for record in self.rfqs.values():
            if record.awarded is not None and record.state in TERMINAL:
                awards.setdefault(record.awarded, []).append(record.state is RfqState.NOT_FILLED)
        return {
            dealer: sum(failed) / len(failed)
            for dealer, failed in awards.items()
            if len(failed) >= _FEW
        }


_CONTAINERS = tuple(
    field.name for field in fields(State) if isinstance(getattr(State(), field.name), dict | list)
)


def postings_json(entries: Iterable[Entry]) -> list[list[str]]:
    """Postings of entries as the journal writes them: account, currency, decimal amount."""
    return [
        [posting.account, posting.money.currency.code, str(posting.money)]
        for entry in entries
        for posting in entry.postings
    ]
