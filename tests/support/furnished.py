"""An organisation with one of everything that has an identifier, for tests that go through every route."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from pigi.clock import now
from pigi.domain.access import Caller, Role
from pigi.domain.preconditions import Tags
from pigi.domain.resources.lint import finding
from pigi.ids import new_id
from pigi.operations.configuration import ResourceAddress, create_project, create_resource, replace_resource
from pigi.operations.exports import EXPORT, Owner
from pigi.operations.exports.exports import Part, object_name, write_parts
from pigi.operations.generations import GENERATION, request_generation
from pigi.store.billing import BillingLink
from pigi.store.ledgers import Mail
from tests.support.contents import CONTENTS, NAME_FIELDS
from tests.support.factories import make_organisation
from tests.support.imports import document_of, read
from tests.support.jobs import ask, change
from tests.support.people import make_invitation, make_key_row, make_member

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.kind import Kind

COLLECTIONS = {"agents": "agent", "mcp-servers": "mcp-server", "documents": "document", "settings": "settings"}
"""What a collection is called in paths, and the kind of its resources."""
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
"""A part of a route's path that varies, in Flask's form."""


@dataclass(frozen=True)
class Furnished:
    """One organisation and the identifiers of what is in it."""

    application: Application
    organisation: str
    owner: str
    project: str
    resources: dict[str, str]
    generation: str
    job: str
    invitation: str
    invitation_token: str
    key: str
    member: str
    mail: str
    link: str
    export: str
    upload: str

    @property
    def caller(self) -> Caller:
        """Its owner, acting."""
        return Caller(self.organisation, Role.OWNER, self.owner, confirmed=True)

    def new_resource(self, collection: str, project: str = "") -> str:
        """One more resource; its id."""
        kind = COLLECTIONS[collection]
        return create_resource(self.application, self.caller, project or self.project, kind, renamed(kind)).id

    def new_project(self) -> str:
        """One more project; its id."""
        return create_project(self.application, self.caller, a_name()).id

    def new_draft(self) -> tuple[str, str]:
        """A generation whose draft waits to be accepted, and the job that made it; their ids."""
        return drafted(self.application, self.caller)

    def new_job(self) -> str:
        """A job that waits; its id."""
        return request_generation(self.application, self.caller, "agent", "reviewer", "Reviews changes.").id

    def new_job_of(self, kind: Kind) -> str:
        """A job of this kind that waits; its id."""
        return ask(self.application.control, kind, self.organisation)


def furnish(application: Application, name: str = "Harbour Works") -> Furnished:
    """A new organisation with one of everything, which its owner made."""
    organisation = make_organisation(application.control, application.tenants, name)
    owner = make_member(application, organisation, Role.OWNER, name="Olga Owner")
    caller = Caller(organisation, Role.OWNER, owner, confirmed=True)
    project = create_project(application, caller, "Shop", "What the shop's agents need.").id
    generation, job = drafted(application, caller)
    invitation, token = make_invitation(application, organisation, owner)
    return Furnished(
        application,
        organisation,
        owner,
        project,
        {collection: _twice(application, caller, project, kind) for collection, kind in COLLECTIONS.items()},
        generation,
        job,
        invitation,
        token,
        make_key_row(application, organisation)[0],
        make_member(application, organisation, name="Mia Member"),
        _mail(application, organisation, invitation),
        _link(application, organisation),
        _export(application, organisation),
        read(application, caller, document_of()).id,
    )


def a_name() -> str:
    """A name that nothing has yet, in a form that every kind of resource takes."""
    return f"n-{new_id()[-12:]}"


def renamed(kind: str) -> dict[str, Any]:
    """Content of a kind under a name that nothing has yet."""
    return {**CONTENTS[kind], NAME_FIELDS[kind]: a_name()}


def drafted(application: Application, caller: Caller) -> tuple[str, str]:
    """A generation whose job succeeded, and that job; their ids."""
    job = request_generation(application, caller, "agent", "reviewer", "Reviews changes.")
    assert job.subject_id is not None
    with application.tenants.session(caller.organisation_id) as tenant:
        sealed = tenant.sealer.seal(json.dumps(renamed("agent")), "generation", "draft", job.subject_id)
        findings = json.dumps([finding("inherits-all-tools", "/tools").told()])
        values = {
            "draft": sealed,
            "findings": findings,
            "instruction": "agent-1",
            "model": "scripted",
            "drafted_at": now(),
        }
        tenant.connection().execute(update(GENERATION).where(GENERATION.c.id == job.subject_id).values(**values))
    change(application.control, job.id, state="succeeded")
    return job.subject_id, job.id


def _twice(application: Application, caller: Caller, project: str, kind: str) -> str:
    """A resource with two revisions."""
    made = create_resource(application, caller, project, kind, renamed(kind))
    replace_resource(application, caller, ResourceAddress(project, kind, made.id), Tags(anything=True), renamed(kind))
    return made.id


def _mail(application: Application, organisation: str, subject: str) -> str:
    mail_id, moment = new_id(), now()
    with application.control.begin() as session:
        session.add(
            Mail(
                id=mail_id,
                job_id=new_id(),
                template="invitation",
                subject_id=subject,
                organisation_id=organisation,
                address_hash="0" * 64,
                state="sent",
                created_at=moment,
                ended_at=moment,
            )
        )
    return mail_id


def _link(application: Application, organisation: str) -> str:
    """A page at Stripe's that was asked for, and is not open yet."""
    link_id = new_id()
    with application.control.begin() as session:
        session.add(BillingLink(id=link_id, organisation_id=organisation, page="portal", created_at=now()))
    return link_id


def _export(application: Application, organisation: str) -> str:
    """An export whose file is ready."""
    owner, part, moment = Owner(organisation), Part(1, 2), now()
    row: dict[str, Any] = {
        "id": new_id(),
        "scope": "configuration",
        "organisation_id": organisation,
        "job_id": new_id(),
        "cursor": "",
    }
    row |= {"requested_by": "test", "state": "ready", "bytes": 2, "sha256": "0" * 64, "sizes": write_parts((part,))}
    application.files.put(object_name(owner, row["id"], 1, part), b"{}")
    with application.control.autocommit() as connection:
        connection.execute(insert(EXPORT), {**row, "created_at": moment, "expires_at": moment + timedelta(days=7)})
    return str(row["id"])


def usual(home: Furnished, path: str) -> dict[str, str]:
    """Values of a path's variables that exist in an organisation."""
    collection = next((name for name in COLLECTIONS if f"/{name}/" in f"{path}/"), "agents")
    known = {
        "organisation": home.organisation,
        "project": home.project,
        "collection": collection,
        "resource": home.resources[collection],
        "number": "1",
        "generation": home.generation,
        "job": home.job,
        "account": home.member,
        "invitation": home.invitation,
        "key": home.key,
        "link": home.link,
        "export": home.export,
        "import_id": home.upload,
        "code": "not_found",
        "name": "pigi.css",
    }
    return {name: known[name] for name in VARIABLE.findall(path) if name in known}


def fill(path: str, values: dict[str, str]) -> str:
    """The path with its variables filled in."""
    return VARIABLE.sub(lambda found: values[found[1]], path)
