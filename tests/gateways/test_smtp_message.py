"""The message as bytes, which server an address names, and what production asks of both."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest

from pigi.errors import Permanent
from pigi.gateways.smtp_message import read_recipient, read_sender, write_message
from pigi.gateways.smtp_server import read_server
from pigi.ports import Letter
from pigi.settings import Settings, problems_of

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LETTER = Letter("018f", "a.person@example.org", "A subject", "Text ✓\n", "<p>HTML ✓</p>\n")
SAFE = {
    "mode": "production",
    "secret_keys": "a:b",
    "anthropic_api_key": "a",
    "public_url": "https://pigi.example",
    "database_url": "postgresql+psycopg://x/y?sslmode=verify-full",
    "tenant_database_url": "postgresql+psycopg://x/{id}?sslmode=verify-full",
    "redis_url": "rediss://x",
    "region": "eu-central",
    "smtp_url": "smtps://user:word@mail.example.org",
    "mail_from": "Pigi <pigi@example.org>",
    "operator": "Example Ltd, 1 Example Street, Bergen",
    "support_address": "support@example.org",
    "security_address": "security@example.org",
    "privacy_address": "privacy@example.org",
}


def written(letter=LETTER, host="pigi.example"):
    raw = write_message(letter, read_sender("Pigi <pigi@example.org>"), host, AT)
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def test_the_headers_are_these_and_no_others():
    _, message = written()
    assert dict(message.items()) == {
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "From": "Pigi <pigi@example.org>",
        "To": "a.person@example.org",
        "Subject": "A subject",
        "Message-ID": "<018f@pigi.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert message.get_content_type() == "multipart/alternative"


def test_the_text_comes_first_and_both_parts_are_whole():
    _, message = written()
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "Text ✓\r\n")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>HTML ✓</p>\r\n")


@pytest.mark.parametrize("domain", ["müller.de", "xn--mller-kva.de"])
def test_a_domain_beyond_ascii_is_written_in_the_form_that_every_server_takes(domain):
    raw, message = written(Letter("018f", f"x@{domain}", "A subject", "Text", "<p>HTML</p>"))
    assert message["To"] == "x@xn--mller-kva.de"
    assert raw.isascii()
    assert read_recipient(f"x@{domain}").addr_spec == "x@xn--mller-kva.de"


@pytest.mark.parametrize("text", ["x@xn--ü.de", "x@ü..de", f"x@{'ü' * 62}.de"])
def test_a_domain_without_such_a_form_is_refused_before_anybody_is_called(text):
    with pytest.raises(Permanent, match="mail_malformed"):
        read_recipient(text)


@pytest.mark.parametrize("host", ["h" * 63 + "." + "i" * 63 + "." + "j" * 63 + ".example", "[IPv6:::1]", "127.0.0.1"])
def test_a_message_id_is_never_folded_or_encoded(host):
    raw, _ = written(host=host)
    assert f"Message-ID: <018f@{host}>\r\n".encode() in raw


def test_the_message_is_seven_bits_in_lines_that_every_server_takes():
    raw, _ = written(Letter("018f", "a@b.org", "Grüße", "ä" * 3000, "<p>" + "ö" * 3000))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtps://u:p@mail.example.org", "mail.example.org", 465, True),
        ("smtp://u:p@mail.example.org", "mail.example.org", 587, False),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, False),
        ("smtp://[::1]:25/", "::1", 25, False),
    ],
)
def test_a_server_is_read_from_its_address(url, host, port, tls):
    server = read_server(url)
    assert (server.host, server.port, server.tls) == (host, port, tls)
    assert server.is_local is (host in {"127.0.0.1", "::1"})


def test_credentials_are_percent_decoded():
    server = read_server("smtps://a%40b:p%3A%2F%25@x")
    assert (server.user, server.password) == ("a@b", "p:/%")


def test_production_has_no_problem_with_a_mail_server_that_signs_in():
    assert problems_of(Settings(**SAFE)) == []
    assert problems_of(Settings(**{**SAFE, "smtp_url": "smtp://user:word@mail.example.org:587"})) == []


WRONG = [
    "",
    "smtps://mail.example.org",
    "smtps://user@mail.example.org",
    "http://user:word@x",
    "smtps://u:p@",
    "smtp://[x",
]


@pytest.mark.parametrize("url", WRONG)
def test_production_refuses_a_mail_server_that_anybody_could_be(url):
    (problem,) = problems_of(Settings(**{**SAFE, "smtp_url": url}))
    assert problem.startswith("SMTP_URL")
    assert not url or url not in problem


def test_production_wants_a_sender_and_development_has_one():
    (problem,) = problems_of(Settings(**{**SAFE, "mail_from": ""}))
    assert problem.startswith("MAIL_FROM")
    assert read_sender(Settings().mail_from).domain == "localhost"


def test_settings_show_no_password_of_the_mail_server():
    assert "word" not in repr(Settings(**SAFE))
