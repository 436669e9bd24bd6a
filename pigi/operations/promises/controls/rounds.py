"""Controls that follow a canary through its life: a draft (P14, P15), exports (P28, P31) and its end (P26, P30)."""

from __future__ import annotations

import hashlib
import io
import json
import pkgutil
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, inspect, select

from pigi.clock import now
from pigi.domain.configuration_format import SCHEMA
from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.deletions import RECEIPT_FORMAT, DeletionScope, Place
from pigi.domain.instructions import INSTRUCTIONS, request_text
from pigi.domain.job_state import JobState
from pigi.domain.resources import json_schema
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import reading
from pigi.operations.configuration import count_active, list_projects
from pigi.operations.deletion import late_deletions
from pigi.operations.exports import Owner, open_file
from pigi.operations.generations import GENERATION as DRAFTS
from pigi.operations.generations import draft_request
from pigi.operations.imports import BrokenFileError, survey_document
from pigi.operations.promises import rounds
from pigi.operations.promises.canary import resident
from pigi.operations.promises.visits import Visitor
from pigi.privacy.leads import CONTROL_LEADS, NOT_LED, TENANT_LEADS
from pigi.privacy.search import SearchTerms, search
from pigi.store.signing import is_document_signed

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller

BODY = "pigi.gateways.anthropic_model:request_body"
"""By name: what Pigi does knows no vendor, and the gateway is loaded where a probe runs anyway."""
MODEL, MOST = "some-model", 1000
CLEANED_WITHIN = timedelta(minutes=10)
NOT_DATA = frozenset({"alembic_version", "sqlite_sequence"})
OK = 200


def request_compared(application: Application) -> Finding:
    """Whether the body of a request to the model is, to the last value, what it may be."""
    canary, name, purpose = resident(application), "greeter", 'Greets <everybody> & says "hello".'
    differing = []
    for resource in INSTRUCTIONS:
        allowed = {
            "model": MODEL,
            "max_tokens": MOST,
            "system": INSTRUCTIONS[resource].text,
            "messages": [{"role": "user", "content": request_text(name, purpose)}],
            "output_config": {"format": {"type": "json_schema", "schema": json_schema(resource)}},
        }
        sent = pkgutil.resolve_name(BODY)(MODEL, MOST, draft_request(resource, name, purpose))
        text = json.dumps(sent, sort_keys=True)
        named = [who for who in (canary.account_id, canary.organisation_id, canary.address) if who in text]
        if named or text != json.dumps(allowed, sort_keys=True):
            differing.append(resource)
    if differing:
        return Finding(False, f"A request for {', '.join(differing)} says more than it may.")
    return Finding(True, f"Requests for {len(INSTRUCTIONS)} kinds said what they may, byte for byte, and nothing else.")


def purposes_erased(application: Application) -> Finding:
    """Whether the cleanup of every ended generation, which erases its purpose, was done in time."""
    with application.control.autocommit() as connection:
        ended = (JOB.c.queue == GENERATE_DRAFT.queue) & JOB.c.finished_at.is_not(None)
        overdue = JOB.c.cleanup_at.is_not(None) & (JOB.c.cleanup_at < now() - CLEANED_WITHIN)
        left = connection.execute(select(func.count()).select_from(JOB).where(ended, overdue)).scalar_one()
    if left:
        return Finding(False, f"{left} generations ended and what they leave was not cleaned up.")
    return Finding(True, "No ended generation waits for its cleanup.")


def purpose_is_gone(application: Application) -> Finding:
    """Whether a phrase from the purpose of a draft, asked for earlier, is anywhere after its job ended."""
    job, canary = rounds.ended(application, rounds.GENERATION), resident(application)
    phrase = rounds.marker(application)
    with application.tenants.read(canary.organisation_id) as tenant:
        columns = select(DRAFTS.c.purpose, DRAFTS.c.answer).where(DRAFTS.c.id == job.subject_id)
        row = tenant.connection().execute(columns).first()
    sealed = 0 if row is None else sum(value is not None for value in row)
    looked = search(
        application.settings, application.control, SearchTerms("marker", phrase, (), (canary.organisation_id,))
    )
    places = [place.place for place in looked if place.found]
    at = f"{job.created_at:%H:%M} UTC"
    if places or sealed:
        where = ", ".join([*places, *(["its own row, sealed"] if sealed else [])])
        return Finding(False, f"A phrase from a purpose of {at} was still in {where}.", job.created_at)
    said = f"A phrase from a purpose of {at} was in none of {len(looked)} places after the job ended."
    return Finding(True, said, job.created_at)


def deletions_in_time(application: Application) -> Finding:
    """Whether every deletion that should be done is."""
    late = late_deletions(application)
    return Finding(not late, f"{late} deletions are late." if late else "No deletion is late.")


def organisation_is_gone(application: Application) -> Finding:
    """Whether the newest deletion of a canary's organisation has a receipt that anybody can check, and left nothing."""
    return _judge(application, rounds.ORGANISATION_DELETION, DeletionScope.ORGANISATION)


def account_is_gone(application: Application) -> Finding:
    """Whether the newest deletion of a canary's account has such a receipt."""
    return _judge(application, rounds.ACCOUNT_DELETION, DeletionScope.ACCOUNT)


def _judge(application: Application, name: str, scope: DeletionScope) -> Finding:
    row, visitor = rounds.ended(application, name), Visitor.of(application)
    answer = visitor.ask("GET", f"/api/v1/receipts/{row.receipt_id}")
    if answer.status != OK:
        return Finding(False, f"The receipt of {scope} deleted by the canary was answered {answer.status}.")
    receipt, keys = answer.json, visitor.ask("GET", "/.well-known/pigi-keys.json").json["keys"]
    found = sum(place["found"] for place in receipt["search"])
    rows = receipt["counts"][Place.DATABASE] if scope is DeletionScope.ORGANISATION else None
    if not is_document_signed(receipt, keys):
        return Finding(False, "The signature of a receipt does not verify with the published keys.")
    if (receipt["format"], receipt["scope"]) != (RECEIPT_FORMAT, scope.value) or found or rows == 0:
        return Finding(False, f"A receipt says that {found} traces were left, and {rows} rows removed.")
    return Finding(
        True,
        f"An {scope} of {row.sealed_at:%H:%M} UTC was deleted; its receipt verifies with the published key, a search"
        f" of {len(receipt['search'])} places found nothing.",
        row.sealed_at,
    )


class _BrokenError(Exception):
    """The round's export did not end with a file that is whole; the text is for everybody."""


def _file(application: Application, name: str, owner: Owner) -> tuple[bytes, datetime]:
    """The file of a round's export, and when it was asked for; raises NothingYetError, and _BrokenError."""
    job = rounds.ended(application, name)
    if job.state != JobState.SUCCEEDED:
        message = f"An export of {job.created_at:%H:%M} UTC ended as {job.state}."
        raise _BrokenError(message)
    file = open_file(application, owner, job.subject_id)
    data = b"".join(file.read(0, file.size))
    if hashlib.sha256(data).hexdigest() != file.sha256:
        message = f"The file of an export of {job.created_at:%H:%M} UTC is not what was written."
        raise _BrokenError(message)
    return data, job.created_at


def access_is_whole(application: Application) -> Finding:
    """Whether an access export has every table in which a person may be named, and no table is passed over."""
    canary = resident(application)
    try:
        data, as_of = _file(application, rounds.ACCESS, Owner(account_id=canary.account_id))
    except _BrokenError as broken:
        return Finding(False, str(broken))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        document = json.loads(archive.read("data.json"))
    with application.control.autocommit() as connection:
        live = set(inspect(connection).get_table_names()) - NOT_DATA
    missing = (live - set(CONTROL_LEADS) - set(NOT_LED)) | (set(CONTROL_LEADS) - set(document["records"]))
    for organisation in document["organisations"]:
        missing |= set(TENANT_LEADS) - set(organisation["records"])
    itself = [row for row in document["records"].get("account", []) if canary.account_id in row.values()]
    if missing or not itself or not document["organisations"]:
        return Finding(False, f"An access export lacks {', '.join(sorted(missing)) or 'the account itself'}.", as_of)
    tables = len(document["records"]) + len(TENANT_LEADS)
    said = f"An access export has all {tables} tables in which a person may be named; none is passed over."
    return Finding(True, said, as_of)


def configuration_is_whole(application: Application) -> Finding:
    """Whether a configuration export is in the published form, and read back is exactly what the canary has."""
    canary = resident(application)
    try:
        data, as_of = _file(application, rounds.CONFIGURATION, Owner(canary.organisation_id))
        report = survey_document(application, canary.caller, data)
    except _BrokenError as broken:
        return Finding(False, str(broken))
    except BrokenFileError as broken:
        return Finding(False, f"A configuration export cannot be read back: {broken.code}.")
    lacking = sorted(set(SCHEMA["required"]) - json.loads(data).keys())
    there = _holdings(application, canary.caller)
    found = (report["found"]["projects"], report["found"]["resources"])
    strange = sum(report[what]["count"] for what in ("conflicts", "refused", "ignored"))
    if lacking or strange or found != there or report["same"] != there[1]:
        said = f"A configuration export has {found[0]} of {there[0]} projects; {report['same']} of {there[1]} resources"
        return Finding(False, f"{said} read back as they are; {strange} were refused.", as_of)
    said = f"A configuration export, read back, was {found[0]} projects and {found[1]} resources as they are."
    return Finding(True, said, as_of)


def _holdings(application: Application, caller: Caller) -> tuple[int, int]:
    """How many projects and resources an organisation has in use."""
    with reading(application, caller) as session:
        projects = [project.id for project in list_projects(application, caller)]
        return len(projects), sum(count_active(session, project) for project in projects)


def _tried(name: str, promise: str, probe: Any, shows: str, does_not_show: str) -> Control:
    return Control(name, promise, Evidence.SYNTHETIC, probe, shows, does_not_show)


CONTROLS = (
    Control(
        "request-compared",
        "P14",
        Evidence.STATIC,
        request_compared,
        "The body of a request to Anthropic is a fixed instruction, the form of the answer, the name and the purpose.",
        "The headers that Anthropic's own library adds; tests compare what goes over the wire.",
    ),
    Control(
        "purposes-erased-in-time",
        "P15",
        Evidence.OBSERVED,
        purposes_erased,
        "No generation that ended still waits for the cleanup that erases its purpose.",
        "Whether the cleanup erases all; the control with a marked phrase looks for that.",
    ),
    _tried(
        "marked-purpose-is-gone",
        "P15",
        purpose_is_gone,
        "A phrase hidden in a purpose is in no database, queue, log or file of Pigi's once the job ended.",
        "What Anthropic keeps, which its terms say; other organisations' databases, which nothing of it reaches.",
    ),
    Control(
        "deletions-in-time",
        "P26",
        Evidence.OBSERVED,
        deletions_in_time,
        "No deletion whose grace is over, and that no legal hold stops, is late.",
        "What is in backups, which end by themselves within three weeks.",
    ),
    _tried(
        "organisation-is-gone",
        "P26",
        organisation_is_gone,
        "An organisation of Pigi's own was deleted as others are; the receipt verifies and its search found nothing.",
        "Backups, which the receipt names with their last day.",
    ),
    _tried(
        "account-is-gone",
        "P30",
        account_is_gone,
        "An account of Pigi's own was deleted with the organisation that it alone owned; its receipt verifies.",
        "Backups, which the receipt names with their last day.",
    ),
    _tried(
        "access-export-is-whole",
        "P28",
        access_is_whole,
        "An access export of Pigi's own account has each table in which somebody may be named.",
        "What people wrote about others in texts of their own.",
    ),
    _tried(
        "configuration-export-is-whole",
        "P31",
        configuration_is_whole,
        "A configuration export of Pigi's own organisation, read back as an import, is all that it has, as it is.",
        "That what is read is also written: tests accept such imports, export again and compare.",
    ),
)
