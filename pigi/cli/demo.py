"""`pigi demo`: the main job in front of the reader, over HTTP, as any client would do it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click
import httpx2

from pigi.cli.application import open_application
from pigi.cli.demo_output import show
from pigi.cli.organisations import plan_granter
from pigi.cli.output import json_option, say
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.api_keys import issue_key
from pigi.operations.organisations import create_organisation
from pigi.processes.program import CannotStartError
from pigi.processes.table import address_of
from pigi.store.files import aside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pigi.application import Application

REQUEST = {
    "resource": "agent",
    "name": "code-reviewer",
    "purpose": (
        "Review pull requests in our Python services before a person does. Look for broken error handling, "
        "missing tests, and personal data that would end up in a log. Read only; report findings by severity, "
        "with file and line."
    ),
}
LONGEST_SECONDS = 120.0
ANSWER_SECONDS = 30.0
"""Twice the longest silence of an event stream."""
PAUSE_SECONDS = 0.5
"""Before a stream is opened again, unless the server asks for another pause."""
FILE = "demo.json"
ORGANISATION = "Demo"
LABEL = "demo"


@click.command()
@json_option
def demo(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Ask for an agent definition and follow the job to its draft, on an installation that runs.

    Makes an organisation for it once and keeps its key in PIGI_HOME/demo.json.
    """
    with open_application() as application:
        settings = application.settings
        if settings.production:
            raise CannotStartError(sentence="the demo makes an organisation of its own and is for development")
        address = address_of(settings)
        try:
            key = demo_key(application, address)
            succeeded = _perform(address, key, as_json=as_json)
        except httpx2.TransportError:
            raise CannotStartError(sentence=f"nobody answers at {address}; start `pigi up` first") from None
    if not succeeded:
        raise click.exceptions.Exit(1)


def _perform(address: str, key: DemoKey, *, as_json: bool) -> bool:
    succeeded = False
    for event, facts in main_job(address, key):
        succeeded = succeeded or event == "draft"
        if as_json:
            say(json.dumps({"event": event, **facts}, ensure_ascii=False))
        else:
            show(event, facts)
    return succeeded


def main_job(address: str, key: DemoKey) -> Iterator[tuple[str, dict[str, Any]]]:
    """What happens, step by step: asked, accepted, the job's events, end, draft if there is one, serving."""
    path = f"/api/v1/organisations/{key.organisation_id}/generations"
    with client_for(address, key.token) as client:
        yield "asked", {"method": "POST", "path": path, "body": REQUEST}
        began = time.monotonic()
        response = client.post(path, json=REQUEST, headers={"Idempotency-Key": new_id()})
        if response.status_code != httpx2.codes.ACCEPTED:
            raise CannotStartError(sentence=f"the server refused the demo's request: {_refusal(response)}")
        job, location, seconds = response.json(), response.headers["Location"], time.monotonic() - began
        yield "accepted", {"status": response.status_code, "seconds": seconds, "location": location, "job": job}
        for event in follow(client, job["links"]["events"]):
            waited = time.monotonic() - began
            if waited > LONGEST_SECONDS:
                raise CannotStartError(
                    sentence=f"the job is not done after {waited:.0f} s; `pigi jobs show {job['id']}` tells more"
                )
            yield event.event, {"seconds": waited, **json.loads(event.data)}
        job = client.get(location).json()
        if job["state"] == "succeeded":
            yield "draft", client.get(job["links"]["result"]).json()
    yield "serving", {"address": address, "organisation_id": key.organisation_id, "key": key.token, "path": path}


def client_for(address: str, key: str) -> httpx2.Client:
    """A client of the server at ``address`` with an API key. No proxy: the server is on this machine."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=ANSWER_SECONDS, trust_env=False)


def follow(client: httpx2.Client, path: str) -> Iterator[httpx2.ServerSentEvent]:
    """The events of a job's stream to the one called ``end``, coming back to where the stream was cut.

    Ends early if the stream is refused. Raises httpx2.TransportError if nobody answers.
    """
    last, pause = "", PAUSE_SECONDS
    while True:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        with suppress(httpx2.ReadError, httpx2.RemoteProtocolError), client.stream("GET", path, headers=headers) as got:
            if got.status_code != httpx2.codes.OK:
                return
            for event in httpx2.EventSource(got):
                last = event.id
                pause = pause if event.retry is None else event.retry / 1000
                if event.data:
                    yield event
                if event.event == "end":
                    return
        time.sleep(pause)


def _refusal(response: httpx2.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return "without a reason"
    return f"{body.get('title', '')} {body.get('detail', '')}"


@dataclass(frozen=True)
class DemoKey:
    """The demo's organisation and a key to it."""

    organisation_id: str
    token: str = field(repr=False)


def demo_key(application: Application, address: str) -> DemoKey:
    """The key that is kept in PIGI_HOME, where only this user can read it; a new one if it opens nothing any more."""
    path = application.settings.home / FILE
    kept = _read(path)
    if kept is not None and _opens(address, kept):
        return kept
    key = _make(application, kept.organisation_id if kept else None)
    with aside(path) as draft:
        draft.write_text(json.dumps(asdict(key)))
    return key


def _opens(address: str, key: DemoKey) -> bool:
    with client_for(address, key.token) as client:
        return client.get("/api/v1/jobs", params={"limit": 1}).status_code == httpx2.codes.OK


def _make(application: Application, organisation_id: str | None) -> DemoKey:
    if organisation_id is not None:
        with suppress(Refused):
            return DemoKey(organisation_id, issue_key(application, organisation_id, LABEL))
    made = create_organisation(application, ORGANISATION, on_made=plan_granter(application))
    return DemoKey(made, issue_key(application, made, LABEL))


def _read(path: Path) -> DemoKey | None:
    try:
        found = json.loads(path.read_text())
        return DemoKey(str(found["organisation_id"]), str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
