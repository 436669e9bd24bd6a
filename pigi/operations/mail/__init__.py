"""Mail: queueing, composing and sending it, and the ledger of outcomes."""

from __future__ import annotations

from pigi.operations.mail.ledger import MailView, address_hashes, clean_up, forget_recipients, list_mails, queue_mail
from pigi.operations.mail.sending import send_mail

__all__ = ["MailView", "address_hashes", "clean_up", "forget_recipients", "list_mails", "queue_mail", "send_mail"]
