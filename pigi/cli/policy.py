"""`pigi policy`: publishing a version of the privacy policy, and what became of its notices."""

from __future__ import annotations

import json
from datetime import UTC
from typing import IO, TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import MOMENT
from pigi.cli.failures import PolicyRefusedError, not_found_means
from pigi.cli.operators import NO_OPERATOR
from pigi.cli.output import answer, bold, green, json_option, moment, table
from pigi.domain.policy import Change, PolicyError
from pigi.operations.audit import CLI
from pigi.operations.operators import operator_named
from pigi.operations.policy import Proposal, count_notices, policy_history, publish_policy

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.operations.policy import Publication

MOST_BYTES = 8 << 20


@click.group()
def policy() -> None:
    """The privacy policy: publish a version, list versions, and see who was told."""


@policy.command()
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--shipped", is_flag=True, help="Publish this release's text; what is meant without FILE, too.")
@click.option("--material", is_flag=True, help="It is material whatever Pigi computes; nothing makes it less.")
@click.option("--effective-at", type=MOMENT, help="In UTC.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--as", "address", help="The e-mail address of the operator who does this; cli without one.")
@json_option
def publish(  # noqa: PLR0913 - options
    file: IO[bytes] | None,
    shipped: bool,  # noqa: FBT001
    material: bool,  # noqa: FBT001
    effective_at: datetime | None,
    dry_run: bool,  # noqa: FBT001
    address: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Publish FILE, in the form that GET /api/v1/policy gives, or this release's own text.

    It says what changes. If that is more than words, everybody is mailed, and it counts 30 days later at the earliest.
    """
    if shipped and file is not None:
        message = "either FILE or --shipped"
        raise click.UsageError(message)
    proposal = Proposal(None if file is None else _read(file), effective_at and effective_at.replace(tzinfo=UTC))
    with open_application() as application:
        by = CLI
        if address is not None:
            with not_found_means(*NO_OPERATOR, address):
                by = operator_named(application, address)
        try:
            done = publish_policy(application, by, proposal, material=material, dry_run=dry_run)
        except PolicyError as error:
            raise PolicyRefusedError(error.place, error.problem) from None
    answer(as_json, _data(done, dry_run=dry_run), _words(done, dry_run=dry_run))


@policy.command()
@json_option
def versions(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List the versions that were published, the newest first."""
    with open_application() as application:
        history = policy_history(application)
    found = [
        {
            "version": one.number,
            "state": history.state_of(one),
            "change": one.change,
            "published_at": one.published_at,
            "effective_at": one.effective_at,
            "digest": one.digest,
        }
        for one in reversed(history.versions)
    ]
    head = ("VERSION", "STATE", "CHANGE", "PUBLISHED (UTC)", "COUNTS FROM (UTC)")
    rows = [
        (str(one.number), history.state_of(one), one.change, moment(one.published_at), moment(one.effective_at))
        for one in reversed(history.versions)
    ]
    answer(as_json, found, table([head, *rows]))


@policy.command()
@json_option
def notices(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how the mails about each material version stand."""
    with open_application() as application:
        found = count_notices(application)
    head = ("VERSION", "COUNTS FROM (UTC)", "SENT", "UNKNOWN", "FAILED", "QUEUED", "WAITING")
    rows = [
        (
            str(one.version),
            moment(one.effective_at),
            *(str(count) for count in (one.sent, one.unknown, one.failed, one.queued, one.waiting)),
        )
        for one in found
    ]
    answer(as_json, [vars(one) for one in found], table([head, *rows]) if found else "No version was announced.")


def _read(file: IO[bytes]) -> Any:
    """The file's data; raises PolicyRefusedError for what is no JSON, or too long."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise PolicyRefusedError("file", f"has more than {MOST_BYTES >> 20} MB")
    try:
        found = json.loads(data)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PolicyRefusedError(place, "no JSON") from None
    except ValueError:
        raise PolicyRefusedError("file", "is no text in UTF-8") from None
    except RecursionError:
        raise PolicyRefusedError("file", "is nested too deep") from None
    if not isinstance(found, dict):
        # Nothing at all would be taken for this release's own text.
        raise PolicyRefusedError("file", "must be an object, as GET /api/v1/policy gives it")
    return found


def _data(done: Publication, *, dry_run: bool) -> dict[str, Any]:
    return {
        "version": done.version,
        "change": done.change.value,
        "changes": [vars(change) for change in done.changes],
        "effective_at": done.effective_at,
        "published": done.published and not dry_run,
        "already_published": not done.published,
        "dry_run": dry_run,
        "notices": done.people,
    }


def _words(done: Publication, *, dry_run: bool) -> str:
    if not done.published:
        return f"Nothing changes: it is published as version {done.version}, and nobody is mailed."
    lines = [f"{bold(change.kind)} {change.id}" + "".join(f"\n    material: {one}" for one in change.reasons)
             for change in done.changes]  # fmt: skip
    told = f"{done.people} people are told by mail." if done.change is Change.MATERIAL else "Nobody is mailed."
    verb = "would be published" if dry_run else "is published"
    said = f"Version {done.version} {verb}. The change is {bold(done.change.value)}."
    return "\n".join(
        [*lines, "", green(said) if not dry_run else said, f"It counts from {moment(done.effective_at)} UTC. {told}"]
    )
