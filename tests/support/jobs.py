"""Doing jobs in tests: a worker's hands without Celery, a model with a script, and time that passes at once."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert, select, update
from sqlalchemy.exc import OperationalError

from pigi.application import Application
from pigi.clock import now
from pigi.domain.access import Caller
from pigi.ids import new_id
from pigi.jobs.effects import effects_of
from pigi.jobs.execution.claims import Ending, claim, finish_and_claim
from pigi.jobs.execution.cleanup import EndedJob
from pigi.jobs.execution.context import Handler, WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.model.transitions import JOB
from pigi.jobs.model.view import view_of
from pigi.jobs.queueing.enqueue import enqueue
from pigi.jobs.queueing.notifications import Notifier
from pigi.operations.generations import GENERATION
from pigi.operations.generations.generations import LIVE_TEXT
from pigi.ports import DraftAnswer
from pigi.store.control import Organisation
from pigi.store.sessions import ControlDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pigi.domain.job_state import JobState
    from pigi.jobs.execution.context import Body, JobContext
    from pigi.jobs.kind import Kind
    from pigi.jobs.model.claim import Claim
    from pigi.jobs.model.view import EffectView, JobView
    from pigi.ports import DraftRequest

    Turn = str | BaseException | Callable[[], str]

MARKER = "marker-7f3a9c"
"""What tests hide in content and look for where no content may be."""

AGENT = {
    "name": "reviewer",
    "description": "Use it to review changes for missing tests.",
    "instructions": "## Role\nYou review changes.\n\n## Steps\n1. Read the change.\n2. Say what has no test.",
    "tools": ["Read", "Grep"],
}
GOOD = json.dumps(AGENT)
SECRET_INSIDE = json.dumps({**AGENT, "instructions": f"Sign in with ghp_{'a1B2' * 9} first."})
"""Readable, but breaks a rule."""


@dataclass
class ScriptedModel:
    """A text model that answers by a script: a text, an error to raise, or something to do that gives a text."""

    turns: list[Turn] = field(default_factory=list)
    requests: list[DraftRequest] = field(default_factory=list)

    def write_draft(
        self, request: DraftRequest, on_text: Callable[[str], None], check: Callable[[], None]
    ) -> DraftAnswer:
        """Play the next turn; a script that is over raises IndexError."""
        self.requests.append(request)
        turn = self.turns.pop(0)
        text = turn() if callable(turn) else turn
        if isinstance(text, BaseException):
            raise text
        check()
        half = len(text) // 2
        on_text(text[:half])
        on_text(text[half:])
        return DraftAnswer(text, "scripted-model", 10, 20, f"request-{len(self.requests)}")


@dataclass(frozen=True)
class Outside:
    """The outside world of a test."""

    model: ScriptedModel


def make_worker_context(
    application: Application, *turns: Turn, draining: Callable[[], bool] = lambda: False
) -> WorkerContext:
    """What a worker's child works with, with a model that plays ``turns``."""
    return WorkerContext(
        application,
        Outside(ScriptedModel(list(turns))),
        LeaseHeartbeat(application.control, lambda: False, application.notifier),
        draining,
    )


def model_of(worker_context: WorkerContext) -> ScriptedModel:
    """The scripted model of these hands."""
    model = worker_context.gateways.model
    assert isinstance(model, ScriptedModel)
    return model


def with_notifier(application: Application, url: str) -> Application:
    """The same application with another bell."""
    return Application(
        application.settings, application.control, application.keyring, application.tenants, Notifier(url)
    )


def register_organisation(control: ControlDatabase, state: str = "active") -> str:
    """An organisation without a database of its own, for tests that need none; its id."""
    organisation_id = new_id()
    row = {"id": organisation_id, "name": "Test", "state": state, "epoch": 1, "schema_revision": ""}
    with control.autocommit() as connection:
        connection.execute(insert(Organisation), {**row, "created_at": now()})
    return organisation_id


def caller_of(organisation_id: str) -> Caller:
    """Somebody who asks for an organisation."""
    return Caller(organisation_id, key_id=new_id())


def ask(control: ControlDatabase, kind: Kind, organisation_id: str | None = None, **facts: Any) -> str:
    """Enqueue a job in a transaction of its own; its id."""
    facts.setdefault("notifier", None)
    notifier = facts.pop("notifier")
    with control.begin() as session:
        return enqueue(session, notifier, kind, organisation_id=organisation_id, requested_by="test", **facts).id


def take(control: ControlDatabase, kind: Kind, job_id: str) -> Claim:
    """Claim a job that can be claimed."""
    held = claim(control, kind, job_id)
    assert held is not None
    return held


def handle(kind: Kind, body: Body, cleanup: Callable[..., Any] | None = None) -> Handler:
    """A handler for a body of a test."""
    return Handler(replace(kind, cleanup=cleanup) if cleanup else kind, body)


def ended_job(organisation_id: str | None, subject_id: str, state: JobState, ended_at: datetime) -> EndedJob:
    """What hooks are told of a job that ended in its first attempt."""
    return EndedJob(organisation_id, subject_id, state, ended_at, attempt=1, check=lambda: None)


def does_nothing(_context: JobContext, _worker_context: WorkerContext) -> None:
    """A body."""


def row_of(control: ControlDatabase, job_id: str) -> Any:
    """The job's row as it stands; None when it is gone."""
    with control.autocommit() as connection:
        return connection.execute(select(JOB).where(JOB.c.id == job_id)).first()


def view(control: ControlDatabase, job_id: str) -> JobView:
    """The job as it stands, without effects."""
    return view_of(row_of(control, job_id))


def effects(control: ControlDatabase, job_id: str) -> dict[str, EffectView]:
    """The job's effects by key."""
    with control.autocommit() as connection:
        return {effect.key: effect for effect in effects_of(connection, job_id)}


def story(control: ControlDatabase, job_id: str) -> list[str]:
    """The states that the job went through."""
    return [entry.state for entry in view(control, job_id).timeline]


def change(control: ControlDatabase, job_id: str, **columns: Any) -> None:
    """Set columns of a job's row; a timedelta counts from now, so that a lease lapses without waiting."""
    values = {name: now() + value if isinstance(value, timedelta) else value for name, value in columns.items()}
    with control.autocommit() as connection:
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))


def copies(control: ControlDatabase, job_id: str, count: int, **columns: Any) -> list[str]:
    """So many more jobs like this one, in bulk; their ids."""
    found = row_of(control, job_id)
    row = {column.key: getattr(found, column.key) for column in JOB.columns}
    rows = [{**row, "id": new_id(), **columns} for _ in range(count)]
    with control.transaction() as connection:
        connection.execute(insert(JOB), rows)
    return [new["id"] for new in rows]


def lapse(control: ControlDatabase, job_id: str) -> None:
    """Let the job's lease end as if its worker had been silent."""
    change(control, job_id, lease_until=timedelta(seconds=-1))


def raise_epoch(control: ControlDatabase, organisation_id: str) -> None:
    """What deleting or restricting an organisation does to its jobs."""
    with control.autocommit() as connection:
        connection.execute(
            update(Organisation).where(Organisation.id == organisation_id).values(epoch=Organisation.epoch + 1)
        )


def refuse(control: ControlDatabase, act: str, table: str, which: str) -> None:
    """Have the database refuse an act, such as ``UPDATE OF state``, on some rows: a failure that is theirs alone."""
    sqlite = control.engine.dialect.name == "sqlite"
    raising = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$"
    trigger = f"CREATE TRIGGER refuse BEFORE {act} ON {table} FOR EACH ROW WHEN ({which})"
    ending = "BEGIN SELECT RAISE(ABORT, 'refused'); END" if sqlite else "EXECUTE FUNCTION refuse()"
    with control.autocommit() as connection:
        for statement in [f"{trigger} {ending}"] if sqlite else [raising, f"{trigger} {ending}"]:
            connection.exec_driver_sql(statement)


def generation_row(application: Application, organisation_id: str, generation_id: str) -> Any:
    """The generation's row, sealed as it is; None when it is gone."""
    with application.tenants.read(organisation_id) as tenant:
        return tenant.connection().execute(select(GENERATION).where(GENERATION.c.id == generation_id)).first()


def live_rows(application: Application, organisation_id: str) -> int:
    """How many pieces of live text the organisation has."""
    with application.tenants.read(organisation_id) as tenant:
        return len(tenant.connection().execute(select(LIVE_TEXT.c.position)).all())


@contextmanager
def opened(settings: Any) -> Iterator[Application]:
    """An application for a block, in a process of its own."""
    application = Application.open(settings)
    try:
        yield application
    finally:
        application.dispose()


@contextmanager
def impatient(url: str) -> Iterator[ControlDatabase]:
    """The same control database, for somebody who waits a fifth of a second for a lock and then fails."""
    found = ControlDatabase(url)
    setting = "PRAGMA busy_timeout = 200" if found.engine.dialect.name == "sqlite" else "SET lock_timeout = 200"

    @event.listens_for(found.engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.cursor().execute(setting)
        connection.commit()

    yield found
    found.dispose()


@contextmanager
def answer_lost(database: ControlDatabase) -> Iterator[None]:
    """The next commit happens, and the connection dies before whoever asked for it hears so."""

    def lose(connection: Any) -> None:
        event.remove(database.engine, "commit", lose)
        connection.connection.commit()
        raise OperationalError("COMMIT", None, ConnectionError("the answer was lost"))

    event.listen(database.engine, "commit", lose)
    yield
    assert not event.contains(database.engine, "commit", lose)


def finish(control: ControlDatabase, held: Claim, state: JobState, reason: str | None, cleanup_at: Any) -> Any:
    """End a job, if it is still held; the notifications for the next of its partition."""
    return finish_and_claim(control, held, Ending(state, reason, cleanup_at), None, "")[0]
