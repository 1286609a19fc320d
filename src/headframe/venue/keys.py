"""A venue's key: where its secret is kept, and what it may not be able to do.

The secret is never written to files of the workspace, the journal, logs or the list of processes: it
comes from the environment, the system's keyring (extra ``keyring``), or a file encrypted with age
(https://age-encryption.org/v1, extra ``age``).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from headframe.desk.ports import Declined, Invalid

FORBIDDEN = ("wallet:read_write", "custody:read_write", "mainaccount")
GRANTS = ("client_credentials", "client_signature")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client id and its secret; the secret does not show."""

    client_id: str
    secret: str = field(repr=False)
    grant: str = "client_credentials"
    scope: str = ""

    def request(self, stamp_ms: int, nonce: str) -> dict[str, Any]:
        """Parameters of public/auth, signed where the secret is not to travel."""
        asked = {"scope": self.scope} if self.scope else {}
        base = {"grant_type": self.grant, "client_id": self.client_id}
        if self.grant == "client_credentials":
            return base | asked | {"client_secret": self.secret}
        text = f"{stamp_ms}\n{nonce}\n"
        signature = hmac.new(self.secret.encode(), text.encode(), sha256).hexdigest()
        signed = {"timestamp": stamp_ms, "nonce": nonce, "data": "", "signature": signature}
        return base | asked | signed


def refuse_withdrawal(scope: str) -> None:
    """Declined where a key may move coins away: a program that trades must not be able to."""
    held = scope.split()
    found = [one for one in FORBIDDEN if one in held]
    if found:
        raise Declined(
            f"the venue's key may do more than trade ({', '.join(found)}): a key that can withdraw is "
            "refused; make one with wallet:read or wallet:none"
        )


def secret_from(source: str, environ: Mapping[str, str], folder: Path) -> str:
    """The secret a source names: ``env:NAME``, ``keyring:SERVICE/USER`` or ``age:FILE``."""
    kind, _, rest = source.partition(":")
    if kind == "env":
        found = environ.get(rest, "")
        if not found:
            raise Invalid(f"a secret is to come from the environment: set {rest}")
        return found
    if kind == "keyring":
        service, _, user = rest.partition("/")
        kept = _extra("keyring").get_password(service, user)
        if not kept:
            raise Invalid(f"the system's keyring holds no secret of {service} for {user}")
        return str(kept)
    if kind == "age":
        return _from_age(folder / rest, environ)
    raise Invalid("secret is env:NAME, keyring:SERVICE/USER or age:FILE")


def _from_age(path: Path, environ: Mapping[str, str]) -> str:
    pyrage = _extra("pyrage", "age")
    identity = environ.get("HEADFRAME_AGE_IDENTITY", "")
    passphrase = environ.get("HEADFRAME_AGE_PASSPHRASE", "")
    try:
        sealed = path.read_bytes()
        if passphrase:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase)).decode().strip()
        text = Path(identity).read_text(encoding="utf-8") if identity else ""
        keys = [one for one in text.split() if one.startswith("AGE-SECRET-KEY-")]
        made = [pyrage.x25519.Identity.from_str(one) for one in keys]
        if not made:
            raise Invalid(
                f"{path.name} is sealed: name the identity file in HEADFRAME_AGE_IDENTITY, or set "
                "HEADFRAME_AGE_PASSPHRASE"
            )
        return bytes(pyrage.decrypt(sealed, made)).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.name} cannot be read: {error}") from error
    except pyrage.DecryptError as error:
        raise Invalid(f"{path.name} cannot be opened with this identity: {error}") from error


def _extra(module: str, extra: str | None = None) -> Any:  # noqa: ANN401 - a module without types
    try:
        return import_module(module)
    except ImportError as error:
        name = extra or module
        raise Invalid(
            f"this secret needs the extra {name}: pip install 'headframe[{name}]'"
        ) from error
