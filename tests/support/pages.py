"""Every page of a furnished organisation, and what is in a page: forms, links, scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from pigi.operations.credentials import ADDRESS, RESET
from tests.support.contact import make_ticket
from tests.support.furnished import COLLECTIONS
from tests.support.people import make_account_token, make_registration

if TYPE_CHECKING:
    from tests.support.furnished import Furnished

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
VOID = frozenset({"meta", "link", "img", "input", "hr", "br", "path", "source"})


@dataclass
class Form:
    """A form, with the names of its controls in order."""

    verb: str
    action: str
    sent_by_script: bool
    method: str
    names: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """What is in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.headings: list[str] = []
        self.labelled: set[str] = set()
        self.controls: set[str] = set()
        self._open: list[tuple[str, bool]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if tag not in VOID:
            # What is in an item of a list, or in the template of one, is no field of the form itself.
            self._open.append((tag, "data-item" in given or "data-object" in given or tag == "template"))
        note = getattr(self, f"_{tag}", None)
        if note is not None:
            note(given)
        if "data-list" in given:
            self.forms[-1].names.append(given["data-list"])
        if "data-object" in given:
            self.forms[-1].names.append(given["data-object"])

    def _form(self, given):
        verb = given.get("data-verb") or given.get("method", "get")
        self.forms.append(Form(verb.upper(), given.get("action", ""), "data-api" in given, given.get("method", "get")))

    def _input(self, given):
        if given.get("type") != "hidden":
            self.controls.add(given["id"])
        if "name" in given and given.get("data-type") != "aside" and not any(inner for _tag, inner in self._open):
            self.forms[-1].names.append(given["name"])

    _select = _textarea = _input

    def _a(self, given):
        if given.get("href", "").startswith("/"):
            self.links.append(given["href"])

    def _label(self, given):
        self.labelled.add(given["for"])

    def _script(self, given):
        self.scripts.append((given.get("src"), ""))

    def _h1(self, _given):
        tag = self._open[-1][0]
        if not any(outer == "dialog" for outer, _inner in self._open):
            self.headings.append(tag)

    _h2 = _h3 = _h1

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self._open and self._open[-1][0] == "script":
            self.scripts[-1] = (self.scripts[-1][0], data)


def open_to_all(furnished: Furnished) -> list[str]:
    """Paths of pages that need no session."""
    application = furnished.application
    return [
        "/",
        "/promises",
        "/policy",
        "/policy/versions",
        "/policy/versions/1",
        "/privacy/record",
        "/sign-in",
        "/register",
        "/check-your-mail?for=password",
        f"/welcome/{make_registration(application)}",
        "/forgot-password",
        f"/reset-password/{make_account_token(application, RESET)}",
        f"/confirm-address/{make_account_token(application, ADDRESS)}",
        f"/invitations/{furnished.invitation_token}",
        "/problems/not_found",
        "/contact",
        f"/contact/{make_ticket(application).number}",
    ]


def of_a_person() -> list[str]:
    """Paths of pages that need a session and no organisation."""
    return ["/account", "/privacy", "/organisations/new"]


def of_an_organisation(furnished: Furnished) -> list[str]:
    """Paths of an organisation's pages."""
    home = f"/o/{furnished.organisation}"
    project = f"{home}/projects/{furnished.project}"
    found = [
        home,
        *(f"{home}/{name}" for name in ("settings", "members", "api-keys", "audit", "mails", "jobs", "exports")),
    ]
    found += [f"{home}/billing", f"{home}/billing/return"]
    found += [f"{home}/jobs?state=failed", f"{home}/jobs/{furnished.job}", f"{home}/generate"]
    found += [f"{home}/generations/{furnished.generation}", f"{home}/generations/{furnished.generation}?project=x"]
    found += [f"{home}/projects", f"{home}/projects?state=archived", f"{home}/projects/new", project, f"{project}/edit"]
    for collection in COLLECTIONS:
        resource = f"{project}/{collection}/{furnished.resources[collection]}"
        found += [f"{project}/{collection}", f"{project}/{collection}?state=archived", f"{project}/{collection}/new"]
        found += [resource, f"{resource}?as=json", f"{resource}/edit", f"{resource}/edit?as=json"]
        found += [f"{resource}/revisions", f"{resource}/revisions/1", f"{resource}/revisions/2?as=json"]
    return found
