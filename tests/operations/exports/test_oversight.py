"""Exports that operators start: delivered to the owners, audited with the reason, copied only for one."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from pigi.domain.access import Role
from pigi.errors import Refused
from pigi.operations.audit import CLI, list_entries
from pigi.operations.exports import Owner, list_started, open_file, start_export, take_copy
from pigi.operations.mail.ledger import MAIL
from standins.mail.faults import FaultyMail
from tests.support import exports
from tests.support.furnished import furnish
from tests.support.mail import Office
from tests.support.people import make_member

WHY = "They asked by letter of 3 May."


def queued(application):
    """The mails of these exports."""
    with application.control.autocommit() as connection:
        return connection.execute(select(MAIL).where(MAIL.c.template == "export-ready")).all()


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


def test_owners_are_told_where_to_fetch_it_and_an_operator_gets_a_copy_for_a_reason(office, application, tmp_path):
    home = furnish(application)
    second = make_member(application, home.organisation, Role.OWNER)
    owner = Owner(home.organisation)
    with pytest.raises(Refused, match="reason_required"):
        start_export(application, owner, CLI, " ")
    job = start_export(application, owner, CLI, WHY)
    exports.do(application, job.id)
    mails = queued(application)
    assert {mail.recipient_id for mail in mails} == {home.owner, second}
    for mail in mails:
        office.do(mail.id)
    links = [link for parcel in office.sink.outbox.parcels() for link in parcel.links]
    assert len([link for link in links if link.endswith(f"/o/{home.organisation}/exports")]) >= len(mails)
    assert not any("?" in link for link in links)
    file = open_file(application, owner, job.subject_id)
    with pytest.raises(Refused, match="reason_required"):
        take_copy(application, file, tmp_path / "none.json", CLI, "")
    take_copy(application, file, tmp_path / "copy.json", CLI, WHY)
    assert json.loads((tmp_path / "copy.json").read_bytes())["organisation"]["name"] == "Harbour Works"
    assert (tmp_path / "copy.json").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "none.json").exists()
    acts = [
        (entry.kind, entry.details["reason"]) for entry in list_entries(application, None) if "reason" in entry.details
    ]
    assert acts == [("operator.export_copied", WHY), ("operator.export_started", WHY)]
    assert list_started(application)[0][0].id == job.subject_id


def test_what_somebody_exports_themselves_is_mailed_to_nobody(office, application):
    home = furnish(application)
    job = exports.request(application, home.caller)
    exports.do(application, job.id)
    assert queued(application) == []
