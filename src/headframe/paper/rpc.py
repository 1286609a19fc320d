"""What a caller may say and how the venue answers no: JSON-RPC parameters and the venue's error table.

Sources: Deribit API 2.1.1 and docs.deribit.com, "RPC error codes". Values of a GET query are texts,
so numbers, flags and lists are taken from texts too.
"""

import json
import re
from collections.abc import Sequence
from math import isfinite
from typing import Any, cast

Json = dict[str, Any]
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?")


class RpcError(Exception):
    """An error of the venue's own table: code and message, with a reason and a parameter where they help."""

    def __init__(self, code: int, message: str, reason: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.param = param

    def shown(self) -> Json:
        """The error object of an answer."""
        data = {"reason": self.reason} if self.reason else {}
        if self.param:
            data["param"] = self.param
        return {"code": self.code, "message": self.message} | ({"data": data} if data else {})


def invalid(param: str, reason: str) -> RpcError:
    """-32602 for one parameter."""
    return RpcError(-32602, "Invalid params", reason, param)


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number; booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


class Params:
    """The parameters of one call, read by name and type."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def given(self, name: str) -> bool:
        """Whether the caller said anything of it."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str | None = None, *, longest: int = 64) -> str:
        """A text of at most so many characters."""
        value = self.values.get(name, default)
        if value is None and default is None:
            raise invalid(name, "value required")
        if not isinstance(value, str) or len(value) > longest:
            raise invalid(name, f"must be a text of at most {longest} characters")
        return value

    def choice(self, name: str, options: Sequence[str], default: str | None = None) -> str:
        """One of a few words."""
        value = self.text(name, default)
        if value not in options:
            raise invalid(name, f"must be one of {', '.join(options)}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value: object = self.values.get(name, default)
        if value is None:
            raise invalid(name, "value required")
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if not is_number(value):
            raise invalid(name, "must be a number")
        return float(cast("float", value))

    def whole(
        self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**53
    ) -> int:
        """A whole number between two bounds."""
        value: object = self.values.get(name, default)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value):
            value = int(value)
        if value is None:
            raise invalid(name, "value required")
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid(name, f"must be an integer between {low} and {high}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value: object = self.values.get(name, default)
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise invalid(name, "must be true or false")
        return value

    def listed(self, name: str) -> list[Any]:
        """A list, or the JSON text of one."""
        value: object = self.values.get(name)
        if isinstance(value, str):
            value = decoded(value, name)
        if not isinstance(value, list):
            raise invalid(name, "must be a list")
        return value  # pyright: ignore[reportUnknownVariableType] - of anything

    def texts(self, name: str) -> list[str]:
        """A list of texts, or the JSON text of one."""
        found = self.listed(name)
        if not all(isinstance(one, str) and len(one) <= 120 for one in found):
            raise invalid(name, "must be a list of texts")
        return cast("list[str]", found)

    def rows(self, name: str, most: int = 100) -> list["Params"]:
        """A list of objects."""
        found = self.listed(name)
        if not 1 <= len(found) <= most or not all(isinstance(one, dict) for one in found):
            raise invalid(name, f"must be a list of 1 to {most} objects")
        return [Params(cast("Json", one)) for one in found]

    def table(self, name: str) -> "Params | None":
        """An object, or the JSON text of one, or nothing."""
        value: object = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            value = decoded(value, name)
        if not isinstance(value, dict):
            raise invalid(name, "must be an object")
        return Params(cast("Json", value))


def decoded(text: str, name: str) -> object:
    """A JSON text inside a parameter."""
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise invalid(name, "is not JSON") from error
