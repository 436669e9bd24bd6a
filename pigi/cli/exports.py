"""`pigi export`: exports on behalf of an organisation or a person, delivered to them, with a copy for a reason."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import NO_ORGANISATION
from pigi.cli.output import answer, dim, json_option, say
from pigi.domain.job_state import JobState
from pigi.errors import Permanent
from pigi.operations.accounts import find_person_by_email
from pigi.operations.audit import CLI
from pigi.operations.exports import Owner, open_file, start_export, take_copy
from pigi.operations.jobs import read_job

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pigi.application import Application
    from pigi.jobs.model.view import JobView

LOOK_SECONDS = 0.3
NO_ACCOUNT = ("There is no account {}.", "Give the address that its owner signs in with.")
USUAL_REASON = "asked for on the command line"


@click.command()
@click.option("--organisation", metavar="ID", help="Export this organisation's configuration.")
@click.option("--account", "email", metavar="ADDRESS", help="Export what is held about whoever has this address.")
@click.option(
    "--to",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Wait for it and write a copy here; needs --reason.",
)
@click.option("--reason", metavar="WORDS", help="Why; it is kept in the audit log.")
@json_option
def export(organisation: str | None, email: str | None, path: Path | None, reason: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Start an export. Its owners, or the person, get a mail that says where in Pigi they fetch it.

    With --to a copy comes here too. Both are audited.
    """
    if (organisation is None) == (email is None):
        message = "give either --organisation or --account"
        raise click.UsageError(message)
    if path is not None and not reason:
        message = "--to needs --reason: a copy of somebody's data is only taken for one"
        raise click.UsageError(message)
    if path is not None and path.exists():
        message = f"--to names a file that is there already: {path}"
        raise click.UsageError(message)
    with open_application() as application, _named(organisation, email):
        owner = Owner(organisation) if organisation is not None else Owner(None, _account(application, email or ""))
        job = start_export(application, owner, CLI, reason or USUAL_REASON)
        if path is not None:
            _copy(application, owner, job, path, str(reason), quiet=as_json)
    shown = {"export": job.subject_id, "job": job.id, "file": str(path) if path else None}
    text = f"Export {job.subject_id}, job {job.id}; whoever it belongs to is told by mail once it is ready."
    answer(as_json, shown, text if path is None else f"{text}\nA copy is in {path}.")


def _named(organisation: str | None, email: str | None) -> AbstractContextManager[None]:
    """What was named may not be there."""
    if organisation is not None:
        return not_found_means(*NO_ORGANISATION, organisation)
    return not_found_means(*NO_ACCOUNT, email or "")


def _account(application: Application, email: str) -> str:
    return find_person_by_email(application, email).account_id


def _copy(application: Application, owner: Owner, job: JobView, path: Path, reason: str, *, quiet: bool) -> None:  # noqa: PLR0913 - what, where and why
    """Wait for the job, and write the file; raises Permanent with the job's reason if it comes to nothing."""
    view, shown = job, ""
    while not view.ended:
        time.sleep(LOOK_SECONDS)
        view = read_job(application, job.id, None)
        line = f"{view.state}, {view.progress_done or 0} of {view.progress_total or '?'}"
        if line != shown and not quiet and sys.stdout.isatty():
            say(dim(line))
        shown = line
    if view.state != JobState.SUCCEEDED:
        raise Permanent(view.reason or "export_failed")
    take_copy(application, open_file(application, owner, str(job.subject_id)), path, CLI, reason)
