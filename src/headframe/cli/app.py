"""The group of commands; each is imported only when it is called, so that ``--help`` is quick."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from headframe import __version__

_COMMANDS = {
    "demo": ("demo", "demo", "The whole playbook on a sample mine with the paper street."),
    "init": ("workspace", "init", "A new workspace with commented files."),
    "check": ("workspace", "check", "Every problem of the three files, with line and remedy."),
    "clock": (
        "workspace",
        "clock",
        "The paper workspace's clock: show it, advance it, walk a course.",
    ),
    "market": ("market", "market", "The market: show, import."),
    "mandate": ("mandate", "mandate", "The mandate: show, sign, diff."),
    "counterparty": ("counterparty", "counterparty", "Counterparties: add, review, list."),
    "forecast": ("forecast", "forecast", "Coins by month, P10, P50, P90, and what drives them."),
    "scenario": (
        "scenario",
        "scenario",
        "Outcome by price for each strategy; also without a workspace.",
    ),
    "plan": ("programme", "plan", "Exposure against the mandate, hedges compared, the proposal."),
    "approve": (
        "programme",
        "approve",
        "Approve a proposal's envelope: another person than its preparer.",
    ),
    "rfq": ("programme", "rfq", "Ask the dealers for quotes and award by the mandate's rule."),
    "trades": ("books", "trades", "Every trade with its legs and its designation."),
    "ledger": ("books", "ledger", "The trial balance, now or at an earlier instant."),
    "pnl": ("books", "pnl", "Programme P&L by trade, and hedge performance against spot by month."),
    "margin": ("risk", "margin", "Margin today, both tails, and the price at which cash runs out."),
    "credit": ("risk", "credit", "Exposure to each counterparty against its line."),
    "watch": ("risk", "watch", "Every limit, its use, its status."),
    "report": ("risk", "report", "The morning page."),
    "audit": ("audit", "audit", "Verify the journal: chain, state machines, ledger."),
    "export": ("audit", "export", "The canonical export of the journal and its state."),
    "price": ("price", "price", "Price a CSV table of options and forwards."),
}


class _Group(click.Group):
    """Commands by name, imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = getattr(import_module(f"headframe.cli.{found[0]}"), found[1])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, found[2]) for name, found in _COMMANDS.items()])


@click.group(
    cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="headframe")
def app() -> None:
    """Hedge the future production of a proof-of-work mine, from mandate to settlement.

    Every command takes --workspace DIR, --database URL, --as USER and --json. Exit status: 0 ok,
    1 error, 2 usage or invalid input, 3 not found, 4 refused, 5 venue or unknown outcome, 6 stale
    data, 7 approval pending.
    """


def main() -> NoReturn:
    """Run a command; every failure is one clear line and the documented exit status."""
    try:
        status = app.main(prog_name="headframe", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the last line of defence, translated below
        _fail(error)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: Exception) -> NoReturn:
    """The line and the status of an error the program knows; anything else is our bug and is shown."""
    from headframe.desk.ports import Broken, Malformed, Refused, Stopped, Unreachable
    from headframe.units import Wrong

    status = 1
    if isinstance(error, Stopped):
        status = error.status
    elif isinstance(error, Unreachable | Refused | Malformed):
        status = 5
    elif isinstance(error, Wrong):
        status = 2
    elif isinstance(error, FileNotFoundError):
        status = 3
    elif not isinstance(error, Broken | OSError):
        raise error
    click.echo(f"headframe: {error}", err=True)
    sys.exit(status)
