"""Reading an upload: the report says what accepting would do, and rubbish fails with a reason."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from pigi.domain.access import Caller, Role
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.configuration import create_project, create_resource, list_projects
from pigi.operations.imports import discard_import, imports, read_import
from tests.support.contents import AGENT, CONTENTS, DOCUMENT, GITHUB_TOKEN
from tests.support.imports import document_of, project_of, read, resource_of, revision_of, upload
from tests.support.jobs import row_of

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


@pytest.fixture
def caller(organisation):
    return Caller(organisation, Role.OWNER, new_id())


def zipped(**files):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return found.getvalue()


def stored(data):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("a.json", data)
    return found.getvalue()


def test_the_report_counts_what_would_be_created_and_nothing_is(application, caller):
    file = document_of(
        project_of("Shop", *(resource_of(kind, revisions=2) for kind in CONTENTS)), project_of("Old", state="archived")
    )
    found = read(application, caller, file)
    assert (found.state, found.format, found.reason) == ("ready", "json", None)
    assert found.report["created"] == found.report["found"] == {
        "projects": 2, "resources": 4, "revisions": 8, "kinds": dict.fromkeys(CONTENTS, 1),
    }  # fmt: skip
    assert found.report["active"] == {"projects": 1, "resources": 4}
    assert list_projects(application, caller) == []


def test_what_is_there_is_left_and_what_differs_is_said_to_go_beside_it(application, caller):
    project = create_project(application, caller, "shop").id
    create_resource(application, caller, project, "agent", AGENT)
    create_resource(application, caller, project, "document", {**DOCUMENT, "body": "Another."})
    report = read(
        application,
        caller,
        document_of(project_of("Shop", resource_of("agent"), resource_of("document"), resource_of("settings"))),
    ).report
    assert report["same"] == 1
    (conflict,) = report["conflicts"]["shown"]
    assert (conflict["pointer"], conflict["into"]) == ("/projects/0/resources/1", "Shop (imported)")
    assert (report["created"]["projects"], report["created"]["resources"]) == (1, 2)


def test_what_cannot_be_saved_is_refused_with_its_place_and_never_quoted(application, caller):
    leaking = {**AGENT, "instructions": f"Sign in with {GITHUB_TOKEN}"}
    entries = [
        resource_of("agent", revisions=0),
        {**resource_of("agent"), "revisions": [revision_of(1, leaking)]},
        {**resource_of("agent"), "revisions": [revision_of(1, {**AGENT, "hooks": GITHUB_TOKEN})]},
        {**resource_of("agent"), "revisions": [revision_of(2, AGENT)]},
        {**resource_of("agent"), "revisions": [revision_of(1, AGENT, origin="stolen")]},
        {**resource_of("agent"), "revisions": [revision_of(1, AGENT, created_at="yesterday")]},
        {**resource_of("agent"), "kind": "hook"},
        7,
        resource_of("document"),
        resource_of("document"),
    ]
    found = read(application, caller, document_of(project_of("Shop", *entries), {"name": "", "resources": [{}]}))
    refused = {one["pointer"]: one for one in found.report["refused"]["shown"]}
    flaws = {pointer: flaw["pointer"] for pointer, one in refused.items() for flaw in one["errors"]}
    at = "/projects/0/resources"
    assert flaws == {
        f"{at}/0": f"{at}/0/revisions",
        f"{at}/1": f"{at}/1/revisions/0/content/instructions",
        f"{at}/2": f"{at}/2/revisions/0/content/hooks",
        f"{at}/3": f"{at}/3/revisions/0/number",
        f"{at}/4": f"{at}/4/revisions/0/origin",
        f"{at}/5": f"{at}/5/revisions/0/created_at",
        f"{at}/6": f"{at}/6/kind",
        f"{at}/7": f"{at}/7",
        f"{at}/9": f"{at}/9",
        "/projects/1": "/projects/1/name",
        "/projects/1/resources/0": "/projects/1/resources/0",
    }
    assert (refused[f"{at}/1"]["code"], refused[f"{at}/9"]["code"]) == ("secret_found", "name_taken")
    assert found.report["created"]["resources"] == 1
    assert GITHUB_TOKEN not in json.dumps(found.report)


BIG = "9" * 5000
RUBBISH = {
    "import_malformed": [b"", b"{", b"\xff\xfe", b"null x", b'{"format": "pigi-configuration", "version": 1e999}',
                         b'{"a": "\xff"}', document_of() + b"{}", f'{{"version": {BIG}}}'.encode()],
    "import_unknown_format": [b"[]", b"7", b"{}", b'{"format": "pigi"}', b'{"projects": []}',
                              b'{"format": "pigi-configuration", "version": 1}', document_of(projects={})],
    "import_unknown_version": [document_of(version=2), document_of(version=True)],
    "import_name_twice": [b'{"format": 1, "format": 2}', document_of(project_of("x")).replace(b'"state"', b'"name"'),
                          document_of(project_of("x", {"a": {"b": 1, "c": 2}})).replace(b'"c"', b'"b"')],
    "import_too_deep": [b'{"a":' * 100_000, document_of(project_of("x", {"a": [[[[[[]] * 9]]]]})
                        ).replace(b"[]", b"[" * 40 + b"]" * 40)],
    "import_value_too_long": [b'{"format": "' + b"x" * 3_000_000 + b'"}', b" " * 3_000_000 + b"{}"],
    "import_wrong_order": [document_of({"resources": [], "name": "x"})],
    "import_too_many": [document_of(*([1] * 10_001))],
    "import_zip_not_one": [zipped(), zipped(a="x"), zipped(**{"a.json": "{}", "b.json": "{}"})],
    "import_zip_broken": [b"PK\x03\x04 and no more", zipped(**{"a.json": document_of()})[:-30],
                          stored(document_of()).replace(b"exported", b"imported")],
    "import_unpacks_too_large": [zipped(**{"a.json": b" " * 900_000 + document_of()})],
}  # fmt: skip


@pytest.mark.parametrize("code", list(RUBBISH))
def test_rubbish_fails_with_its_reason_and_leaves_no_file(application, caller, code):
    small = application.settings.model_copy(update={"import_bytes": 800_000})
    for number, file in enumerate(RUBBISH[code]):
        found = read(application, caller, file)
        if code == "import_unpacks_too_large":
            object.__setattr__(application, "settings", small)
            found = read(application, caller, file)
        assert (number, found.state, found.reason, found.report) == (number, "failed", code, None)
        job = row_of(application.control, found.job_id)
        assert (job.state, job.reason) == ("failed", code)
        assert list(application.files.find(imports.folder_of(caller.organisation_id, found.id))) == []


def test_a_zip_is_read_like_what_is_in_it(application, caller):
    found = read(application, caller, zipped(**{"export.json": document_of(project_of("x")), "readme.txt": "Hello"}))
    assert (found.state, found.format, found.report["created"]["projects"]) == ("ready", "zip", 1)


def test_the_report_is_bounded(application, caller):
    found = read(application, caller, document_of(project_of("x", *({"kind": str(n)} for n in range(3000)))))
    assert (found.report["refused"]["count"], len(found.report["refused"]["shown"])) == (3000, 100)


def test_limits_that_it_would_pass_are_said(application, caller):
    found = read(application, caller, document_of(*(project_of(f"p {n}") for n in range(199))))
    create_project(application, caller, "one")
    assert found.report["limits"] == []
    create_project(application, caller, "two")
    found = read(application, caller, document_of(*(project_of(f"p {n}") for n in range(199))))
    assert [(limit["code"], limit["wanted"]) for limit in found.report["limits"]] == [("too_many_projects", 201)]


def test_few_uploads_wait_at_once_and_a_discarded_one_leaves_no_file(application, caller):
    waiting = [upload(application, caller, document_of()) for _ in range(imports.MOST_OPEN)]
    with pytest.raises(Refused, match="too_many_imports"):
        upload(application, caller, document_of())
    for _ in range(2):
        assert discard_import(application, caller, waiting[0]).state == "discarded"
    assert list(application.files.find(imports.folder_of(caller.organisation_id, waiting[0]))) == []
    upload(application, caller, document_of())
    assert read_import(application, caller, waiting[0]).state == "discarded"


def test_a_file_that_is_too_large_or_breaks_off_is_not_kept(application, caller):
    object.__setattr__(application, "settings", application.settings.model_copy(update={"import_bytes": 5_000_000}))

    def broken():
        yield b"x" * 4_500_000
        raise Refused("body_too_slow")

    for file, code in (([b"x" * 4_000_000] * 2, "import_too_large"), (broken(), "body_too_slow")):
        with pytest.raises(Refused, match=code):
            upload(application, caller, file)
    assert list(application.files.find("organisations")) == []
