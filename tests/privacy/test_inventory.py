"""The inventory leaves no place out: it is held against live databases, and against the names in the code."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from pigi.domain.privacy import Recipient
from pigi.domain.recipients import RECIPIENTS
from pigi.domain.retention import Retention, keep
from pigi.jobs.queueing.notifications import PREFIX
from pigi.jobs.queueing.partitions import Notification
from pigi.privacy.activities import ACTIVITIES
from pigi.privacy.inventory import inventory, kept_columns, period_words
from pigi.privacy.places import STORES, Store
from pigi.privacy.record import processing_record
from pigi.store.engines import make_engine
from pigi.store.provision import tenant_databases
from tests.support.sources import ROOT, modules

if TYPE_CHECKING:
    from collections.abc import Iterable

SHARED = {"__init__", "provider_keys", "quiet", "retry_after"}
"""Modules of gateways that know no provider."""
PATHS = {"invitations/"}
"""Paths of the API, which have the form of an object's name."""
USERS_OF_REDIS = {
    "pigi/cli/installation.py",
    "pigi/embedded/redis.py",
    "pigi/jobs/queueing/notifications.py",
    "pigi/operations/deployment/looks.py",
    "pigi/privacy/search.py",
}


def names_of(*stores: Store) -> set[str]:
    """By what the places of these stores are known in the code."""
    return {name for place in inventory() if place.store in stores for name in place.names}


def columns_of(url: object, store: Store) -> set[str]:
    """The columns of a live database, as the inventory names them."""
    engine = make_engine(url)  # type: ignore[arg-type]
    inspector = inspect(engine)
    tables = set(inspector.get_table_names()) - {"alembic_version"}
    found = {f"{store}.{table}.{column['name']}" for table in tables for column in inspector.get_columns(table)}
    engine.dispose()
    return found


def places_of(store: Store) -> set[str]:
    return {place.name for place in inventory() if place.store is store}


def test_every_column_of_both_live_databases_is_a_place_and_every_such_place_a_column(settings, tenants, organisation):
    assert columns_of(settings.database_url, Store.CONTROL) == places_of(Store.CONTROL)
    assert columns_of(tenant_databases(settings).url(organisation), Store.TENANT) == places_of(Store.TENANT)


def text_at(node: ast.AST, constants: dict[str, str]) -> str | None:
    """The text that a node is, or begins with."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.Name(id=name):
            return constants.get(name)
        case ast.JoinedStr(values=[first, *_]):
            return text_at(first, constants)
        case ast.FormattedValue(value=value):
            return text_at(value, constants)
    return None


def constants_of(tree: ast.Module) -> dict[str, str]:
    """The texts that a module's constants hold."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                found[name] = value
    return found


def object_names(trees: Iterable[ast.Module]) -> set[str]:
    """How names of objects begin: formatted texts such as ``word/{...}``, and folders that modules name."""
    found = set()
    for tree in trees:
        constants = constants_of(tree)
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and len(node.values) > 1):
            first, second = node.values[:2]
            start = text_at(first, constants) or ""
            if isinstance(first, ast.FormattedValue) and start and isinstance(second, ast.Constant):
                start += str(second.value)
            word, slash, _rest = start.partition("/")
            if slash and word.isidentifier() and word.islower():
                found.add(f"{word}/")
    return found


def entries_of_home(trees: Iterable[ast.Module]) -> set[str]:
    """What is made under PIGI_HOME: ``home / "name"``, and ``{home}/name`` in texts."""
    found = set()
    for tree in trees:
        constants = constants_of(tree)
        for node in ast.walk(tree):
            match node:
                case ast.BinOp(left=ast.Name(id="home") | ast.Attribute(attr="home"), op=ast.Div(), right=right):
                    found.add(text_at(right, constants) or ast.unparse(right))
                case ast.JoinedStr(values=values):
                    for left, right in pairwise(values):
                        if ends_in_home(left) and isinstance(right, ast.Constant) and str(right.value)[:1] == "/":
                            found.add(str(right.value)[1:].partition("/")[0])
    return found


def ends_in_home(node: ast.AST) -> bool:
    return isinstance(node, ast.FormattedValue) and ast.unparse(node.value).rpartition(".")[2] == "home"


def test_every_folder_of_objects_in_the_code_is_a_place():
    trees = [tree for path, tree in modules().items() if path.startswith(("pigi/store/", "pigi/operations/"))]
    found = object_names(trees)
    assert "erasures/" in found
    assert found - PATHS <= names_of(Store.FILES)


def test_every_entry_of_pigis_folder_in_the_code_is_a_place():
    found = entries_of_home(
        tree for path, tree in modules().items() if path.startswith("pigi/") and "operations" not in path
    )
    assert {"logs", "run", "standins", "keys", "control.db"} <= found
    assert found <= names_of(Store.HOME, Store.LOGS, Store.DEVELOPMENT)


def test_every_gateway_is_a_place():
    providers = names_of(Store.STRIPE, Store.ANTHROPIC, Store.MAIL)
    paths = [path.stem for path in Path(ROOT / "pigi/gateways").glob("*.py")]
    assert sorted(name for name in paths if name not in SHARED and name.partition("_")[0] not in providers) == []


def test_every_key_of_redis_begins_as_the_inventory_says(with_redis, redis_server):
    assert with_redis.notifier.notify([Notification("mail", "mail.send", "x")])
    keys = [key.decode() for key in redis_server.client.scan_iter()]
    assert keys
    assert [key for key in keys if not key.startswith(tuple(names_of(Store.REDIS)))] == []
    assert names_of(Store.REDIS) == {PREFIX}


def test_nothing_else_in_the_code_speaks_to_redis():
    importing = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and "redis" in {alias.name for alias in node.names}
    }
    assert importing == USERS_OF_REDIS


@pytest.mark.parametrize(
    ("scan", "source", "found"),
    [
        (object_names, "name = f'backdoor/{one}/2'", "backdoor/"),
        (object_names, "FOLDER = 'hidden'\nname = f'{FOLDER}/{one}'", "hidden/"),
        (entries_of_home, "path = settings.home / 'stash'", "stash"),
        (entries_of_home, "FILE = 'stash.json'\npath = application.settings.home / FILE", "stash.json"),
        (entries_of_home, "url = f'sqlite:///{home}/stash.db'", "stash.db"),
    ],
)
def test_the_scans_see_what_somebody_could_add(scan, source, found):
    assert scan([ast.parse(source)]) == {found}


def test_what_is_kept_after_an_erasure_is_the_billing_log_and_the_deletion_under_way():
    kept = {name.partition(".")[0] for name in kept_columns()}
    assert kept == {"billing_log", "deletion"}
    assert {name for name in kept_columns() if name.startswith("deletion.")} == {
        "deletion.subject_id",
        "deletion.requested_by",
    }


def test_every_place_is_in_one_activity_and_every_class_of_records_in_one():
    places = [place.name for record in processing_record() for place in record.places]
    assert sorted(places) == sorted(place.name for place in inventory())
    assert len(set(places)) == len(places)
    assert sorted(found for activity in ACTIVITIES for found in activity.classes) == sorted(Retention)


def test_everybody_who_gets_data_is_described_and_named_by_a_place():
    named = {recipient for place in inventory() for recipient in place.recipients}
    assert named == set(RECIPIENTS) == set(Recipient)
    assert set(STORES) == set(Store)


@pytest.mark.parametrize(
    ("retention", "words"),
    [
        (Retention.PURPOSE, "until the end of the job"),
        (Retention.TOKEN, "1 hour from the request, unless used; of a notice, its mail"),
        (Retention.JOB, "30 days from the end of the job"),
        (Retention.BILLING_LOG, "7 years from the end of its financial year"),
        (Retention.CONFIGURATION, "while the organisation is active"),
    ],
)
def test_a_period_is_told_in_words(retention, words):
    assert period_words(retention) == words
    assert keep(Retention.AUDIT).days == 730
    assert period_words(Retention.AUDIT).startswith("2 years")
