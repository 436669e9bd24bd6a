"""Sending mail: the job's body, and the rendering of a template into text and HTML.

Links lead to Pigi's public address and nowhere else. Whether a mail whose sending is in doubt is sent again is its
template's promise (`pigi.domain.mail`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy import delete, select, update

from pigi.domain.addresses import mailbox_key
from pigi.domain.mail import DOUBTFUL_SENDS, MAIL_TEMPLATES, MailState, MailTemplate, Promise, Template
from pigi.domain.throttles import MAIL_LIMITS, Bucket, ThrottlePolicy
from pigi.errors import Misconfigured, Permanent, PigiError, Refused, Temporary
from pigi.jobs.effects import effects_of
from pigi.operations.credentials import acquire
from pigi.operations.mail.contents import NobodyError, find_content
from pigi.operations.mail.ledger import MAIL
from pigi.ports import Letter, MailUnconfirmed
from pigi.store.people import AccountToken
from pigi.store.processing import PERSON, stopped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.credentials import Try
    from pigi.ports import Gateways, Mailer

LONGEST = 100_000
"""Bytes of a whole mail. Some mail programs cut longer ones, and a cut one may lack what to do if it was not you."""


def write_letter(mail_id: str, template: Template, recipient: str, facts: Mapping[str, object], home: str) -> Letter:
    """The letter. ``facts`` are the values that it is filled with; ``home`` is the public address.

    Raises jinja2.UndefinedError if a value that the template names is missing.
    """
    subject = MAIL_TEMPLATES[template].subject
    variables = {**facts, "subject": subject, "home": home}
    text = _environment().get_template(f"{template}.txt").render(variables)
    html = _environment().get_template(f"{template}.html").render(variables)
    return Letter(mail_id, recipient, subject, text, _inliner().inline(html))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pigi", "mail_templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def send_mail(context: JobContext, application: Application, gateways: Gateways) -> None:
    """Send the mail that the job is about, as its template promises.

    Raises:
        Permanent: ``mail_moot``, ``mail_unknown``, ``mail_not_essential``, ``mail_held_back``, and what the mailer
            says.
        Temporary: what the mailer says.
    """
    mail = _load_mail(context)
    if mail is None:
        return
    template = MAIL_TEMPLATES[Template(mail.template)]
    if _was_sent(context, template):
        return
    try:
        letter = _write(application, mail)
    except NobodyError:
        _remove_mail(context, mail)
        return
    _refuse_stopped(context, mail, template)
    context.checkpoint()
    mailer = _mailer(gateways)
    tried = _count(application, mail, letter)
    try:
        _send(context, template, letter, mailer)
    except MailUnconfirmed:
        raise
    except Temporary:
        if tried is not None:
            tried.refund()
        raise


def _count(application: Application, mail: Any, letter: Letter) -> Try | None:
    """Count the mail towards what its recipient gets of the kind; None if the kind is not counted.

    Here and nowhere else, so that no kind of mail and no way to ask for one is left out, and so that no answer to
    whoever asked tells by its contents or its time what others sent there.

    Raises Permanent ``mail_held_back``.
    """
    limit = MAIL_LIMITS[Template(mail.template)]
    if not isinstance(limit, Bucket):
        return None
    try:
        return acquire(application, ThrottlePolicy(subject=limit), subject=mailbox_key(letter.recipient))
    except Refused:
        raise Permanent("mail_held_back") from None


def _refuse_stopped(context: JobContext, mail: Any, template: MailTemplate) -> None:
    """Raise Permanent ``mail_not_essential`` if the recipient stopped such mail; asked last, before it goes out."""
    with context.control.autocommit() as connection:
        if stopped(connection, f"{PERSON}{mail.recipient_id}", template.use) is not None:
            raise Permanent("mail_not_essential")


def _load_mail(context: JobContext) -> Any:
    """The ledger's row, shown as queued again after a retry by hand; None if there is none (any more)."""
    with context.control.autocommit() as connection:
        mail = connection.execute(select(MAIL).where(MAIL.c.id == context.subject_id)).first()
        if mail is not None and mail.state != MailState.QUEUED:
            again = {"state": MailState.QUEUED.value, "ended_at": None}
            connection.execute(update(MAIL).where(MAIL.c.id == mail.id).values(again))
    return mail


def _was_sent(context: JobContext, template: MailTemplate) -> bool:
    """Whether an earlier attempt sent it; raises Permanent ``mail_unknown`` where it must not be tried again."""
    with context.control.autocommit() as connection:
        found = {effect.key: effect for effect in effects_of(connection, context.job.job_id)}.get(template.effect)
    if found is None:
        return False
    if found.state == "intended" and template.promise is Promise.AT_LEAST and found.tries < DOUBTFUL_SENDS:
        return False
    if found.state != "done":
        raise Permanent("mail_unknown")
    return True


def _write(application: Application, mail: Any) -> Letter:
    home = application.settings.public_url.rstrip("/")
    with application.control.begin() as session:
        content = find_content(session, application, mail)
        if content.template != mail.template:
            session.execute(update(MAIL).where(MAIL.c.id == mail.id).values(template=content.template.value))
    facts = {**content.facts, **{name: f"{home}{path}" for name, path in content.links.items()}}
    return write_letter(mail.id, content.template, content.recipient, facts, home)


def _remove_mail(context: JobContext, mail: Any) -> None:
    """Nobody was written to, so nothing is kept of the address that somebody typed."""
    with context.control.transaction() as connection:
        connection.execute(delete(AccountToken).where(AccountToken.id == mail.subject_id))
        connection.execute(delete(MAIL).where(MAIL.c.id == mail.id))


def _mailer(gateways: Gateways) -> Mailer:
    try:
        return gateways.mailer
    except Misconfigured:
        raise Temporary("mail_unconfigured") from None


def _send(context: JobContext, template: MailTemplate, letter: Letter, mailer: Mailer) -> None:
    effect = _SendEffect(context, template.effect)
    try:
        reference = mailer.send(letter, effect.begin)
    except MailUnconfirmed:
        if template.promise is Promise.AT_MOST:
            raise Permanent("mail_unknown") from None
        raise
    except PigiError:
        effect.withdraw()
        raise
    context.complete_effect(template.effect, reference)


class _SendEffect:
    """The effect of one sending: begun at most once, and taken back if the server said that nothing came of it."""

    def __init__(self, context: JobContext, key: str) -> None:
        self._context = context
        self._key = key
        self._begun = False

    def begin(self) -> None:
        """Record the intent; raises as `JobContext.begin_effect`, and Permanent ``mail_unknown`` if it was settled."""
        if self._context.begin_effect(self._key).settled:
            raise Permanent("mail_unknown")
        self._begun = True

    def withdraw(self) -> None:
        """Take the intent back, if this attempt recorded one."""
        if self._begun:
            self._context.withdraw_effect(self._key)
