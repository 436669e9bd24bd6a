"""The documents say what the code says: layers, paths, names, states, kinds, queues and schedules."""

from __future__ import annotations

import re
import tomllib

import pytest

from pigi.domain.access import OrganisationState
from pigi.domain.deletions import MOVES, DeletionState, StepState
from pigi.domain.exports import ExportState
from pigi.domain.job_state import JobState
from pigi.domain.mail import MailState
from pigi.domain.resources import ResourceState
from pigi.domain.subscriptions import NONE, STATUSES
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.queues import POOLS, QUEUES, queues_of
from pigi.operations.api_keys import KeyState
from pigi.operations.billing.events import Outcome
from pigi.operations.deletion import ORGANISATION_PLAN
from pigi.operations.imports import ImportState
from schedules.timetable import TIMETABLE
from tests.support.sources import ROOT, tracked

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = ("py", "md", "js", "css", "html", "txt", "toml", "json", "yml")
# Paths of an installation, and names of an address: not of the repository.
ELSEWHERE = ("PIGI_", "./", "events.txt", "text/")
PATH = re.compile(rf"[\w.-]+(?:/[\w.<>-]+)+/?|[\w-]+/|[\w-]+\.(?:{'|'.join(FILES)})")


def text_of(name: str) -> str:
    """A document."""
    return (ROOT / name).read_text()


def section(name: str, heading: str) -> str:
    """A document's section: from its heading to the next of the same or a higher rank."""
    level = heading.split(" ", 1)[0]
    found = re.split(rf"^(?=#{{1,{len(level)}}} )", text_of(name), flags=re.MULTILINE)
    (own,) = [part for part in found if part.startswith(heading + "\n")]
    return own


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text, without their heads, as cells."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in block.splitlines()[2:]] for block in blocks
    ]


def quoted(cell: str) -> list[str]:
    """What is quoted in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def storeys_drawn() -> dict[str, list[set[str]]]:
    """By container, the layers of the picture in docs/architecture.md; "" is the whole."""
    (picture,) = re.findall(r"```\n(.*?)```", section("docs/architecture.md", "## Storeys"), flags=re.DOTALL)
    drawn: dict[str, list[set[str]]] = {}
    container = ""
    for line in picture.splitlines():
        if re.fullmatch(r"  [\w.]+:", line):
            container = line.strip(" :")
        elif re.match(r"  \w", line):
            names = re.split(r"\s{2,}", line.strip())[0]
            drawn.setdefault(container, []).append(set(names.split(" | ")))
    return drawn


def storeys_kept() -> dict[str, list[set[str]]]:
    """By container, the layers of the import contracts."""
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return {
        "".join(contract.get("containers", [])): [set(layer.split(" | ")) for layer in contract["layers"]]
        for contract in contracts
        if contract["type"] == "layers"
    }


def test_the_picture_of_the_storeys_is_the_import_contracts():
    assert storeys_drawn() == storeys_kept()


def test_the_readmes_table_names_folders_that_exist():
    (rows,) = tables(section("README.md", "## Where things are"))
    named = [name for row in rows for name in quoted(row[0])]
    assert {"web/", "pigi/jobs/", "standins/"} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_folder_of_code_is_in_the_readmes_table():
    named = section("README.md", "## Where things are")
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if path.suffix == ".py" and path.parent != ROOT}
    assert [folder for folder in sorted(folders - {"tests", "tools"}) if f"`{folder}/" not in named] == []


def paths_in(text: str) -> set[str]:
    """The paths that a text quotes."""
    found = {name for name in quoted(re.sub(r"```.*?```", "", text, flags=re.DOTALL)) if PATH.fullmatch(name)}
    return {name for name in found if not name.startswith(ELSEWHERE) and "NNNN" not in name}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document):
    known = {path.relative_to(ROOT).as_posix() for path in tracked()}
    folders = {parent.as_posix() + "/" for name in known for parent in (ROOT / name).relative_to(ROOT).parents}
    known |= folders | {folder.rstrip("/") for folder in folders}

    def exists(name: str) -> bool:
        if "<noun>" in name:
            form = re.compile(re.escape(name).replace("<noun>", "[a-z_]+"))
            return any(form.fullmatch(one) for one in known)
        return name in known

    assert sorted(name for name in paths_in(document.read_text()) if not exists(name)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_document_leads_there(document):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE) if file.suffix == ".md" else []
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        if not file.exists() or (anchor and anchor not in anchors):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_name_that_a_document_places_in_a_module_is_there(document):
    """As `NAME`, `path.py` or `NAME` in `path.py`; of `Class.method` the method."""
    pairs = re.findall(r"`([A-Za-z_][\w.]*)`(?:,| in)\s+`([\w/]+\.py)`", document.read_text())
    missing = [(name, path) for name, path in pairs if not _is_in(name, path)]
    assert missing == []


def _is_in(name: str, path: str) -> bool:
    return all(re.search(rf"\b{part}\b", text_of(path)) for part in name.split("."))


def test_the_glossary_has_each_term_once_and_in_order():
    terms = text_of("docs/glossary.md").split("# States")[0]
    groups = [[row[0] for row in rows] for rows in tables(terms)]
    assert len(groups) > 5
    assert [group for group in groups if group != sorted(group, key=str.casefold)] == []
    every = [term for group in groups for term in group]
    assert sorted(term for term in set(every) if every.count(term) > 1) == []


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("## Job", JobState),
        ("## Export", ExportState),
        ("## Organisation", OrganisationState),
        ("## Deletion", DeletionState),
        ("## Step of a deletion", StepState),
        ("## API key", KeyState),
        ("## Project and resource", ResourceState),
        ("## Import", ImportState),
        ("## Mail", MailState),
        ("## Billing event", Outcome),
        ("## Effect", ("intended", "done", "unknown")),
        ("## Subscription", (*STATUSES, NONE)),
    ],
    ids=lambda value: value.removeprefix("## ") if isinstance(value, str) else "",
)
def test_the_glossary_has_every_state_of_the_code(heading, states):
    text = text_of("docs/glossary.md").partition("# States")[2].partition("# Old names")[0]
    own = next(part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE) if part.startswith(heading + "\n"))
    rows = tables(own)[0]
    assert sorted(state for row in rows for state in quoted(row[0])) == sorted(states)


def test_the_table_of_effects_is_the_catalogues():
    (rows,) = [
        rows
        for rows in tables(section("docs/state-machines.md", "## Effects"))
        if any("generations.draft" in row[0] for row in rows)
    ]
    written = {
        (kind, effect.split(":")[0], re.split(r"[:,]", row[2])[0])
        for row in rows
        for kind in quoted(row[0])
        for effect in quoted(row[1])
    }
    declared = {
        (kind.name, effect, policy.value) for kind in CATALOGUE.values() for effect, policy in kind.effects.items()
    }
    assert written == declared


def test_the_tables_of_deletions_are_the_code():
    moves, steps = tables(section("docs/state-machines.md", "## Deletions"))[:2]
    written = {(source, target) for row in moves for source in quoted(row[0]) for target in quoted(row[1])}
    assert written == {(source, target) for source, targets in MOVES.items() for target in targets}
    plan = [(step.name, step.place, set(step.needs)) for step in ORGANISATION_PLAN.steps]
    assert [quoted(row[0])[0] for row in steps] == [name for name, _place, _needs in plan]
    assert [row[2] for row in steps] == [place for _name, place, _needs in plan]
    assert [set(quoted(row[3])) for row in steps[:-1]] == [needs for _name, _place, needs in plan[:-1]]


def test_the_table_of_schedules_is_the_timetable():
    rows = tables(section("docs/state-machines.md", "## Schedules"))[0]
    written = {(name, row[2]) for row in rows for name in quoted(row[0])}
    assert written == {(schedule.name, schedule.catch_up.value) for schedule in TIMETABLE}


def test_the_table_of_pools_is_the_code():
    (rows,) = tables(section("docs/architecture.md", "## Fairness: partitions"))
    written = {row[0].strip("`"): (int(row[1]), row[2]) for row in rows}
    limits = {name: ", ".join(f"`{queue}` {QUEUES[queue].concurrency}" for queue in queues_of(name)) for name in POOLS}
    assert {name: limits for name, (_, limits) in written.items()} == limits
    assert {name: children for name, (children, _) in written.items()} == children_of_pools()


def children_of_pools() -> dict[str, int]:
    """By pool, how many children it has: the one number of a `Pool`."""
    return {
        name: next(value for value in vars(pool).values() if isinstance(value, int)) for name, pool in POOLS.items()
    }


def test_decisions_are_numbered_without_gaps():
    names = sorted(path.name for path in (ROOT / "docs/decisions").iterdir())
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    titles = [(ROOT / "docs/decisions" / name).read_text().split(".", 1)[0] for name in names]
    assert titles == [f"# {number}" for number in range(1, len(names) + 1)]
