"""Whole requests: any method and path, with hostile headers, a hostile query and a hostile body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.parsers import bodies, headers, queries
from benchmarks.parsers.grammar import SIGNS, Grammar, on_the_wire
from benchmarks.parsers.headers import ID, TOKEN

if TYPE_CHECKING:
    from random import Random

OF = {parser.name: parser.grammar for parser in (*headers.PARSERS, *queries.PARSERS, *bodies.PARSERS)}
HEADERS = {
    "Cookie": OF["cookies"],
    "Authorization": OF["bearer tokens"],
    "X-Xsrf-Token": OF["csrf tokens"],
    "X-Forwarded-For": OF["X-Forwarded-For"],
    "X-Forwarded-Proto": OF["X-Forwarded-Proto"],
    "Prefer": OF["Prefer"],
    "If-Match": OF["entity tags"],
    "If-None-Match": OF["entity tags"],
    "If-Range": OF["If-Range"],
    "Range": OF["Range"],
    "Last-Event-Id": OF["Last-Event-ID"],
    "Accept": OF["Accept, Accept-Encoding"],
    "Accept-Encoding": OF["Accept, Accept-Encoding"],
    "Content-Type": OF["Content-Type"],
    "Idempotency-Key": OF["Idempotency-Key"],
    "X-Request-Id": OF["X-Request-ID"],
    "Pigi-Examples": OF["Pigi-Examples"],
    "Stripe-Signature": OF["Stripe-Signature"],
    "Sec-Fetch-Site": Grammar(("cross-site", "same-origin", "none"), wire=True),
    "If-Modified-Since": OF["Last-Event-ID"],
    "Transfer-Encoding": Grammar(("identity",), wire=True),
}
HOSTS = Grammar(("pigi.example", "pigi.example:99999", "[::1]"), ("[", "]", ":", "@", "/", "."), wire=True)
PARTS = Grammar((ID, TOKEN, "1", "agents", "current"), ("..", "%2f", "%00", "%ff", ".", "-", ID, "0" * 20))
BODIES = (OF["bodies"], OF["fields of bodies"], OF["events of Stripe"], OF["forms with a file"])
TYPES = ("application/json", "application/json", "multipart/form-data; boundary=b", "application/zip", "text/plain")


def request(random: Random, known: dict[str, str]) -> dict[str, Any]:
    """One request's headers, query and body; ``known`` are headers that get it as far as a caller who is known."""
    chosen = random.sample(sorted(HEADERS), random.randrange(5))
    sent = {"Content-Type": random.choice(TYPES)} | (known if random.random() < 0.8 else {})
    for name in chosen:
        grammar = HEADERS[name]
        sent[name] = on_the_wire(grammar.text(random)).strip()
    return {
        "headers": sent,
        "query_string": queries.quoted(OF["queries of lists"].text(random)) if random.random() < 0.5 else "",
        "data": bodies.raw(random.choice(BODIES).text(random)),
    }


def path(rule: str, random: Random, own: str) -> str:
    """The route's path with something in each of its parts: mostly what fits, and the caller's own organisation."""
    made = []
    for part in rule.split("/"):
        if not part.startswith("<"):
            made.append(part)
        elif part == "<organisation>" and random.random() < 0.8:
            made.append(own)
        else:
            made.append(queries.quoted(PARTS.text(random)).replace("/", random.choice(SIGNS[21:30])) or "x")
    return "/".join(made)
