"""Tenant databases: isolation, the cap on engines, missing and dropped databases, and making them together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, select

from pigi.ids import new_id
from pigi.store import engine_cache
from pigi.store.control import DataKey
from pigi.store.engine_cache import TenantsBusyError
from pigi.store.migrate import tenant_head
from pigi.store.sealing import SealBrokenError
from pigi.store.tenant import Generation
from pigi.store.tenants import TenantMissingError, Tenants
from tests.support.factories import add_generation, make_organisation

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.settings import Settings
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlDatabase, TenantSession

MARKER = "a purpose that nobody else may read"
ESCAPES = (
    "../control",
    "",
    "x",
    "00000000-0000-0000-0000-00000000000Z",
    "{id}",
    "%2e%2e",
    'a"; DROP DATABASE postgres',
)


def count(session: TenantSession) -> int:
    return session.scalar(select(func.count()).select_from(Generation)) or 0


def test_a_row_is_in_its_own_database_only(tenants: Tenants, control: ControlDatabase, organisation: str) -> None:
    other = make_organisation(control, tenants)
    with tenants.session(organisation) as session:
        generation_id = add_generation(session, purpose=MARKER)
    with tenants.read(other) as session:
        assert count(session) == 0
    with tenants.read(organisation) as session:
        row = session.get_one(Generation, generation_id)
        assert row.purpose is not None
        assert session.sealer.open(row.purpose, "generation", "purpose", generation_id) == MARKER


def test_another_organisations_sealed_value_does_not_open(
    tenants: Tenants, control: ControlDatabase, organisation: str
) -> None:
    other = make_organisation(control, tenants)
    with tenants.session(organisation) as session:
        sealed = session.sealer.seal(MARKER, "generation", "purpose", "1")
    with tenants.session(other) as session, pytest.raises(SealBrokenError):
        session.sealer.open(sealed, "generation", "purpose", "1")


def test_an_exception_rolls_back(tenants: Tenants, organisation: str) -> None:
    def fail() -> None:
        with tenants.session(organisation) as session:
            add_generation(session)
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with tenants.read(organisation) as session:
        assert count(session) == 0


def test_reading_sees_what_is_committed_meanwhile(tenants: Tenants, organisation: str) -> None:
    with tenants.read(organisation) as reading:
        assert count(reading) == 0
        with tenants.session(organisation) as session:
            add_generation(session)
        assert count(reading) == 1


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_no_file_holds_plain_text(tenants: Tenants, organisation: str, settings: Settings) -> None:
    with tenants.session(organisation) as session:
        add_generation(session, name=MARKER, purpose=MARKER)
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert {".db-wal", ".db-shm"} <= {f".{path.name.rpartition('.')[2]}" for path in files}
    assert not [path for path in files if MARKER.encode() in path.read_bytes()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.home.rglob("*") if organisation in path.name)


def test_the_cap_holds_for_fifty_organisations_and_many_threads(
    settings: Settings, control: ControlDatabase, keyring: Keyring
) -> None:
    tenants = Tenants(settings.model_copy(update={"tenant_engines": 5}), control, keyring)
    organisations = [make_organisation(control, tenants) for _ in range(50)]
    most: list[int] = []

    def visit(organisation_id: str) -> None:
        with tenants.session(organisation_id) as session:
            add_generation(session)
            most.append(tenants.held())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, organisations * 3))
    assert max(most) == 5
    for organisation_id in organisations:
        with tenants.read(organisation_id) as session:
            assert count(session) == 3
    tenants.dispose()


def test_what_nobody_used_for_long_is_let_go_of_when_something_else_is_used(
    settings: Settings, control: ControlDatabase, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = Tenants(settings, control, keyring)
    organisations = [make_organisation(control, tenants) for _ in range(3)]

    def held_after_using_all() -> int:
        for organisation in organisations:
            with tenants.read(organisation):
                pass
        return tenants.held()

    assert held_after_using_all() == 3
    monkeypatch.setattr(engine_cache, "IDLE_SECONDS", 0.0)
    assert held_after_using_all() == 1
    with tenants.read(organisations[0]), tenants.read(organisations[1]):
        assert tenants.held() == 2
    tenants.dispose()


def test_one_in_use_is_never_closed_and_too_many_are_refused(
    settings: Settings, control: ControlDatabase, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_cache, "CHECKOUT_SECONDS", 0.05)
    tenants = Tenants(settings.model_copy(update={"tenant_engines": 1}), control, keyring)
    first, second = make_organisation(control, tenants), make_organisation(control, tenants)
    with tenants.session(first) as session:
        add_generation(session)
        with pytest.raises(TenantsBusyError), tenants.session(second):
            pass
        assert count(session) == 1
    with tenants.session(second) as session:
        assert count(session) == 0
    tenants.dispose()


def test_a_missing_database_is_an_error_and_stays_missing(
    tenants: Tenants, organisation: str, settings: Settings
) -> None:
    with tenants.session(organisation) as session:
        add_generation(session)
    tenants.drop(organisation)
    for door in (tenants.session, tenants.read):
        with pytest.raises(TenantMissingError), door(organisation):
            pass
    with pytest.raises(TenantMissingError):
        tenants.migrate(organisation)
    assert not _files_of(settings.home, organisation)


def test_an_organisation_without_a_key_is_missing(
    tenants: Tenants, control: ControlDatabase, organisation: str
) -> None:
    with control.begin() as session:
        session.execute(delete(DataKey))
    with pytest.raises(TenantMissingError), tenants.session(organisation):
        pass


def test_dropping_leaves_nothing_and_may_be_repeated(tenants: Tenants, organisation: str, settings: Settings) -> None:
    with tenants.session(organisation) as session:
        add_generation(session)
    tenants.drop(organisation)
    tenants.drop(organisation)
    assert not _files_of(settings.home, organisation)
    assert tenants.provision(organisation) == tenant_head()
    with tenants.read(organisation) as session:
        assert count(session) == 0


def test_dropping_goes_ahead_while_another_uses_it(
    tenants: Tenants, organisation: str, settings: Settings, control: ControlDatabase, keyring: Keyring
) -> None:
    other = Tenants(settings, control, keyring)
    with other.session(organisation) as session:
        add_generation(session)
    tenants.drop(organisation)
    with pytest.raises(TenantMissingError), other.session(organisation) as session:
        add_generation(session)
    assert not _files_of(settings.home, organisation)
    other.dispose()


def test_provisioning_together_makes_one_database_and_keeps_its_rows(
    tenants: Tenants, control: ControlDatabase, settings: Settings, keyring: Keyring, organisation: str
) -> None:
    tenants.drop(organisation)
    doors = [tenants, *(Tenants(settings, control, keyring) for _ in range(5))]
    gate = threading.Barrier(len(doors))

    def make(door: Tenants) -> str:
        gate.wait()
        revision = door.provision(organisation)
        with door.session(organisation) as session:
            add_generation(session)
        return revision

    with ThreadPoolExecutor(len(doors)) as pool:
        assert set(pool.map(make, doors)) == {tenant_head()}
    with tenants.read(organisation) as session:
        assert count(session) == len(doors)
    for door in doors:
        door.dispose()


def test_a_rotated_key_is_found_by_a_process_that_held_the_old_one(
    tenants: Tenants, control: ControlDatabase, keyring: Keyring, settings: Settings, organisation: str
) -> None:
    with tenants.session(organisation) as session:
        old = session.sealer
    keyring_id, wrapped = keyring.wrap(organisation, b"2" * 32)
    with control.begin() as control_session:
        first = control_session.get_one(DataKey, (organisation, 1))
        newer = {"version": 2, "wrapped": wrapped, "keyring_id": keyring_id, "created_at": first.created_at}
        control_session.add(DataKey(organisation_id=organisation, **newer))
    other = Tenants(settings, control, keyring)
    with other.session(organisation) as session:
        sealed = session.sealer.seal(MARKER, "generation", "name", "1")
    assert old.open(sealed, "generation", "name", "1") == MARKER
    other.dispose()


def test_after_a_fork_all_is_forgotten(tenants: Tenants, organisation: str) -> None:
    with tenants.session(organisation) as session:
        add_generation(session)
    tenants.dispose(close=False)
    assert tenants.held() == 0
    with tenants.read(organisation) as session:
        assert count(session) == 1


@pytest.mark.parametrize("text", ESCAPES)
def test_only_identifiers_reach_an_address(tenants: Tenants, text: str) -> None:
    for act in (tenants.provision, tenants.migrate, tenants.drop):
        with pytest.raises(ValueError, match="not an identifier"):
            act(text)
    with pytest.raises(ValueError, match="not an identifier"), tenants.session(text):
        pass


def test_an_unknown_identifier_is_missing(tenants: Tenants) -> None:
    with pytest.raises(TenantMissingError), tenants.session(new_id()):
        pass


def _files_of(home: Path, organisation_id: str) -> list[Path]:
    return [path for path in home.rglob("*") if organisation_id in path.name]
