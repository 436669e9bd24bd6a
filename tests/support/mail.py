"""A post office for tests: real rows, a worker's hands with real SMTP, and a sink that fails on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.gateways.smtp_line import MailLimits
from pigi.gateways.smtp_mailer import SmtpMailer
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import HANDLERS
from pigi.operations.credentials import ADDRESS, INVITATION, NEW_ADDRESS, NEW_PASSWORD, RESET, WELCOME, token_hash
from pigi.operations.mail import queue_mail
from pigi.operations.mail.ledger import MAIL
from pigi.store.people import Account, AccountToken, Invitation, Registration
from standins.mail.faults import FaultyMail
from tasks.mail import send_mail
from tests.support.jobs import change, effects, row_of
from tests.support.people import an_address, join, make_account

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Role
    from pigi.jobs.model.view import EffectView

HOME = "https://pigi.example"
LIMITS = MailLimits(connect=2, answer=1.0, verdict=1.0, overall=5)
REGISTERED = send_mail
"""Named so that importing this registers the kind's body."""


@dataclass(frozen=True)
class Outside:
    """The outside world of a mail's job."""

    mailer: SmtpMailer


class Office:
    """Asks for mails about real rows, and does their jobs."""

    def __init__(self, application: Application, sink: FaultyMail) -> None:
        settings = application.settings.model_copy(update={"public_url": f"{HOME}/"})
        self.application = replace(application, settings=settings)
        self.control = application.control
        self.sink = sink
        self.mailer = SmtpMailer(sink.url, "Pigi <pigi@example.net>", "pigi.example", limits=LIMITS)
        heartbeat = LeaseHeartbeat(self.control, lambda: False, self.application.notifier)
        self.worker_context: Any = WorkerContext(self.application, Outside(self.mailer), heartbeat, lambda: False)

    # Asking

    def queue(self, template: str, subject_id: str, email: str, **facts: Any) -> str:
        """Ask for a mail; its id."""
        with self.control.begin() as session:
            return queue_mail(session, self.application, template, subject_id, email_key(email), **facts)

    def add(self, row: Any) -> str:
        """Add a row; its id."""
        with self.control.begin() as session:
            session.add(row)
        return str(row.id)

    def token(self, use: str, row_id: str) -> str:
        """The secret of a row's link."""
        return self.application.keyring.token(use, row_id)

    def welcome(self, email: str = "", name: str = "Rita", lives: timedelta = timedelta(hours=24)) -> str:
        """A registration and its mail; the mail's id."""
        email, row_id, moment = email or an_address(), new_id(), now()
        row = Registration(
            id=row_id, name=name, email=email, email_key=email_key(email), password_hash="!",
            token_hash=token_hash(self.token(WELCOME, row_id)), created_at=moment, expires_at=moment + lives,
        )  # fmt: skip
        return self.queue(Template.WELCOME, self.add(row), email)

    def link(self, template: Template, email: str, account_id: str | None = None, spelt: str = "") -> str:
        """A row of a mailed link and its mail; the mail's id."""
        row_id, moment = new_id(), now()
        use = RESET if template is Template.PASSWORD_RESET else ADDRESS
        row = AccountToken(
            id=row_id, purpose=NEW_PASSWORD if use == RESET else NEW_ADDRESS, account_id=account_id,
            email=spelt or email, email_key=email_key(email), token_hash=token_hash(self.token(use, row_id)),
            created_at=moment, expires_at=moment + timedelta(hours=1),
        )  # fmt: skip
        return self.queue(template, self.add(row), email)

    def invitation(self, organisation_id: str, role: Role, inviter: str = "Ada Lund", email: str = "") -> str:
        """An invitation and its mail; the mail's id."""
        email, row_id, moment = email or an_address(), new_id(), now()
        row = Invitation(
            id=row_id, organisation_id=organisation_id, email=email, email_key=email_key(email), role=role,
            invited_by=make_account(self.application, inviter), created_at=moment,
            token_hash=token_hash(self.token(INVITATION, row_id)), expires_at=moment + timedelta(days=14),
        )  # fmt: skip
        return self.queue(Template.INVITATION, self.add(row), email, organisation_id=organisation_id)

    def password_changed(self, email: str = "") -> str:
        """An account and the mail that tells of its new password; the mail's id."""
        email = email or an_address()
        return self.queue(Template.PASSWORD_CHANGED, make_account(self.application, email=email), email)

    def member(self, organisation_id: str, role: Role, email: str) -> str:
        """An account of an organisation; its id."""
        account_id = make_account(self.application, email=email)
        join(self.application, organisation_id, account_id, role)
        return account_id

    # Doing and looking

    def do(self, mail_id: str) -> Any:
        """Answer the mail's bell once; its job as it stands then."""
        job_id = self.mail(mail_id, job=True)
        run(HANDLERS["mail.send"], job_id, self.worker_context)
        return row_of(self.control, job_id)

    def again(self, mail_id: str) -> Any:
        """The wait is over: answer the next bell."""
        change(self.control, self.mail(mail_id, job=True), due_at=timedelta(seconds=-1))
        return self.do(mail_id)

    def mail(self, mail_id: str, *, job: bool = False) -> Any:
        """The ledger's row; None when it is gone."""
        with self.control.autocommit() as connection:
            row = connection.execute(select(MAIL).where(MAIL.c.id == mail_id)).first()
        return row.job_id if job and row is not None else row

    def state(self, mail_id: str) -> str:
        """What the ledger says."""
        return str(self.mail(mail_id).state)

    def effects(self, mail_id: str) -> dict[str, EffectView]:
        """The effects of the mail's job, by key."""
        return effects(self.control, self.mail(mail_id, job=True))

    def arrived(self, email: str) -> int:
        """How many mails came to an address."""
        return len(self.sink.arrived(email))

    def disable(self, account_id: str) -> None:
        """The account may no longer be used."""
        with self.control.begin() as session:
            session.execute(update(Account).where(Account.id == account_id).values(state="disabled"))
