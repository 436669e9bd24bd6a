"""Compression: for whom, of what, and that entity tags go on guarding what they name."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.support.furnished import furnish
from tests.support.people import sign_in
from web.http.packing import LEAST_BYTES

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.furnished import Furnished

GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


@pytest.fixture
def furnished(application: Application) -> Furnished:
    return furnish(application)


def test_pages_documents_scripts_and_styles_are_packed_for_who_takes_it(client):
    for path in ("/", "/api/v1/openapi.json", "/static/pigi.js", "/static/pigi.css", "/nowhere"):
        plain = client.get(path)
        packed = client.get(path, headers=GZIP)
        if len(plain.data) < LEAST_BYTES:
            assert "Content-Encoding" not in packed.headers
            continue
        assert packed.headers["Content-Encoding"] == "gzip", path
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
        if path != "/":
            assert gzip.decompress(packed.data) == plain.data
        for answer in (plain, packed):
            assert answer.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept-Encoding": "gzip;q=0"},
        {"Accept-Encoding": "identity, br"},
        {**GZIP, "Sec-Fetch-Site": "cross-site"},
        {**GZIP, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_who_does_not_take_it_or_was_made_to_ask_by_another_site_gets_it_plain(client, headers):
    assert "Content-Encoding" not in client.get("/sign-in", headers=headers).headers
    assert client.get("/sign-in", headers={**GZIP, "Sec-Fetch-Site": "same-origin"}).headers["Content-Encoding"]


def test_answers_to_acts_fonts_and_downloads_are_left_alone(app, application, furnished):
    owner = sign_in(app, application, furnished.owner)
    home = f"/api/v1/organisations/{furnished.organisation}"
    key = {"label": "k" * 120, "scopes": ["configuration:read"]}
    assert "Content-Encoding" not in owner.post(f"{home}/api-keys", json=key, headers=GZIP).headers
    font = "/static/vendor/instrument-sans-5.3.0-latin.woff2"
    assert "Content-Encoding" not in owner.get(font, headers=GZIP).headers
    part = owner.get(f"{home}/exports/{furnished.export}/file", headers={**GZIP, "Range": "bytes=0-0"})
    assert (part.status_code, part.data, part.headers.get("Content-Encoding")) == (206, b"{", None)


def test_the_packed_form_has_a_tag_of_its_own_that_is_known_again_and_guards_writes(app, application, furnished):
    owner = sign_in(app, application, furnished.owner)
    path = f"/api/v1/organisations/{furnished.organisation}/projects/{furnished.project}/documents"
    path = f"{path}/{furnished.resources['documents']}"
    content = {**owner.get(path).json["content"], "body": "Write the test first. " * 100}
    first = owner.put(path, json=content, headers={"If-Match": owner.get(path).headers["ETag"]})
    packed, plain = owner.get(path, headers=GZIP), owner.get(path)
    tag = packed.headers["ETag"]

    assert (first.status_code, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert tag != plain.headers["ETag"] == first.headers["ETag"]
    known = owner.get(path, headers={**GZIP, "If-None-Match": tag})
    assert (known.status_code, known.headers["ETag"], known.data) == (304, tag, b"")
    assert owner.get(path, headers={"If-None-Match": plain.headers["ETag"]}).headers["ETag"] == plain.headers["ETag"]
    assert owner.put(path, json={**content, "title": "Other"}, headers={"If-Match": tag}).status_code == 200
    assert owner.put(path, json=content, headers={"If-Match": tag}).status_code == 412
    style = app.test_client().get("/static/pigi.css", headers=GZIP)
    again = app.test_client().get("/static/pigi.css", headers={**GZIP, "If-None-Match": style.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"]) == (304, style.headers["ETag"])
