"""Alerts by e-mail: SMTP with STARTTLS, one message an alert."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from headframe.desk.ports import Unreachable

Json = dict[str, Any]
_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRoute:
    """One server and whom it is sent to; the password does not show."""

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True

    def send(self, told: Json) -> None:
        """Send it; the whole conversation ends within seconds or fails."""
        try:
            with smtplib.SMTP(self.host, self.port, timeout=_SECONDS) as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(self._message(told))
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"{self.host} did not take the mail: {error}") from error

    def _message(self, told: Json) -> EmailMessage:
        made = EmailMessage()
        made["From"] = self.sender
        made["To"] = ", ".join(self.to)
        made["Subject"] = " ".join(
            f"[headframe] {told['severity']} {told['clause']} {told['limit']}".split()
        )
        made["X-Headframe-Key"] = str(told["key"])
        figures = "\n".join(f"{name}: {value}" for name, value in told.items() if name != "text")
        made.set_content(f"{told['text']}\n\n{figures}\n")
        return made
