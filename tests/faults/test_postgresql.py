"""PostgreSQL restarts, and crashes, in the middle of jobs: nothing that was accepted is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import SQLAlchemyError

from devtools.postgres import PostgresServer
from pigi.errors import PigiError
from tests.support.postgres import PostgresStores
from tests.support.sinks import check_books, drafts_in, jobs_in
from tests.support.stack import Stack, slowly, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BACK_SECONDS = 60.0


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgresStores]:
    """A server of this module's own that waits for its disk, as in production, and may be stopped."""
    stores = PostgresStores()
    stores.server = PostgresServer()
    if stores.server.external:
        pytest.skip("a server that is not ours cannot be stopped")
    with stores:
        yield stores


@pytest.fixture(scope="module")
def served(durable: PostgresStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on that server."""
    home: Path = tmp_path_factory.mktemp("stack") / "home"
    with Stack(durable.fresh(home)) as stack:
        stack.redis()
        stack.worker(children=4)
        stack.beat()
        yield stack


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_a_database_that_goes_and_comes_back_loses_no_accepted_job(
    served: Stack, durable: PostgresStores, ending: str
) -> None:
    names = [f"{ending} {number}" for number in range(4)]
    holds = [served.model.hold(name) for name in names[:2]]
    for name in names[2:]:
        served.model.plan(name, slowly(1.5, pieces=30))
    accepted = [served.post(name) for name in names] + [served.post(f"{ending} queued {number}") for number in range(6)]
    for held in holds:
        held.wait()
    getattr(durable.server, ending)()
    with pytest.raises((SQLAlchemyError, PigiError)):
        served.post(f"{ending} while away")
    for held in holds:
        held.release()
    durable.server.start()
    accepted.append(post_until_accepted(served, f"{ending} afterwards"))
    views = served.wait(accepted, BACK_SECONDS)
    assert {view.state for view in views} == {"succeeded"}
    check_books(served, views, kills=dict.fromkeys((*names, *(f"{ending} queued {number}" for number in range(6))), 1))
    until(
        lambda: jobs_in(served, served.organisation) == len(drafts_in(served, served.organisation)), 5, "a draft a job"
    )
    assert all(process.alive for process in served.processes.values())


def post_until_accepted(stack: Stack, name: str) -> str:
    """Ask as a client does that sends a refused request again."""

    def ask() -> str | None:
        try:
            return stack.post(name)
        except (SQLAlchemyError, PigiError):
            return None

    job = until(ask, 60, "a request is accepted again")
    assert job is not None
    return job
