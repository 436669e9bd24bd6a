"""A stand-in as `pigi up` starts it."""

from __future__ import annotations

import http.client
import os
import subprocess
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from pigi.clock import now
from pigi.domain.stripe_api import API_VERSION
from pigi.domain.stripe_events import is_genuine
from pigi.processes.table import Choices, build
from pigi.settings import Settings
from tests.processes.conftest import until


@pytest.fixture
def web():
    """What stands where the web server would, and keeps what it is told."""
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        server.heard = heard
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_stripes_stand_in_signs_what_it_tells_with_the_secret_that_the_others_know(tmp_path, web):
    table = build(Settings(home=tmp_path, port=web.server_port), Choices())
    standin = next(program for program in table.programs if program.name == "stripe")
    others = next(program for program in table.programs if program.name == "web").environment
    standin.before()
    process = subprocess.Popen(standin.argv, env={**os.environ, **standin.environment})
    try:
        until(standin.ready, "the stand-in")
        host = others["STRIPE_API_BASE"].removeprefix("http://")
        headers = {"Authorization": f"Bearer {others['STRIPE_API_KEY']}", "Stripe-Version": API_VERSION}
        with closing(http.client.HTTPConnection(host, timeout=10)) as connection:
            connection.request("POST", "/v1/customers", headers={**headers, "Content-Length": "0"})
            assert connection.getresponse().status == 200
        path, body, signature = until(lambda: web.heard, "an event")[0]
    finally:
        process.terminate()
        process.wait(10)
    assert path == "/api/v1/webhooks/stripe"
    assert is_genuine(body, signature, [others["STRIPE_WEBHOOK_SECRET"]], now())
    assert (tmp_path / "standins" / "stripe.json").exists()
