"""What mails say: the same in text and HTML, nothing from or to other hosts, whatever people call themselves."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from pigi.clock import now
from pigi.domain.mail import MAIL_TEMPLATES, Template, moment, shown
from pigi.domain.promises import PROMISES
from pigi.gateways.smtp_message import read_sender, write_message
from pigi.operations.mail.sending import LONGEST, write_letter

HOME = "https://pigi.example"
TOKEN = "t0ken-" + "x" * 37
UNTIL = "1 December 2026, 10:00 UTC"
ON_FACTOR = {"at": UNTIL, "link": f"{HOME}/account/second-factor", "forgotten": f"{HOME}/forgot-password"}
FACTS = {
    Template.WELCOME: {"link": f"{HOME}/welcome/{TOKEN}", "until": UNTIL},
    Template.ALREADY_REGISTERED: {"link": f"{HOME}/sign-in", "forgotten": f"{HOME}/forgot-password"},
    Template.INVITATION: {
        "link": f"{HOME}/invitations/{TOKEN}",
        "until": UNTIL,
        "inviter": "Ada Lund",
        "organisation": "Test & Söhne",
        "role": "an admin",
    },
    Template.PASSWORD_RESET: {"link": f"{HOME}/reset-password/{TOKEN}", "until": UNTIL},
    Template.CONFIRM_ADDRESS: {"link": f"{HOME}/confirm-address/{TOKEN}", "until": UNTIL},
    Template.ADDRESS_UNDO: {"at": UNTIL, "until": UNTIL, "link": f"{HOME}/undo-address/{TOKEN}"},
    Template.ADDRESS_CHANGED: {"at": UNTIL, "done": False, "link": f"{HOME}/forgot-password"},
    Template.ACCOUNT_DELETION_STARTED: {
        "requested": UNTIL,
        "until": UNTIL,
        "link": f"{HOME}/account",
        "forgotten": f"{HOME}/forgot-password",
    },
    Template.ACCOUNT_DELETION_WARNING: {"requested": UNTIL, "until": UNTIL, "link": f"{HOME}/account"},
    Template.DELETION_STARTED: {
        "organisation": "Test & Söhne",
        "by": "Mia Storm",
        "by_you": False,
        "by_operator": False,
        "requested": UNTIL,
        "until": UNTIL,
        "link": f"{HOME}/o/018f/deletion",
    },
    Template.DELETION_WARNING: {
        "organisation": "Test & Söhne",
        "requested": UNTIL,
        "until": UNTIL,
        "link": f"{HOME}/o/018f/deletion",
    },
    Template.DELETION_RECEIPT: {
        "scope": "organisation",
        "requested": UNTIL,
        "done": UNTIL,
        "link": f"{HOME}/api/v1/receipts/018f",
        "keys": f"{HOME}/.well-known/pigi-keys.json",
    },
    Template.PASSWORD_CHANGED: {"at": UNTIL, "link": f"{HOME}/forgot-password"},
    Template.SECOND_FACTOR_ON: ON_FACTOR,
    Template.SECOND_FACTOR_OFF: ON_FACTOR,
    Template.RECOVERY_CODE_USED: ON_FACTOR,
    Template.EXPORT_READY: {"link": f"{HOME}/o/018f/exports", "until": UNTIL, "organisation": "Test & Söhne"},
    Template.POLICY_CHANGED: {
        "effective": UNTIL,
        "said": [
            {"what": "New", "text": "Logs of requests, which hold no content, are kept for 30 days. " * 4},
            {"what": "No longer said", "text": "Nobody else gets it."},
        ],
        "more": 3,
        "link": f"{HOME}/policy/versions?version=2&against=1",
    },
    Template.PRIVACY_REQUEST_EXTENDED: {
        "received": UNTIL,
        "right": "erasure",
        "until": UNTIL,
        "reason": "Many asked at once.",
    },
    Template.PRIVACY_REQUEST_ANSWERED: {
        "received": UNTIL,
        "right": "erasure",
        "answer": "It is done.",
        "refused": False,
    },
    Template.PROMISE_ALARM: {
        "turned": [
            ("These promises are found broken:", [f"P14 {PROMISES['P14']}"]),
            ("These promises hold again:", [f"P01 {PROMISES['P01']}", f"P20 {PROMISES['P20']}"]),
        ],
        "link": f"{HOME}/operate/promises",
    },
    Template.TICKET_RECEIVED: {
        "number": "2345-6789-ABCD-EFGH",
        "received": UNTIL,
        "until": UNTIL,
        "link": f"{HOME}/contact/2345-6789-ABCD-EFGH",
    },
    Template.TICKET_NOTICE: {
        "kind": "security",
        "number": "2345-6789-ABCD-EFGH",
        "until": UNTIL,
        "link": f"{HOME}/operate/tickets",
    },
    Template.TICKET_ANSWER: {
        "number": "2345-6789-ABCD-EFGH",
        "received": UNTIL,
        "answer": "It is mended.",
        "link": f"{HOME}/contact/2345-6789-ABCD-EFGH",
    },
    Template.KEYS_SETTLED: {
        "maker": "Ada Lund",
        "organisation": "Test & Söhne",
        "labels": ["deploy", "nightly"],
        "handed": True,
        "yours": False,
        "link": f"{HOME}/o/018f/api-keys",
    },
    Template.OWNERS_CHANGED: {
        "who": "Ada Lund",
        "owner": True,
        "organisation": "Test & Söhne",
        "at": UNTIL,
        "owning": True,
        "link": f"{HOME}/o/018f/members",
    },
    Template.DEAR_ACT: {
        "organisation": "Test & Söhne",
        "acts": [
            {"at": UNTIL, "who": "“Ada Lund”", "what": ["made the API key", "“deploy”"]},
            {"at": UNTIL, "who": "You", "what": ["restored the organisation"]},
        ],
        "more": 37,
        "undo": [{"words": "revoke the key, which ends it at once", "path": "/o/018f/api-keys"}],
        "owning": True,
        "link": f"{HOME}/o/018f/audit",
    },
    Template.KEY_EXPIRING: {
        "link": f"{HOME}/o/018f/api-keys",
        "until": UNTIL,
        "label": "deploy",
        "organisation": "Test & Söhne",
        "over": False,
    },
}
NAMES = ["inviter", "organisation", "label"]
HTTP = re.compile(r"[a-z]+://[^\s\"'<>]+")


class Page(HTMLParser):
    """What an HTML mail shows, links and loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in {"style", "title"}
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag):
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data):
        if not self._hidden:
            self.shown.append(data)

    @property
    def text(self):
        return " ".join("".join(self.shown).split())


def letter(template, **changes):
    return write_letter("018f", template, "a@b.org", {**FACTS[template], **changes}, HOME)


def assert_equal_facts(written, names=()):
    page = Page(written.html)
    links = HTTP.findall(written.text)
    assert set(page.links) == set(links)
    for words in re.split(r"\n\n|^https://\S+$", written.text, flags=re.MULTILINE):
        assert " ".join(words.split()) in page.text
    for name in names:
        assert " ".join(name.split()) in page.text


def test_every_template_has_facts_files_and_a_subject():
    names = {entry.name for entry in (files("pigi") / "mail_templates").iterdir()}
    wanted = {f"{template}.{form}" for template in Template for form in ("txt", "html")}
    assert names == wanted | {"layout.txt", "layout.html", "parts.html"}
    assert set(FACTS) == set(Template) == set(MAIL_TEMPLATES)


@pytest.mark.parametrize("template", list(Template))
def test_text_and_html_say_the_same(template):
    assert_equal_facts(letter(template))


def test_a_change_of_address_that_is_done_says_so_in_both():
    written = letter(Template.ADDRESS_CHANGED, done=True)
    assert_equal_facts(written)
    assert "was changed" in written.text


def test_a_key_that_is_over_is_said_to_be_over_in_both():
    written = letter(Template.KEY_EXPIRING, over=True)
    assert_equal_facts(written)
    assert "expired on" in written.text


@pytest.mark.parametrize(
    ("template", "changes", "words"),
    [
        (Template.KEYS_SETTLED, {"handed": False}, "They were revoked"),
        (Template.KEYS_SETTLED, {"yours": True}, "You answer for them now"),
        (Template.OWNERS_CHANGED, {"owner": False, "owning": False}, "is no owner any more"),
        (Template.DELETION_STARTED, {"by": ""}, "An owner deleted"),
    ],
)
def test_each_way_that_it_can_be_is_said_in_both(template, changes, words):
    written = letter(template, **changes)
    assert_equal_facts(written)
    assert words in " ".join(written.text.split())


@pytest.mark.parametrize("template", list(Template))
def test_every_value_appears_in_both_forms(template):
    written = letter(template)
    page = Page(written.html)
    for fact in FACTS[template].values():
        if isinstance(fact, str):
            assert fact in written.text
            assert fact in page.text


@pytest.mark.parametrize("template", list(Template))
def test_nothing_leads_to_another_host_and_nothing_is_loaded(template):
    written = letter(template)
    page = Page(written.html)
    assert all(link == HOME or link.startswith(f"{HOME}/") for link in HTTP.findall(written.text + written.html))
    loading = {"img", "link", "script", "iframe", "object", "embed", "video", "audio", "source", "form", "svg", "base"}
    assert not loading & {tag for tag, _ in page.tags}
    attributes = {name for _, attributes in page.tags for name in attributes}
    assert attributes <= {"lang", "dir", "charset", "name", "content", "class", "style", "href"}
    assert not re.search(r"url\s*\(|@import|expression|http-equiv", written.html, re.IGNORECASE)


@pytest.mark.parametrize("template", list(Template))
def test_a_mail_reads_well_in_light_and_dark_and_in_every_mail_program(template):
    written = letter(template)
    page = Page(written.html)
    tags = dict(page.tags)
    assert tags["html"] == {"lang": "en", "dir": "ltr"}
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in page.tags
    assert "prefers-color-scheme: dark" in written.html
    assert all("style" in attributes for tag, attributes in page.tags if tag in {"body", "p", "a"})
    assert max(len(line) for line in written.text.splitlines() if not HTTP.search(line)) <= 80
    message = write_message(written, read_sender("Pigi <a@b.org>"), "pigi.example", now())
    assert len(message) < LONGEST // 4


@pytest.mark.parametrize("template", list(Template))
def test_a_mail_says_what_to_do_and_hides_nothing(template):
    written = letter(template)
    assert "If " in written.text
    assert "display:none" not in written.html.replace(" ", "")
    assert written.subject.isascii()
    assert written.subject.isprintable()


@pytest.mark.parametrize("template", list(Template))
def test_a_missing_fact_is_an_error_and_not_a_gap(template):
    for name in FACTS[template]:
        facts = {key: value for key, value in FACTS[template].items() if key != name}
        with pytest.raises(UndefinedError):
            write_letter("018f", template, "a@b.org", facts, HOME)


NASTY = [
    'Ann "The <b>Boss</b>" O\'Hara',
    "<script>alert(1)</script>",
    "</p></body></html><img src=x>",
    "{{ 7 * 7 }} {% raw %}",
    "👩‍👩‍👧‍👦 Team 🚀",
    "שלום עולם",
    "مرحبا \u202eevil",
    "n" * 500,
    "two\r\nBcc: x@y.org\r\n\r\nlines",
    "https://evil.example/login",
    "evil.example",
    "mail me@evil.example",
    "\u2066hidden\u2069\u200e",
    "a\u2028b",
    "&lt;&amp;",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("template", [Template.INVITATION, Template.KEY_EXPIRING])
def test_no_name_becomes_markup_a_link_or_a_line_of_its_own(template, name):
    written = letter(template, **{fact: shown(name) for fact in NAMES if fact in FACTS[template]})
    plain = letter(template, **{fact: "x" for fact in NAMES if fact in FACTS[template]})
    assert Page(written.html).tags == Page(plain.html).tags
    assert_equal_facts(written, [shown(name)])
    assert written.text.count("\n") == plain.text.count("\n")
    assert set(HTTP.findall(written.text)) == set(HTTP.findall(plain.text))
    assert not re.search(r"(?:me@|\b)evil\.example|[\u202a-\u202e\r\x00\x1b]", written.text + written.html)
    write_message(written, read_sender("Pigi <a@b.org>"), "pigi.example", now())


@given(st.text(max_size=300))
def test_any_name_at_all_is_safe(name):
    made = shown(name)
    assert len(made.splitlines()) <= 1
    assert len(made) <= 400
    assert not re.search(r"\w\.\w|://", made)
    written = letter(Template.INVITATION, inviter=made)
    assert Page(written.html).links == Page(letter(Template.INVITATION).html).links


@pytest.mark.parametrize("name", ["Dr. Ada Lund", "Müller & Söhne", "R&D (Köln)", "Ann-Marie O'Neill", "株式会社"])
def test_an_ordinary_name_is_shown_as_it_is(name):
    assert shown(name) == name


def test_a_moment_is_written_in_utc():
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC", moment(now()))
