"""`pigi demo`: the main job in front of the reader, over HTTP, as any client would do it."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import click

from pigi.cli.client import Client
from pigi.cli.demo_key import demo_key
from pigi.cli.opening import opened
from pigi.cli.output import json_option, say
from pigi.cli.story import tell
from pigi.ids import new_id
from pigi.processes.program import CannotStartError
from pigi.processes.table import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.cli.demo_key import DemoKey

ASKED = {
    "resource": "agent",
    "name": "code-reviewer",
    "purpose": (
        "Review pull requests in our Python services before a person does. Look for broken error handling, "
        "missing tests, and personal data that would end up in a log. Read only; report findings by severity, "
        "with file and line."
    ),
}
LONGEST_SECONDS = 120.0


@click.command()
@json_option
def demo(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Ask for an agent definition and follow the job to its draft, on an installation that runs.

    Makes an organisation for it once and keeps its key in PIGI_HOME/demo.json.
    """
    with opened() as application:
        settings = application.settings
        if settings.production:
            raise CannotStartError(sentence="the demo makes an organisation of its own and is for development")
        address = address_of(settings)
        try:
            key = demo_key(application, address)
            succeeded = _perform(address, key, as_json=as_json)
        except (ConnectionError, TimeoutError, http.client.HTTPException):
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
            tell(event, facts)
    return succeeded


def main_job(address: str, key: DemoKey) -> Iterator[tuple[str, dict[str, Any]]]:
    """What happens, step by step: asked, accepted, the job's events, end, draft if there is one, serving."""
    client = Client(address, key.token)
    path = f"/api/v1/organisations/{key.organisation_id}/generations"
    yield "asked", {"method": "POST", "path": path, "body": ASKED}
    began = time.monotonic()
    answer = client.post(path, ASKED, new_id())
    if answer.status != http.client.ACCEPTED:
        raise CannotStartError(sentence=f"the server refused the demo's request: {_refusal(answer.body)}")
    location = answer.headers["location"]
    seconds = time.monotonic() - began
    yield "accepted", {"status": answer.status, "seconds": seconds, "location": location, "job": answer.body}
    for event in client.follow(answer.body["links"]["events"]):
        waited = time.monotonic() - began
        if waited > LONGEST_SECONDS:
            raise CannotStartError(
                sentence=f"the job is not done after {waited:.0f} s; `pigi jobs show {answer.body['id']}` tells more"
            )
        yield event.name, {"seconds": waited, **event.data}
    job = client.get(location).body
    if job["state"] == "succeeded":
        yield "draft", client.get(job["links"]["result"]).body
    yield "serving", {"address": address, "organisation_id": key.organisation_id, "key": key.token, "path": path}


def _refusal(body: Any) -> str:
    return f"{body.get('title', '')} {body.get('detail', '')}" if isinstance(body, dict) else "without a reason"
