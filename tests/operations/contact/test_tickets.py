"""Messages to whoever runs Pigi: nobody but operators reads them, each is answered by mail, and nobody is mailed a text
that somebody else wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.contact import LEAST_LEFT, NUMBER, TicketKind, TicketState, good_until, new_number
from pigi.domain.retention import Retention
from pigi.errors import Refused
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.operations.audit import CLI
from pigi.operations.contact import (
    answer_ticket,
    close_ticket,
    count_tickets,
    file_ticket,
    list_tickets,
    read_receipt,
    read_security_txt,
    read_ticket,
    remove_tickets,
    security_txt,
)
from pigi.operations.retention.sweeps import SWEEPS
from pigi.store.contact import SENDER, Ticket
from pigi.store.keys import SEALED_BY_KEYRING
from pigi.store.ledgers import Mail
from standins.mail.faults import FaultyMail
from tests.support.contact import make_ticket
from tests.support.mail import HOME, Office
from tests.support.people import an_address, make_account

SECRET = "the door at /pier-nine stands open"


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


def mails(application, ticket):
    with application.control.autocommit() as connection:
        found = connection.execute(select(Mail.template, Mail.id).where(Mail.subject_id == ticket.id))
        return {row.template: row.id for row in found}


def letters(office, ticket, template, to):
    job = office.mail(mails(office.application, ticket)[template], job=True)
    run(HANDLERS["mail.send"], job, office.worker_context)
    return [parcel.part("plain") for parcel in office.sink.outbox.parcels(to)]


def test_a_report_is_sealed_announced_without_its_content_and_answered_by_mail(office):
    application, sender = office.application, an_address()
    security = application.settings.security_address
    report = make_ticket(application, TicketKind.SECURITY, sender, SECRET)
    assert (report.state, report.email, report.message) == ("open", sender, SECRET)
    with application.control.autocommit() as connection:
        row = connection.execute(select(Ticket.__table__)).one()
    kept = b"".join(value if isinstance(value, bytes) else repr(value).encode() for value in row)
    assert SECRET.encode() not in kept
    assert sender.encode() not in kept
    (notice,) = letters(office, report, "ticket-notice", security)
    (receipt,) = letters(office, report, "ticket-received", sender)
    for letter in (notice, receipt):
        assert report.number in letter
        assert "pier-nine" not in letter
    assert sender not in notice
    assert f"{HOME}/contact/{report.number}" in receipt
    answered = answer_ticket(application, CLI, report.id, "It is shut now.")
    assert (answered.state, answered.answer) == ("answered", "It is shut now.")
    _receipt, answer = letters(office, report, "ticket-answer", sender)
    assert "It is shut now." in answer
    assert "pier-nine" not in answer
    with pytest.raises(Refused, match="ticket_over"):
        answer_ticket(application, CLI, report.id, "Once more.")
    assert close_ticket(application, CLI, report.id).state == "closed"
    with pytest.raises(Refused, match="ticket_over"):
        close_ticket(application, CLI, report.id)


def test_whoever_has_the_number_sees_how_far_it_is_and_nobody_else(application):
    made = make_ticket(application)
    typed = made.number.lower().replace("-", " ")
    assert read_receipt(application, typed) == read_receipt(application, made.number)
    assert not {"email", "message", "answer", "name"} & set(vars(read_receipt(application, made.number)))
    for number in (new_number(), "", "x" * 400):
        with pytest.raises(Refused, match="not_found"):
            read_receipt(application, number)
    assert NUMBER.fullmatch(made.number)
    assert len({new_number() for _ in range(500)}) == 500


def test_nobody_can_have_an_address_mailed_at_will(office):
    victim = an_address()
    filed = [make_ticket(office.application, email=victim) for _ in range(5)]
    told = [letters(office, one, "ticket-received", victim) for one in filed]
    assert [len(one) for one in told] == [1, 2, 3, 3, 3]
    assert count_tickets(office.application) == 5


def test_a_flood_from_one_network_ends_and_another_still_gets_through(application):
    def write(network):
        return file_ticket(application, TicketKind.SUPPORT, an_address(), "How?", network)

    for _ in range(10):
        write("192.0.2.7")
    with pytest.raises(Refused, match="too_many_tries"):
        write("192.0.2.7")
    assert count_tickets(application) == 10
    assert write("192.0.2.8").state == "open"


def test_one_that_waits_too_long_is_overdue_until_it_is_answered(application):
    made = make_ticket(application)
    make_ticket(application, TicketKind.SECURITY)
    assert made.due_at - made.received_at == timedelta(days=7)
    with application.control.autocommit() as connection:
        connection.execute(update(Ticket).where(Ticket.id == made.id).values(due_at=now() - timedelta(seconds=1)))
    assert read_ticket(application, made.number).overdue
    assert count_tickets(application, overdue=True) == 1
    assert next(view.id for view in list_tickets(application, is_open=True)) == made.id
    answer_ticket(application, CLI, made.id, "So.")
    assert count_tickets(application, overdue=True) == 0


def test_newer_open_messages_hide_none_that_was_answered(application):
    answered = make_ticket(application)
    answer_ticket(application, CLI, answered.id, "So.")
    waiting = make_ticket(application)
    assert [view.id for view in list_tickets(application, is_open=False, limit=1)] == [answered.id]
    assert [view.id for view in list_tickets(application, is_open=True, limit=1)] == [waiting.id]


def test_an_account_s_messages_go_with_it_also_those_where_its_address_was_only_typed(application):
    address = an_address()
    account = make_account(application, email=address)
    typed, other = make_ticket(application, email=address.upper()), make_ticket(application)
    with application.control.transaction() as connection:
        assert remove_tickets(connection, application.keyring, account, address) == 1
    assert [view.id for view in list_tickets(application)] == [other.id]
    with pytest.raises(Refused, match="not_found"):
        read_receipt(application, typed.number)


def test_what_was_answered_is_swept_and_what_waits_is_not(application):
    (sweep,) = (one for one in SWEEPS if one.retention is Retention.TICKET)
    closed, answered, waiting = (make_ticket(application) for _ in range(3))
    answer_ticket(application, CLI, answered.id, "So.")
    close_ticket(application, CLI, closed.id)
    query = select(Ticket.id).where(*sweep.due(now() + timedelta(days=731)))
    with application.control.autocommit() as connection:
        assert set(connection.execute(query).scalars()) == {closed.id, answered.id}
        assert connection.execute(select(Ticket.id).where(*sweep.due(now() + timedelta(days=729)))).all() == []
    assert waiting.state == TicketState.OPEN


def test_a_message_whose_key_is_gone_hides_no_other(application):
    lost, there = make_ticket(application), make_ticket(application)
    with application.control.autocommit() as connection:
        connection.execute(update(Ticket).where(Ticket.id == lost.id).values(message=b"x" * 60, sender=b"y" * 60))
    found = {view.id: (view.email, view.message) for view in list_tickets(application)}
    assert found == {lost.id: (None, None), there.id: (there.email, "How?")}
    assert SEALED_BY_KEYRING[Ticket.__table__.c.sender] == SENDER


@pytest.mark.parametrize("day", ["2026-01-01", "2026-01-31", "2026-10-31", "2026-11-30", "2027-12-31", "2028-02-29"])
def test_security_txt_is_never_over_soon_and_never_far_away(day):
    moment = datetime.fromisoformat(day).replace(hour=23, minute=59, tzinfo=UTC)
    assert LEAST_LEFT < good_until(moment) - moment < timedelta(days=93)


def test_security_txt_says_where_to_report(application):
    settings = application.settings.model_copy(update={"public_url": HOME})
    fields = read_security_txt(security_txt(settings))
    assert fields["contact"] == [f"{HOME}/contact#security", f"mailto:{settings.security_address}"]
    assert fields["canonical"] == [f"{HOME}/.well-known/security.txt"]
    assert len(fields["expires"]) == len(fields["preferred-languages"]) == 1
