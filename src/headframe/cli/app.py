"""The group of commands; each is imported only when it is called."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from headframe import __version__
from headframe.cli.index import COMMANDS, help_text


class _Group(click.Group):
    """Commands by name, imported late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = getattr(import_module(f"headframe.cli.{found[0]}"), found[1])
        return command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        formatter.write(help_text())


@click.group(
    cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="headframe")
def app() -> None:
    """Hedge the future production of a proof-of-work mine, from mandate to settlement."""


def run() -> NoReturn:
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
    from headframe.desk.ports import Broken, Malformed, Moved, Refused, Stopped, Unreachable
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
    elif isinstance(error, Moved):
        error = Broken("another program wrote at the same time; nothing was done, run it again")
    elif not isinstance(error, Broken | OSError):
        raise error
    click.echo(f"headframe: {error}", err=True)
    sys.exit(status)
