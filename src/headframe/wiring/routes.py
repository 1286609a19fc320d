"""The ways by which alerts go out."""

from pathlib import Path
from typing import TYPE_CHECKING

from headframe.codec import Settings
from headframe.wiring.environment import secret_at, unix_time

if TYPE_CHECKING:
    from headframe.desk.ports import Route


def alert_routes(settings: Settings, folder: Path) -> "list[Route]":
    """The ways by which the settings let alerts go out, their secrets from where they are kept."""
    from headframe.notify import FileRoute, MailRoute, WebhookRoute  # noqa: PLC0415 - start-up time

    found: list[Route] = []
    alerts = settings.alerts
    if alerts.file is not None:
        found.append(FileRoute(f"file {alerts.file}", folder / alerts.file))
    if alerts.mail is not None:
        mail = alerts.mail
        word = secret_at(mail.secret, folder) if mail.user else ""
        found.append(
            MailRoute(
                name=f"mail {mail.host}",
                host=mail.host,
                port=mail.port,
                sender=mail.sender,
                to=mail.to,
                user=mail.user,
                password=word,
                starttls=mail.starttls,
            )
        )
    for hook in alerts.webhooks:
        word = secret_at(hook.secret, folder)
        name = f"webhook {hook.name}"
        route = WebhookRoute(
            name=name, url=hook.url, secret=word, clock=unix_time, inside=hook.inside
        )
        found.append(route)
    return found
