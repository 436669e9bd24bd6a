"""What bodies hold: JSON, forms with a file, events of Stripe's, files to import, receipts."""

from __future__ import annotations

import hmac
import io
import json
import zipfile
from datetime import UTC, datetime
from random import Random
from typing import Any

from pydantic import ValidationError

from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.parser import Parser
from pigi.cli import receipts
from pigi.domain.promises_document import contradictions, is_promises
from pigi.domain.stripe_events import is_genuine, read_event
from pigi.errors import Refused
from pigi.flaws import flaws_of
from pigi.operations.imports.document import BrokenFileError, read_document
from pigi.operations.imports.file import opened
from pigi.store.signing import Signer, is_document_signed
from web.api.contact import TicketBody
from web.http import requests, uploads

SECRET = "whsec_c2VjcmV0"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
SIGNER = Signer([b"s" * 32])
JSON_PIECES = (
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "\\u",
    "\\ud800",
    "\\",
    "1e999",
    "-0",
    "9" * 30,
    "NaN",
    "true",
    "null",
    " ",
    "\n",
)
EVENT = {
    "object": "event", "id": "evt_1", "type": "invoice.paid", "livemode": False, "created": 1764500000,
    "data": {"object": {"object": "invoice", "id": "in_1", "customer": "cus_1"}},
}  # fmt: skip
THIN = {
    "object": "v2.core.event", "id": "evt_2", "type": "v1.customer.updated", "livemode": True,
    "created": "2026-11-30T08:00:00.000Z", "related_object": {"type": "customer", "id": "cus_1"},
}  # fmt: skip
DOCUMENT = {
    "format": "pigi-configuration", "version": 1, "exported_at": "2026-11-30T08:00:00Z", "organisation": {},
    "projects": [{"name": "p", "description": "", "resources": [{"kind": "document", "name": "d", "revisions": []}]}],
}  # fmt: skip
PROMISE = {
    "id": "P01", "state": "holding", "controls": [{
        "name": "x", "kind": "observed", "state": "holding", "checked_at": "2026-11-30T07:59:00Z",
        "valid_until": "2026-11-30T08:09:00Z",
    }],
}  # fmt: skip
SIGNED = json.dumps(SIGNER.sign_document({"format": "pigi-deletion-receipt", "counts": {"files": 1}, "id": "x"}))


def raw(text: str) -> bytes:
    """The bytes of a text of bytes, or else of characters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def body(text: str) -> Any:
    return requests._decode(raw(text))


def as_json_reads_it(text: str, found: Any) -> None:
    """The standard library reads the same, and what was read can be written and read again."""
    assert repr(json.loads(raw(text))) == repr(found)
    assert repr(json.loads(json.dumps(found))) == repr(found)


def fields(text: str) -> str:
    value = requests._decode(raw(text))
    try:
        return TicketBody.model_validate(value).model_dump_json()
    except ValidationError as error:
        told = flaws_of(error, TicketBody)
        assert told
        return json.dumps(told)


def event(text: str) -> str:
    return repr(read_event(requests._decode(raw(text))))


def genuine(text: str) -> bool:
    return is_genuine(b"{}", text, [SECRET], NOW)


def not_by_chance(text: str, found: bool) -> None:
    """Nothing is genuine without the whole signature in it, and the moment that it is of."""
    assert not found or all(part.split("=")[1] in text for part in SIGNATURES[0].split(","))


def _signature() -> str:
    at = int(NOW.timestamp())
    return f"t={at},v1={hmac.digest(SECRET.encode(), f'{at}.{{}}'.encode(), 'sha256').hex()}"


SIGNATURES = (_signature(),)


def form(text: str) -> bytes:
    """The file of a form; however it is cut into pieces on its way, it is the same."""
    data = raw(text)
    whole = _outcome([data])
    cuts = sorted(Random(len(data)).randint(0, len(data)) for _ in range(4))
    pieces = [data[first:last] for first, last in zip([0, *cuts], [*cuts, len(data)], strict=True) if first < last]
    assert _outcome(pieces) == whole
    if whole is None:
        raise Refused("malformed_body")
    return whole


def _outcome(pieces: list[bytes]) -> bytes | None:
    try:
        return b"".join(uploads._file_of(iter(pieces), "b"))
    except Refused:
        return None


def document(text: str) -> list[str]:
    return [repr(entry) for entry in read_document(io.BytesIO(raw(text)))]


def is_json(text: str, _found: object) -> None:
    """Whatever is read as a whole is JSON to the standard library too, but for two signs that pass for space there."""
    assert isinstance(json.loads(raw(text).replace(b"\x0b", b" ").replace(b"\x0c", b" ")), dict)


class Upload(io.BytesIO):
    """An upload in memory, with the size that a stored one knows."""


def archive(text: str) -> list[str]:
    with opened(Upload(raw(text)), 1 << 20, lambda _: None) as (sort, file):  # type: ignore[arg-type]
        return [sort, *(repr(entry) for entry in read_document(file))]


def packed(name: str, data: bytes) -> str:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return made.getvalue().decode("latin-1")


def receipt(text: str) -> str:
    data = raw(text)
    found = receipts.parsed(data) or {}
    return f"{receipts._claims_to_be_one(data)} {is_document_signed(found, SIGNER.jwks())}"


def untouched(text: str, found: str) -> None:
    """Whatever counts as signed says what was signed; only how it is written may differ."""
    assert not found.endswith("True") or json.loads(raw(text)) == json.loads(SIGNED)


def public_keys(text: str) -> bool:
    found = receipts.parsed(raw(text)) or {}
    given = found.get("keys")
    return is_document_signed(json.loads(SIGNED), given if isinstance(given, list) else [found])


def promises(text: str) -> str:
    found = receipts.parsed(raw(text))
    return repr(contradictions(found)) if found is not None and is_promises(found) else "none"


FILE = '--b\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n{}\r\n--b--\r\n'
GOOD = json.dumps(DOCUMENT)

PARSERS = (
    Parser(
        "bodies",
        Grammar(('{"a": [1, 2.5, "é", null]}', "[]", '{"a": {"b": "\\u00e9"}}'), JSON_PIECES),
        body,
        (Refused,),
        as_json_reads_it,
    ),
    Parser(
        "fields of bodies",
        Grammar(
            ('{"kind": "security", "message": "x", "email": "a@example.org"}',),
            (*JSON_PIECES, '"kind"', '"message"', '"email"'),
        ),
        fields,
        (Refused,),
    ),
    Parser(
        "events of Stripe",
        Grammar((json.dumps(EVENT), json.dumps(THIN)), (*JSON_PIECES, '"object"', '"created"', "9" * 18)),
        event,
        (Refused, ValueError),
    ),
    Parser("Stripe-Signature", Grammar(SIGNATURES, ("t=", "v1=", "v0=", ",", "=", "1764460800"), wire=True), genuine),
    Parser(
        "forms with a file",
        Grammar(
            (FILE, "--b\r\n\r\n" + FILE),
            ("--b", "--", "\r\n", "\r", "\n", "Content-Disposition: ", "form-data; ", 'filename="', "*=utf-8''", "%ff"),
        ),
        form,
        (Refused,),
        pumps=False,
    ),
    Parser(
        "files to import",
        Grammar((GOOD, json.dumps(DOCUMENT, indent=1)), (*JSON_PIECES, '"projects"', '"resources"', '"name"')),
        document,
        (BrokenFileError,),
        is_json,
    ),
    Parser(
        "zips to import",
        Grammar(
            (packed("a.json", GOOD.encode()), packed("b.txt", b"x"), GOOD),
            ("PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "\0", "\xff" * 4),
        ),
        archive,
        (BrokenFileError,),
    ),
    Parser(
        "receipts",
        Grammar(
            (SIGNED, json.dumps({"signature": {"kid": "x", "value": "y"}})), (*JSON_PIECES, '"signature"', '"kid"', "=")
        ),
        receipt,
        holds=untouched,
    ),
    Parser(
        "published keys",
        Grammar(
            (json.dumps({"keys": SIGNER.jwks()}), json.dumps(SIGNER.jwks()[0])),
            (*JSON_PIECES, '"x"', '"kid"', '"keys"'),
        ),
        public_keys,
    ),
    Parser(
        "promises",
        Grammar(
            (json.dumps({"generated_at": "2026-11-30T08:00:00Z", "signature": {}, "promises": [PROMISE]}),), JSON_PIECES
        ),
        promises,
        (ValueError,),
    ),
)
