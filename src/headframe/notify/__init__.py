"""Ways by which alerts go out: a file, e-mail, signed webhooks."""

from headframe.notify.mail import MailRoute
from headframe.notify.ways import FileRoute
from headframe.notify.webhook import WebhookRoute, signature

__all__ = ["FileRoute", "MailRoute", "WebhookRoute", "signature"]
