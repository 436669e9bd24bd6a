"""Violations of what browsers are told."""

from __future__ import annotations

from contextlib import contextmanager

import pytest


def _adding(name, value, *, when=lambda _environ: True):
    """A plant: every answer has one more header."""

    @contextmanager
    def plant(world):
        def change(environ, headers):
            return [*headers, (name, value)] if when(environ) else headers

        with world.web.answering(change):
            yield

    return plant


def _replacing(name, value):
    @contextmanager
    def plant(world):
        def change(_environ, headers):
            return [(key, value if key == name else old) for key, old in headers]

        with world.web.answering(change):
            yield

    return plant


@contextmanager
def cookies_that_stay(world):
    def change(_environ, headers):
        return [(name, f"{value}; Max-Age=86400" if name == "Set-Cookie" else value) for name, value in headers]

    with world.web.answering(change):
        yield


@contextmanager
def any_token_does(_world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.http.auth.is_csrf_token", lambda *_given: True)
        yield


STATISTICS = "default-src 'self'; script-src 'self' https://statistics.example"

PLANTED = {
    "pages-keep-what-is-promised": _adding(
        "Set-Cookie", "visitor=1; Path=/", when=lambda environ: "HTTP_COOKIE" in environ
    ),
    "no-cookie-before-signing-in": _adding("Set-Cookie", "visitor=1; Path=/"),
    "nothing-that-tracks": _replacing("Content-Security-Policy", STATISTICS),
    "fonts-without-referrer": _replacing("Referrer-Policy", "unsafe-url"),
    "sessions-end": cookies_that_stay,
    "forgeries-refused": any_token_does,
}
