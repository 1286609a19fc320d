"""The commands by name, and the page that lists them: plain values, so that ``--help`` imports nothing."""

from headframe import __version__

COMMANDS = {
    "demo": ("demo", "demo", "The whole playbook on a sample mine with the paper street."),
    "init": ("workspace", "init", "A new workspace with commented files."),
    "open": (
        "workspace",
        "open_ledger",
        "Open the ledger with the files' balances; or correct them.",
    ),
    "check": ("workspace", "check", "Every problem of the three files, with line and remedy."),
    "clock": (
        "workspace",
        "clock",
        "The paper workspace's clock: show it, advance it, walk a course.",
    ),
    "chain": ("chain", "chain", "Proof-of-work chains: subsidy, difficulty rule, hashprice."),
    "market": (
        "market",
        "market",
        "The market: show, import, fetch live; tickers, delivery prices.",
    ),
    "mandate": ("mandate", "mandate", "The mandate: show, sign, diff."),
    "counterparty": ("counterparty", "counterparty", "Counterparties: add, review, list."),
    "forecast": (
        "forecast",
        "forecast",
        "Coins by month and what drives them; versions, back-test.",
    ),
    "mining": ("mining", "mining", "Coins expected of a hashrate, coins mined, machines."),
    "history": ("history", "history", "The difficulty history: show, import, fetch."),
    "scenario": (
        "scenario",
        "scenario",
        "Outcome by price for each strategy; also without a workspace.",
    ),
    "simulate": (
        "simulate",
        "simulate",
        "Price, coins, hedge, margin and cash on joint paths; scenarios and stresses.",
    ),
    "collar": (
        "structures",
        "collar",
        "A collar or three-way at no cost, its residual shown both ways.",
    ),
    "contract": (
        "contracts",
        "contract",
        "Hashprice forwards, options on means: worth, draft, deal, fix, close.",
    ),
    "basis": ("structures", "basis", "How well one price hedges another, with its error."),
    "plan": ("programme", "plan", "Exposure against the mandate, hedges compared, the proposal."),
    "approve": (
        "programme",
        "approve",
        "Approve a proposal's envelope: another person than its preparer.",
    ),
    "rfq": ("programme", "rfq", "Ask the dealers for quotes and award by the mandate's rule."),
    "voice": ("programme", "voice", "Award on quotes heard by chat or telephone."),
    "routes": ("execution", "routes", "Block, lit book, over a day, voice: what each would cost."),
    "execution": ("execution", "execution", "The best-execution record of each request."),
    "tca": ("execution", "tca", "What dealing came to, and every dealer's scorecard."),
    "rebalance": ("rebalance", "rebalance", "Delta of option hedges against the mandate's band."),
    "review": ("rebalance", "review", "Whether a review is due; hold it and propose what it asks."),
    "close": ("close", "close", "Propose to close a trade before its coins are sold."),
    "switch": ("close", "switch", "Propose to roll a short future, or to turn it into options."),
    "close-day": (
        "close_day",
        "close_day",
        "Close each day since the last at 08:00 UTC: variation, expiry, margin.",
    ),
    "confirm": ("confirm", "confirm", "Confirmations held against the trades, field by field."),
    "coins": ("statement", "coins", "Book payouts, sales, costs and pledges from a file."),
    "agenda": ("statement", "agenda", "What is to come: settlements, payments, tests, expiries."),
    "fx": ("statement", "fx", "Rates of other currencies, and cash held in them."),
    "statement": ("statement", "statement", "Statements held against the books; open breaks."),
    "trades": ("books", "trades", "Every trade with its legs and its designation."),
    "amend": ("books", "amend", "A new version of a trade, proposed and approved."),
    "ledger": ("books", "ledger", "The trial balance, now or at an earlier instant."),
    "pnl": ("books", "pnl", "Programme P&L by trade, and hedge performance against spot by month."),
    "effectiveness": (
        "books",
        "effectiveness",
        "Each hedge against the sales it hedges: dollar offset and regression.",
    ),
    "certificate": ("risk", "certificate", "The lender's covenants, and the certificate of them."),
    "liquidity": (
        "risk",
        "liquidity",
        "How liquid the instruments on are, and what leaving costs.",
    ),
    "cash": ("risk", "cash", "The cash ladder: thirteen weeks or twelve months, day by day."),
    "collateral": (
        "collateral",
        "collateral",
        "Collateral by agreement: calls heard and made, disputes, deliveries.",
    ),
    "margin": ("risk", "margin", "Margin today, both tails, and the price at which cash runs out."),
    "credit": ("risk", "credit", "Exposure to each counterparty against its line."),
    "watch": ("watch", "watch", "Every limit watched; alerts as they change."),
    "alert": ("watch", "alert", "Alerts that stand: list them, answer them."),
    "report": ("risk", "report", "The morning page."),
    "audit": ("audit", "audit", "Verify the journal: chain, state machines, ledger."),
    "export": ("audit", "export", "The canonical export of the journal and its state."),
    "desk": ("desk", "desk", "The execution process: run it, ask how it is."),
    "user": ("people", "user", "Users with roles and tokens."),
    "venue": ("venue", "venue", "The venue: account, positions, requests, least sizes there."),
    "halt": ("programme", "halt", "Stop trading at once: nothing new is sent until resumed."),
    "resume": ("programme", "resume", "Let trading go on after a halt."),
    "paper": ("paper", "paper", "The paper street as a server that speaks Deribit's protocol."),
    "backup": ("audit", "backup", "Every event and file of the workspace in one file."),
    "reconcile": (
        "reconcile",
        "reconcile",
        "Adopt what venues dealt and this journal lacks, after a restore or in a copy.",
    ),
    "restore": ("audit", "restore", "Bring a workspace back from a backup."),
    "price": ("price", "price", "Price a CSV table of options and forwards."),
}
"""Name: module, attribute, what it does."""

_HEAD = """\
Usage: headframe [OPTIONS] COMMAND [ARGS]...

  Hedge the future production of a proof-of-work mine, from mandate to settlement.

  Every command takes --workspace DIR, --database URL, --as USER and --json. Exit status: 0 ok,
  1 error, 2 usage or invalid input, 3 not found, 4 refused, 5 venue or unknown outcome, 6 stale
  data, 7 approval pending.

Options:
  --version   Show the version and exit.
  -h, --help  Show this page; headframe COMMAND --help shows a command's own.

Commands:
"""


def help_text() -> str:
    """The page of commands."""
    return _HEAD + "".join(f"  {name:<13} {what}\n" for name, (_, _, what) in COMMANDS.items())


def answer_at_once(arguments: list[str]) -> str | None:
    """What needs no command: the page of commands, or the version."""
    if arguments in ([], ["--help"], ["-h"]):
        return help_text()
    return f"headframe, version {__version__}\n" if arguments == ["--version"] else None
