"""Keys rotate under load while workers die: the count reaches 0, the old key goes, and everything opens."""

from __future__ import annotations

import random
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.keys import KEPT_EMPTY
from pigi.jobs.kinds import ROTATE_DATA_KEY, ROTATE_KEYRING
from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import CLI
from pigi.operations.keys import refuse_missing_keys, report_keys, request_rotation
from pigi.operations.keys.data_keys import versions_of
from pigi.store.control import DataKey
from pigi.store.people import DEVICE_SECRET, SecondFactor
from tests.support.chance import a_seed
from tests.support.factories import add_generation, make_organisation
from tests.support.keys import everything, under
from tests.support.people import DEVICE, make_account
from tests.support.stack import Stack, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.operations.keys import KeysReport
    from tests.support.chance import a_seed
from tests.support.factories import Stores

OLD, NEW = ("old", b"o" * 32), ("new", b"n" * 32)
BOTH = "new:bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=,old:b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="
KINDS = (ROTATE_KEYRING.name, ROTATE_DATA_KEY.name)
WAITING = ("queued", "running", "retrying")
KILLS = 10
"""Attempts that a kill must meet."""
WRITTEN = 80
"""Generations of each organisation before the rotation."""
SEALED = 30
"""Devices of people, sealed by the keyring before the rotation."""


@pytest.fixture
def rotating(engine: str, request: pytest.FixtureRequest, tmp_path) -> Iterator[Stack]:
    """A stack of its own, since its keys change: two organisations and sealed rows under the old key."""
    stores: Stores = request.getfixturevalue(f"{engine}_stores")
    settings = stores.fresh(tmp_path / "home").model_copy(update={"secret_keys": BOTH})
    try:
        with Stack(settings) as stack:
            fill(stack)
            stack.redis()
            stack.worker("ai", ready=False)
            stack.worker("slow", app="tests.support.keys_worker")
            stack.beat()
            yield stack
    finally:
        stores.clean(settings)


def fill(stack: Stack) -> None:
    before = under(stack.application, OLD)
    for _ in range(2):
        organisation = make_organisation(before.control, before.tenants)
        with before.tenants.session(organisation) as session:
            for number in range(WRITTEN):
                add_generation(session, purpose=f"purpose {number}")
    for _ in range(SEALED):
        make_account(before, factor=True)
    before.tenants.dispose()
    # Before the schedule begins with it.
    assert report_keys(stack.application).old_rows >= SEALED + 2


@contextmanager
def load(stack: Stack, organisations: list[str]) -> Iterator[list[str]]:
    """People go on asking for drafts within the block; the ids of their jobs."""
    jobs: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.4):
            jobs.append(stack.post("under load", organisation=organisations[len(jobs) % len(organisations)]))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield jobs
    finally:
        over.set()
        thread.join()


def at_work(application: Application, *states: str) -> set[tuple[str, int]]:
    """The rotations' jobs in these states, each with its attempt."""
    query = select(JOB.c.id, JOB.c.attempt).where(JOB.c.kind.in_(KINDS), JOB.c.state.in_(states))
    with application.control.autocommit() as connection:
        return {(row.id, row.attempt) for row in connection.execute(query)}


def go_on(application: Application) -> KeysReport:
    """What the schedule does a day later: old keys that sealed nothing may go, and what was begun goes on."""
    with application.control.autocommit() as connection:
        since = update(DataKey).where(DataKey.emptied_at.is_not(None))
        connection.execute(since.values(emptied_at=now() - KEPT_EMPTY))
    found = report_keys(application, counted=False)
    for line in found.rotations:
        request_rotation(application, CLI, line.organisation_id)
    if found.old_rows:
        request_rotation(application, CLI)
    return found


def kill(stack: Stack, chance: random.Random, met: set[tuple[str, int]]) -> None:
    """Kill all children of the worker at a moment of a rotation that chance decides; add the attempts that it met."""
    application = stack.application
    if not at_work(application, *WAITING) and not go_on(application).rotations:
        request_rotation(application, CLI)
        request_rotation(application, CLI, data=True)
    until(lambda: at_work(application, "running") - met or not at_work(application, *WAITING), 30, "a new attempt")
    threading.Event().wait(chance.random() * 0.3)
    hit = at_work(application, "running") - met
    if not hit:
        return
    # One that has just ended by itself is none to kill.
    with suppress(psutil.NoSuchProcess):
        for child in stack.processes["worker-slow"].children():
            child.send_signal(signal.SIGKILL)
    for job, _attempt in hit:
        stack.lapse(job)
    met |= hit


def is_through(application: Application) -> bool:
    """Whether nothing needs an old key and none is left; if not and nothing is at work on it, ask for more."""
    if at_work(application, *WAITING):
        return False
    found = go_on(application)
    return found.old_rows == 0 and not found.rotations


def test_keys_rotate_through_ten_kills_under_load_and_the_old_key_goes(rotating: Stack, note) -> None:
    stack, application, seed = rotating, rotating.application, a_seed(7)
    note("seed", seed)
    chance, met = random.Random(seed), set()
    with application.control.autocommit() as connection:
        organisations = list(connection.execute(select(DataKey.organisation_id)).scalars())
    whole = {one: everything(application, one) for one in organisations}
    with load(stack, organisations) as asked:
        while len(met) < KILLS:
            kill(stack, chance, met)
        until(lambda: is_through(application), 60, f"everything is under the new keys (seed {seed})")
    assert {view.state for view in stack.wait(asked)} == {"succeeded"}
    note("drafts meanwhile", len(asked))
    for process in list(stack.processes):
        stack.forget(process)
    alone = under(application, NEW)
    refuse_missing_keys(alone)
    for one in organisations:
        assert len(versions_of(alone, one)) == 1
        after = everything(alone, one)
        assert {place: after[place] for place in whole[one]} == whole[one]
        assert len(after) > len(whole[one])
    with alone.control.autocommit() as connection:
        devices = connection.execute(select(SecondFactor.account_id, SecondFactor.sealed)).all()
    assert {alone.keyring.open(DEVICE_SECRET, row.account_id, row.sealed) for row in devices} == {DEVICE}
    alone.tenants.dispose()
