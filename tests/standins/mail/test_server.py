"""The mail sink: real SMTP, an outbox in memory alone, pages in which nothing of a mail can run, and drills."""

from __future__ import annotations

import http.client
import json
import logging
import smtplib
import socket
from email.message import EmailMessage

import pytest

from pigi.processes.addresses import answers, any_free, is_free
from standins.mail.faults import STAGES, FaultyMail, answer, drop, greylist, ok, stall
from standins.mail.outbox import KEPT
from standins.mail.server import Guard, MailSink
from tests.support.certificates import certify
from tests.support.programs import program
from tests.support.stack import until


@pytest.fixture
def sink():
    with MailSink() as made:
        yield made


def message(subject="Hello", html="<p>Hello</p>"):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = "a@b.org", "c@d.org", subject, "<1@b.org>"
    made.set_content("Look: https://pigi.example/welcome/abc.\n\nhttps://pigi.example\n")
    made.add_alternative(html, subtype="html")
    return made


def send(sink, to="c@d.org", **parts):
    host, port = sink.address.split(":")
    with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=60) as client:
        client.sendmail("a@b.org", [to], message(**parts).as_bytes())


def get(sink, path, host=None):
    connection = http.client.HTTPConnection(*sink.pages.server_address[:2], timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def test_what_was_sent_is_there_for_tests(sink):
    send(sink)
    send(sink, to="e@f.org")
    (mail,) = json.loads(get(sink, "/mails?to=C@d.org")[1])
    assert (mail["recipients"], mail["subject"], mail["message_id"]) == (["c@d.org"], "Hello", "<1@b.org>")
    assert mail["links"] == ["https://pigi.example/welcome/abc", "https://pigi.example"]
    assert mail["html"] == "<p>Hello</p>\n"
    assert len(json.loads(get(sink, "/mails")[1])) == 2
    assert json.loads(get(sink, "/mails?to=nobody@d.org")[1]) == []


def test_what_was_sent_is_there_for_people(sink):
    assert "No mail yet" in get(sink, "/")[1]
    send(sink, subject="<b>Bold</b>")
    assert '<a href="/mails/1">&lt;b&gt;Bold&lt;/b&gt;</a>' in get(sink, "/")[1]
    page = get(sink, "/mails/1")[1]
    assert '<a href="https://pigi.example/welcome/abc">' in page
    assert "<iframe sandbox " in page
    assert "Subject: <b>Bold</b>" in get(sink, "/mails/1/source")[1]


def test_nothing_of_a_mail_can_run_or_load(sink):
    send(sink, html="<script>alert(1)</script><img src=https://evil.example/x>")
    response, body = get(sink, "/mails/1/html")
    assert "<script>" in body
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    for path in ("/", "/mails/1", "/mails/1/source", "/mails", "/style.css"):
        response, body = get(sink, path)
        assert "<script" not in body or response.headers["Content-Type"] != "text/html; charset=utf-8"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/nothing", "/mails/2", "/mails/x", "/mails/1/nothing", "/mails/-1"])
def test_what_is_not_there_is_not_found(sink, path):
    send(sink)
    assert get(sink, path)[0].status == 404


def test_a_name_that_was_pointed_at_this_machine_sees_nothing(sink):
    send(sink)
    assert get(sink, "/mails", host="evil.example")[0].status == 403
    assert get(sink, "/mails", host="localhost:1")[0].status == 200


def test_the_oldest_mails_are_forgotten():
    with MailSink(kept=2) as sink:
        for number in range(3):
            send(sink, subject=str(number))
        assert [mail["subject"] for mail in json.loads(get(sink, "/mails")[1])] == ["1", "2"]
        assert get(sink, "/mails/1")[0].status == 404
    assert KEPT == 200


def test_nothing_is_logged(sink, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    send(sink, to="marker@d.org")
    get(sink, "/mails?to=marker@d.org")
    assert "marker" not in caplog.text + "".join(capfd.readouterr())


def test_starttls_and_a_password_can_be_asked_for(tmp_path):
    certified = certify(tmp_path)
    with MailSink(guard=Guard(certified.context, credentials=("user", "word"))) as sink:
        host, port = sink.address.split(":")
        with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=60) as client:
            assert client.docmd("MAIL", "FROM:<a@b.org>")[0] in {503, 530}
            client.ehlo()
            assert client.docmd("MAIL", "FROM:<a@b.org>")[0] == 530
            client.starttls()
            client.ehlo()
            assert client.docmd("MAIL", "FROM:<a@b.org>")[0] == 530
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("user", "wrong")
            client.login("user", "word")
            assert client.docmd("MAIL", "FROM:<a@b.org>")[0] == 250


def test_a_plan_is_followed_try_by_try():
    with FaultyMail() as sink:
        sink.plan("c@d.org", greylist(), answer("end", "554 No"), drop("rcpt"), stall("rcpt", 0), ok())
        outcomes = []
        for _ in range(6):
            try:
                send(sink)
                outcomes.append("sent")
            except smtplib.SMTPException as error:
                outcomes.append(type(error).__name__)
    assert outcomes == ["SMTPRecipientsRefused", "SMTPDataError", "SMTPServerDisconnected", "sent", "sent", "sent"]
    assert [arrival.message_id for arrival in sink.arrived("c@d.org")] == ["<1@b.org>"] * 3
    assert sink.tries["c@d.org"] == 6


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "greeting"])
def test_a_connection_can_be_cut_at_every_stage(stage):
    with FaultyMail() as sink:
        sink.plan("c@d.org", drop(stage))
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(sink)
        assert len(sink.arrivals) == (stage == "taken")


def test_stopping_ends_those_who_are_kept_waiting():
    with FaultyMail() as sink:
        sink.greeting = stall("greeting")
        host, port = sink.address.split(":")
        waiting = socket.create_connection((host, int(port)), timeout=60)
        assert sink.stalled.acquire(timeout=60)
    assert waiting.recv(1) == b""
    waiting.close()


def test_the_command_serves_until_it_is_told_to_stop():
    port, pages = any_free(), any_free()
    with program("standins.mail", "--port", str(port), "--pages", str(pages)) as process:
        until(lambda: answers("127.0.0.1", pages, "/healthz"), 20, "the outbox is shown")
        until(lambda: not is_free("127.0.0.1", port), 20, "mail is taken")
        with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=60) as client:
            assert client.noop()[0] == 250
        process.terminate()
        assert process.communicate(timeout=10)[0] == b""
