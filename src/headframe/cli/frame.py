"""What every command shares: the four options, the desk, and one way to answer."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import click

from headframe.desk.office import Office
from headframe.units import Wrong, instant, parse_expiry, parse_number, parse_whole

MODELS = ("gbm", "bootstrap", "heston_jumps", "svcj")
"""Price models of the engine by name."""
P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Call:
    """One call of a command: where, who, and how to answer."""

    folder: Path
    database: str | None
    user: str | None
    as_json: bool

    def office(self, *, dry_run: bool = False) -> Office:
        """The desk of the workspace; in a dry run nothing it writes is kept."""
        from headframe.wiring import open_office

        return open_office(self.folder, user=self.user, database=self.database, dry_run=dry_run)

    @property
    def has_workspace(self) -> bool:
        """Whether there is a workspace here."""
        from headframe.wiring import has_workspace

        return has_workspace(self.folder, self.database)

    def answer(self, schema: str, data: dict[str, Any], *shown: object) -> None:
        """Data as JSON on stdout where asked for; else tables and sentences."""
        if self.as_json:
            body = {"schema": f"headframe/{schema}/1", **data}
            sys.stdout.write(json.dumps(finite(body), indent=2, ensure_ascii=False) + "\n")
            return
        from headframe.cli.screen import show

        show(*shown)

    def talk(self, line: str) -> None:
        """One line for a person, on stderr."""
        click.echo(line, err=True)


def finite(value: object) -> object:
    """JSON without NaN and infinities: a figure that is none is null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [finite(item) for item in cast("list[object]", value)]
    return value


def command(function: Callable[Concatenate[Call, P], R]) -> Callable[..., R]:
    """Add the four options every command takes; the function is called with a Call first."""

    @click.option(
        "--workspace",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="Folder of the workspace (default: this one).",
    )
    @click.option(
        "--database",
        help="Journal: sqlite:///PATH or postgresql://... (default: headframe.db there).",
    )
    @click.option("--as", "user", help="Who acts (default: HEADFRAME_USER, else treasurer).")
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout.")
    @wraps(function)
    def wrapped(
        workspace: Path,
        database: str | None,
        user: str | None,
        as_json: bool,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        return function(Call(workspace, database, user, as_json), *args, **kwargs)

    return cast("Callable[..., R]", wrapped)


class Instant(click.ParamType[Any]):
    """An instant in ISO 8601, UTC where no zone is said."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The instant, or a usage error."""
        try:
            return instant(str(value))
        except Wrong as error:
            self.fail(str(error), param, ctx)


class Expiry(click.ParamType[Any]):
    """A day of expiry, as 25-SEP-26, 25SEP26 or 2026-09-25: 08:00 UTC of it."""

    name = "expiry"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the instant of expiry, or a usage error."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_expiry(str(value).strip())
        except Wrong as error:
            self.fail(str(error), param, ctx)


class Whole(click.ParamType[Any]):
    """A whole number in plain digits, between two bounds."""

    name = "number"

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The number, or a usage error; digits of other scripts and underscores are none."""
        try:
            found = parse_whole(str(value), digits_max=24)
        except Wrong as error:
            self.fail(str(error).removeprefix("number: "), param, ctx)
        if not self.low <= found <= self.high:
            self.fail(f"must lie between {self.low:,} and {self.high:,}, was {found}", param, ctx)
        return found


class Share(click.ParamType[Any]):
    """A share above 0 and up to 1."""

    name = "share"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The share, or a usage error."""
        try:
            found = value if isinstance(value, float) else parse_number(str(value), "share")
        except Wrong:
            found = 0.0
        if not 0.0 < found <= 1.0:
            self.fail(f"lies above 0 and up to 1, was {str(value)[:40]!r}", param, ctx)
        return found


class Figure(click.ParamType[Any]):
    """A plain finite number for a model, between two bounds where they are given."""

    name = "number"

    def __init__(self, low: float = -1e15, high: float = 1e15) -> None:
        self.low = low
        self.high = high

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The number, or a usage error; NaN, infinity and what could be read in two ways are none."""
        if isinstance(value, float):
            return value  # click passes its own default
        try:
            found = parse_number(str(value))
        except Wrong as error:
            self.fail(str(error), param, ctx)
        if not self.low <= found <= self.high:
            self.fail(
                f"must lie between {self.low:,g} and {self.high:,g}, was {found:g}", param, ctx
            )
        return found
