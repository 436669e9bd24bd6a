"""Real SMTP against a server that fails on demand: each outcome, the moment of doubt, TLS, and what may be seen."""

from __future__ import annotations

import logging
import ssl
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pigi.errors import Misconfigured, Permanent, PigiError, Temporary
from pigi.gateways.smtp_line import MailLimits
from pigi.gateways.smtp_mailer import SmtpMailer, Trust
from pigi.ports import Letter, MailUnconfirmed
from standins.mail.faults import FaultyMail, answer, drip, drop, greylist, ok, stall
from standins.mail.server import Guard
from tests.support.certificates import certify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TO = "marker.person@example.org"
LIMITS = MailLimits(connect=2, answer=0.4, verdict=0.4, overall=5)
CREDENTIALS = ("pigi@relay", "pass:wörd/@?".replace("ö", "o"))
ENCODED = "pigi%40relay:pass%3Aword%2F%40%3F"


def letter(recipient: str = TO, **changes: str) -> Letter:
    facts = {"id": "018f-mail", "subject": "Marker subject", "text": "Marker text\n", "html": "<p>Marker</p>\n"}
    return Letter(recipient=recipient, **{**facts, **changes})


@contextmanager
def serve(guard: Guard | None = None) -> Iterator[FaultyMail]:
    with FaultyMail(guard=guard) as sink:
        yield sink


def mailer(sink: FaultyMail, credentials: str = "", scheme: str = "smtp", **options: Any) -> SmtpMailer:
    trust = Trust(careful=options.pop("careful", True), ca_file=options.pop("ca_file", None))
    signed_in = f"{credentials}@" if credentials else ""
    url = f"{scheme}://{signed_in}{sink.address}"
    return SmtpMailer(url, "Pigi <pigi@example.net>", "pigi.example.net", trust, options.get("limits", LIMITS))


def outcome(sender: SmtpMailer, given: Letter | None = None) -> tuple[BaseException | None, int]:
    """What came of a letter, and how often the moment of doubt was announced."""
    commits: list[int] = []
    try:
        sender.send(given or letter(), lambda: commits.append(1))
    except BaseException as error:
        return error, len(commits)
    return None, len(commits)


def test_a_letter_arrives_whole_and_the_doubt_is_announced_once() -> None:
    with serve() as sink:
        assert outcome(mailer(sink)) == (None, 1)
        (parcel,) = sink.outbox.parcels(TO)
    assert parcel.recipients == (TO,)
    assert parcel.sender == "pigi@example.net"
    assert parcel.part("plain") == "Marker text\n"
    assert parcel.part("html") == "<p>Marker</p>\n"
    assert parcel.message["Message-ID"] == "<018f-mail@pigi.example.net>"


@pytest.mark.parametrize(
    "text", ["\n.\n..\n.x\n\n", "a" * 2000 + "\n", "שלום 👩‍👩‍👧\n", "no end of line", "From x\n=3D\n"]
)
def test_no_text_is_changed_on_the_way(text: str) -> None:
    with serve() as sink:
        assert outcome(mailer(sink), letter(text=text))[0] is None
        arrived = sink.outbox.parcels()[0]
    assert arrived.part("plain").rstrip("\n") == text.rstrip("\n")
    assert max(len(line) for line in arrived.source.splitlines()) <= 998


CERTAIN = [
    (answer("rcpt", "550 5.1.1 No such user"), Permanent, "mail_refused", 0),
    (answer("rcpt", "451 4.7.1 Greylisted"), Temporary, "mail_server_busy", 0),
    (answer("rcpt", "421 4.3.2 Closing"), Temporary, "mail_server_busy", 0),
    (answer("rcpt", "530 5.7.0 Authentication required"), Temporary, "mail_server_refuses_us", 0),
    (answer("rcpt", "nonsense"), Temporary, "mail_server_unreachable", 0),
    (answer("data", "554 5.7.1 No"), Permanent, "mail_refused", 0),
    (answer("data", "452 4.3.1 Full"), Temporary, "mail_server_busy", 0),
    (answer("end", "554 5.6.0 Not this"), Permanent, "mail_refused", 1),
    (answer("end", "451 4.3.0 Not now"), Temporary, "mail_server_busy", 1),
    (drop("rcpt"), Temporary, "mail_server_unreachable", 0),
    (drop("data"), Temporary, "mail_server_unreachable", 0),
    (stall("rcpt"), Temporary, "mail_server_unreachable", 0),
    (stall("data"), Temporary, "mail_server_unreachable", 0),
]


@pytest.mark.parametrize(("behaviour", "kind", "code", "commits"), CERTAIN)
def test_whatever_the_server_says_is_certain_and_sent_nothing(
    behaviour: Any, kind: type[PigiError], code: str, commits: int
) -> None:
    with serve() as sink:
        sink.plan(TO, behaviour)
        error, doubts = outcome(mailer(sink))
    assert type(error) is kind
    assert (error.code, doubts) == (code, commits)
    assert sink.arrivals == []


DOUBTFUL = [
    (drop("end"), 0),
    (drop("taken"), 1),
    (stall("end"), 0),
    (stall("taken"), 1),
    (answer("taken", "nonsense"), 1),
    (answer("taken", "354 What"), 1),
]


@pytest.mark.parametrize(("behaviour", "arrived"), DOUBTFUL)
def test_silence_after_the_end_of_the_message_leaves_a_doubt_and_says_so(behaviour: Any, arrived: int) -> None:
    with serve() as sink:
        sink.plan(TO, behaviour)
        error, doubts = outcome(mailer(sink))
    assert isinstance(error, MailUnconfirmed)
    assert (error.code, doubts) == ("mail_unconfirmed", 1)
    assert len(sink.arrivals) == arrived


def test_a_server_that_leaves_amid_the_text_has_not_taken_it() -> None:
    with serve() as sink:
        sink.plan(TO, drop("body"))
        error, _ = outcome(mailer(sink))
    assert isinstance(error, Temporary)
    assert error.code in {"mail_server_unreachable", "mail_unconfirmed"}
    assert sink.arrivals == []


@pytest.mark.parametrize("behaviour", [stall("greeting"), drop("greeting"), drip("greeting", 0.1)])
def test_a_server_that_does_not_greet_is_unreachable_within_the_limits(behaviour: Any) -> None:
    limits = MailLimits(connect=2, answer=0.4, verdict=0.4, overall=1.0)
    with serve() as sink:
        sink.greeting = behaviour
        error, doubts = outcome(mailer(sink, limits=limits))
    assert isinstance(error, Temporary)
    assert (error.code, doubts) == ("mail_server_unreachable", 0)


def test_an_answer_that_drips_after_the_end_is_given_up_and_doubtful() -> None:
    limits = MailLimits(connect=2, answer=5, verdict=5, overall=1.0)
    with serve() as sink:
        sink.plan(TO, drip("taken", 0.1))
        error, doubts = outcome(mailer(sink, limits=limits))
    assert isinstance(error, MailUnconfirmed)
    assert doubts == 1


@pytest.mark.parametrize(
    ("status", "code"), [("554 5.7.1 Go away", "mail_server_refuses_us"), ("421 Later", "mail_server_busy")]
)
def test_a_server_that_turns_pigi_away_loses_no_letter(status: str, code: str) -> None:
    with serve() as sink:
        sink.greeting = answer("greeting", status)
        error, _ = outcome(mailer(sink))
    assert isinstance(error, Temporary)
    assert error.code == code


def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    with serve() as sink:
        gone = mailer(sink)
    error, doubts = outcome(gone)
    assert isinstance(error, Temporary)
    assert (error.code, doubts) == ("mail_server_unreachable", 0)


def test_what_the_announcement_raises_stops_the_letter_and_comes_out_unchanged() -> None:
    class StopError(Exception):
        pass

    def stop() -> None:
        raise StopError

    with serve() as sink:
        with pytest.raises(StopError):
            mailer(sink).send(letter(), stop)
        assert outcome(mailer(sink), letter("other@example.org")) == (None, 1)
    assert [arrival.recipient for arrival in sink.arrivals] == ["other@example.org"]


def test_after_a_temporary_failure_the_same_letter_has_the_same_message_id() -> None:
    with serve() as sink:
        sink.plan(TO, greylist(), drop("taken"), ok())
        assert [type(outcome(mailer(sink))[0]) for _ in range(3)] == [Temporary, MailUnconfirmed, type(None)]
    assert {arrival.message_id for arrival in sink.arrivals} == {"<018f-mail@pigi.example.net>"}
    assert len(sink.arrivals) == 2


# TLS and credentials


def guarded(tmp_path: Path, **facts: Any) -> tuple[Guard, Path]:
    certified = certify(tmp_path, **{name: facts.pop(name) for name in ("host", "lives") if name in facts})
    return Guard(certified.context, credentials=CREDENTIALS, **facts), certified.ca_file


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_letter_goes_over_tls_with_a_password(tmp_path: Path, scheme: str, implicit: bool) -> None:
    guard, ca_file = guarded(tmp_path, implicit=implicit)
    with serve(guard) as sink:
        assert outcome(mailer(sink, ENCODED, scheme, ca_file=ca_file)) == (None, 1)
    assert len(sink.arrivals) == 1


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
@pytest.mark.parametrize("behaviour", [drop("taken"), stall("end")])
def test_the_doubt_is_the_same_over_tls(tmp_path: Path, scheme: str, implicit: bool, behaviour: Any) -> None:
    guard, ca_file = guarded(tmp_path, implicit=implicit)
    with serve(guard) as sink:
        sink.plan(TO, behaviour)
        error, doubts = outcome(mailer(sink, ENCODED, scheme, ca_file=ca_file))
    assert isinstance(error, MailUnconfirmed)
    assert doubts == 1


@pytest.mark.parametrize("credentials", ["pigi%40relay:wrong", "nobody:x"])
def test_a_wrong_password_waits_for_an_operator_and_loses_no_letter(tmp_path: Path, credentials: str) -> None:
    guard, ca_file = guarded(tmp_path)
    with serve(guard) as sink:
        error, doubts = outcome(mailer(sink, credentials, ca_file=ca_file))
    assert isinstance(error, Temporary)
    assert (error.code, doubts) == ("mail_server_refuses_us", 0)


def test_a_server_that_knows_no_password_where_one_is_set_waits_for_an_operator() -> None:
    with serve() as sink:
        error, _ = outcome(mailer(sink, ENCODED))
    assert isinstance(error, Temporary)
    assert error.code == "mail_server_refuses_us"


UNTRUSTED = [{"host": "mail.example.org"}, {"lives": timedelta(days=-1)}]


@pytest.mark.parametrize("facts", UNTRUSTED)
@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
def test_a_certificate_that_does_not_hold_is_not_trusted(
    tmp_path: Path, facts: dict[str, Any], scheme: str, implicit: bool
) -> None:
    guard, ca_file = guarded(tmp_path, implicit=implicit, **facts)
    with serve(guard) as sink:
        error, doubts = outcome(mailer(sink, ENCODED, scheme, ca_file=ca_file))
    assert isinstance(error, Temporary)
    assert (error.code, doubts) == ("mail_server_untrusted", 0)
    assert sink.arrivals == []


def test_a_certificate_of_an_unknown_authority_is_not_trusted(tmp_path: Path) -> None:
    guard, _ = guarded(tmp_path, implicit=True)
    with serve(guard) as sink:
        error, _ = outcome(mailer(sink, ENCODED, "smtps"))
    assert isinstance(error, Temporary)
    assert error.code == "mail_server_untrusted"


def test_a_server_without_tls_gets_no_letter_where_tls_is_needed(tmp_path: Path) -> None:
    with serve() as sink:
        trusted = certify(tmp_path).ca_file
        error, _ = outcome(mailer(sink, ca_file=trusted))
        assert isinstance(error, Temporary)
        assert error.code == "mail_server_untrusted"
        assert outcome(mailer(sink, ca_file=trusted, careful=False))[0] is None
        plain, _ = outcome(mailer(sink, scheme="smtps", ca_file=trusted))
        assert isinstance(plain, Temporary)
        assert plain.code == "mail_server_untrusted"


# Addresses, headers, and what may be seen


def test_an_address_beyond_ascii_goes_to_servers_that_take_it() -> None:
    with serve() as sink:
        assert outcome(mailer(sink), letter("jörg@bücher.example"))[0] is None
        assert sink.outbox.parcels("jörg@xn--bcher-kva.example")


def test_a_domain_beyond_ascii_is_sent_to_whatever_the_server_takes() -> None:
    with serve() as sink:
        sink._controller.SMTP_kwargs["enable_SMTPUTF8"] = False
        assert outcome(mailer(sink), letter("joerg@bücher.example"))[0] is None
        assert sink.outbox.parcels("joerg@xn--bcher-kva.example")


def test_an_address_beyond_ascii_is_refused_where_the_server_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as sink:
        sink._controller.SMTP_kwargs["enable_SMTPUTF8"] = False
        error, doubts = outcome(mailer(sink), letter("jörg@example.org"))
    assert isinstance(error, Permanent)
    assert (error.code, doubts) == ("mail_refused", 0)


SMUGGLED = ["a@b.org\r\nBcc: x@y.org", "a@b.org\nRCPT TO:<x@y>", "a@b.org,x@y.org", "a@b.org> <x@y.org", "a@b.org\0",
            '"a b"@c.org', "a@[127.0.0.1]", "a b@c.org", "", "@", "a@b@c.org", "x@y.org\u2028z"]  # fmt: skip


@pytest.mark.parametrize("address", SMUGGLED)
def test_nothing_is_smuggled_through_an_address(address: str) -> None:
    with serve() as sink:
        error, doubts = outcome(mailer(sink), letter(address))
    assert isinstance(error, Permanent)
    assert (error.code, doubts) == ("mail_malformed", 0)
    assert sink.tries == {}


@pytest.mark.parametrize("field", ["subject", "id"])
@pytest.mark.parametrize("value", ["x\r\nBcc: x@y.org", "x\nX: y", "x\x00", "x\u2028y", "x\ud800", "x" * 400, "x\x7f"])
def test_nothing_is_smuggled_through_a_header(field: str, value: str) -> None:
    with serve() as sink:
        error, _ = outcome(mailer(sink), letter(**{field: value}))
    assert isinstance(error, Permanent)
    assert error.code == "mail_malformed"
    assert sink.arrivals == []


@pytest.mark.parametrize(
    "behaviour", [answer("rcpt", f"550 {TO} Marker"), drop("end"), drop("rcpt"), answer("end", f"554 {TO}")]
)
def test_no_error_and_no_log_shows_a_letter(behaviour: Any, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with serve() as sink:
        sink.plan(TO, behaviour)
        error, _ = outcome(mailer(sink))
    assert error is not None
    seen = f"{error!r} {error} {error.args} {error.__dict__} {letter()!r} {caplog.text} {capfd.readouterr()}".lower()
    assert "marker" not in seen
    assert error.__cause__ is None
    assert error.__context__ is None


URLS = [
    "",
    "smtp://",
    "http://x",
    "smtp://x:y",
    "smtp://x:99999",
    "smtps://x/path",
    "smtp://x?y",
    "smtp://ä:ö@x",
    "x",
    "smtp://u:p@",
]


@pytest.mark.parametrize("url", URLS)
def test_an_address_of_a_server_that_cannot_be_is_a_misconfiguration(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        SmtpMailer(url, "Pigi <pigi@example.net>", "pigi.example.net")
    assert len(url) < 2 or url not in str(caught.value)


@pytest.mark.parametrize("sender", ["", "Pigi", "a@b.org, c@d.org", "Pigi <a@b.org>\r\nBcc: x@y.org", "ä@b.org"])
def test_a_sender_that_cannot_be_is_a_misconfiguration(sender: str) -> None:
    with pytest.raises(Misconfigured, match="MAIL_FROM"):
        SmtpMailer("smtp://x", sender, "pigi.example.net")


def test_an_authority_file_that_cannot_be_read_is_a_misconfiguration(tmp_path: Path) -> None:
    (tmp_path / "nonsense").write_text("nonsense")
    for path in (tmp_path / "none", tmp_path / "nonsense"):
        with pytest.raises(Misconfigured, match="SMTP_CA_FILE"):
            SmtpMailer("smtp://x", "a@b.org", "pigi.example.net", Trust(ca_file=path))


def test_a_server_knows_no_secret_by_its_repr() -> None:
    made = SmtpMailer("smtps://canary-user:canary-word@x", "a@b.org", "pigi.example.net")
    assert "canary" not in repr(made._server)
    assert isinstance(made._context, ssl.SSLContext)
    assert made._context.verify_mode is ssl.CERT_REQUIRED
    assert made._context.check_hostname
