"""Violations of the controls of what Pigi holds."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import text

from pigi.clock import now
from pigi.domain.privacy import Category, Subject
from pigi.store.ledgers import Mail, RequestLog, Throttle
from pigi.store.people import Account
from tests.support.promises import declared_as, rows


def a_bare_column(_world):
    return declared_as(Account.__table__.c.name, purpose="")


def a_column_about_people(_world):
    return declared_as(Account.__table__.c.state, category=Category.LABEL)


def content_among_the_mails(_world):
    return declared_as(Mail.__table__.c.template, category=Category.CONTENT, subject=Subject.ORGANISATION)


def content_of_a_person_among_the_mails(_world):
    return declared_as(Mail.__table__.c.template, category=Category.CONTENT, subject=Subject.MEMBER)


@contextmanager
def a_column_that_nobody_declared(world):
    with world.application.control.autocommit() as connection:
        connection.execute(text("ALTER TABLE heartbeat ADD COLUMN phone VARCHAR(20)"))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(text("ALTER TABLE heartbeat DROP COLUMN phone"))


def an_old_line(world):
    line = {"request_id": "old", "method": "GET", "route": "/", "status": 200, "ms": 1}
    return rows(world, RequestLog, {**line, "at": now() - timedelta(days=20)})


def an_old_throttle(world):
    return rows(world, Throttle, {"key": "old", "full_at": (now() - timedelta(days=3)).timestamp()})


PLANTED = {
    "registration-asks-for-little": a_column_about_people,
    "content-in-own-database": (content_among_the_mails, content_of_a_person_among_the_mails),
    "logs-within-their-period": an_old_line,
    "columns-say-what-for": a_bare_column,
    "live-columns-are-declared": a_column_that_nobody_declared,
    "records-within-their-period": an_old_throttle,
}
