"""Where secrets stand in text, whatever the text is: prose, code, JSON, a command, a URL, a connection string."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from pigi.domain.resources.secrets.names import Hint, hint_of
from pigi.domain.resources.secrets.urls import Place, in_addresses
from pigi.domain.resources.secrets.values import (
    bare,
    is_code,
    is_key,
    is_placeholder,
    is_wordy,
    looks_random,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


# Every repetition is bounded or cannot overlap its neighbour, so no text makes a search slow.
_VALUE = re.compile(
    # On the next line, unless that has a name of its own.
    r"""(?:[*_`|\t ]{0,4}|\s{0,8}(?![\w.-]{1,60}[ \t]{0,8}[:=]))(?:(?P<quote>\\?["'`])(?P<quoted>[^"'`\n\\]{1,400})|"""
    r"""(?P<bare>(?:(?:[Bb]earer|[Bb]asic|[Tt]oken|[Bb]ot) +)?[^\s"'`,;&|)}\]]{1,400}))"""
)
_ASSIGNMENT = re.compile(
    r"""(?<![\w.-])([A-Za-z_][\w.-]{0,99})(?:\\?["'`*_\]]){0,3}(?:[ \t]{0,8}(?:=>|:=|[:=])(?![=/])|[ \t]{1,8}\|(?= ))"""
)
_SAID = re.compile(
    r"\b((?:api|access|secret|private|auth)[ -]key|password|passphrase|token|secret)"
    r"[\"'`*]{0,2} {0,3}(?:is|was|:)(?=[ \"'`*])",
    re.IGNORECASE,
)
# An entry of a list, as XML, Compose files and Kubernetes write variables.
_ENTRY = re.compile(
    r"""\b(?:key|name)["']?[ \t]{0,4}[:=][ \t]{0,4}["']?([A-Za-z_][\w.-]{0,99})["']?,?\s{1,40}"""
    r"""["']?value["']?[ \t]{0,4}[:=]"""
)
_SAID_OF = re.compile(
    r"\b(password|passphrase|passcode|pwd|token|secret|key)(?: [A-Za-z-]{1,20}){1,6} (?:is|was)(?= [\"'`*])",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\b(password|passphrase|passcode|pwd)(?= [\"'`])", re.IGNORECASE)
_FLAG = re.compile(r"(?<![\w-])--?([A-Za-z][\w.-]{1,63})[ =]")
_USER = re.compile(r"""(?<![\w-])(?:-u|--user|--basic-auth|--proxy-user)[ =]["']?[^\s:"']{1,100}:([^\s"']{4,200})""")
_MYSQL = re.compile(r"""\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]{0,200}?\s-p([^\s"'=]{6,200})""")
_LOGIN = re.compile(r"""\b(?:sshpass|login)\b[^\n|;]{0,200}?\s(?:-p|--password) ?["']?([^\s"'=-][^\s"']{5,200})""")
# As `aws configure set` and `npm config set` have it, and a line of .netrc.
_SET = re.compile(
    r"""(?i:\bconfig(?:ure)? set [^\s=]{0,80}(?:secret|token|password|passwd|_key)[^\s=]{0,40}"""
    r"""|\bmachine \S{1,200} login \S{1,200} password) {1,3}["']?([^\s"')]{8,400})"""
)
# The line below the headings of a table, and a line.
_RULE = re.compile(r"(?m)^[ \t]{0,8}\|?[ \t:]{0,8}-{3}[-:| \t]*$")
_ROW = re.compile(r"[^\n]*\n?")
_HEADER = re.compile(r"\b(?:bearer|basic) {1,3}([A-Za-z0-9._~+/-]{12,4000}={0,2})", re.IGNORECASE)
# What each match holds one of. Most texts hold none, and are not searched.
_MARKS: Final = {
    _ENTRY: ("value", "VALUE"),
    _SAID: ("key", "pass", "token", "secret", "Key", "Pass", "Token", "Secret", "KEY", "PASS", "TOKEN", "SECRET"),
    _SAID_OF: (" is ", " was "),
    _QUOTED: ("pass", "pwd", "Pass", "PASS", "PWD"),
    _FLAG: ("-",),
    _USER: ("-u", "--user", "--basic-auth", "--proxy-user"),
    _MYSQL: ("mysql", "mariadb"),
    _LOGIN: ("sshpass", "login"),
    _SET: ("config set", "configure set", "machine "),
    _HEADER: ("earer", "asic", "EARER", "ASIC"),
    _RULE: ("---",),
}
_SHORTEST: Final = 8
_PASSWORD: Final = "a password"  # noqa: S105 - words
_KIND: Final = {Hint.PASSWORD: _PASSWORD, Hint.TOKEN: "a key or token", Hint.KEY: "a key or token"}


def placed(text: str, *, door: bool = False) -> Iterator[Place]:
    """The secrets that ``text`` holds by where they stand; ``door`` says that it is the address of a server."""
    yield from _assigned(text)
    yield from in_commands(text)
    yield from _in_tables(text)
    for match in _found(_HEADER, text):
        value = match[1]
        if not is_placeholder(value) and (is_key(value) or _is_pair(value)):
            yield Place("credentials in a header", match.start(1), match.end(1))
    yield from in_addresses(text, door=door)


def _found(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    marks = _MARKS.get(pattern)
    if marks is None or any(mark in text for mark in marks):
        yield from pattern.finditer(text)


def _assigned(text: str) -> Iterator[Place]:
    for pattern in (_ASSIGNMENT, _ENTRY, _SAID, _SAID_OF, _QUOTED, _FLAG):
        end = 0
        for match in _found(pattern, text):
            # A line of a test's report, or a part of a longer name such as `arn:aws:…:secret:acme`.
            part = match[0].endswith(":") and text[match.start() - 1 : match.start()] == ":"
            hint = Hint.NOTHING if match[0] == "PASS:" or part else hint_of(match[1])
            # What is inside a value was looked at with it, or a text of nothing but names would take ages.
            value = _VALUE.match(text, match.end()) if hint and match.start() >= end else None
            if value is None:
                continue
            end = value.end()
            group = "bare" if value["quote"] is None else "quoted"
            # A parameter of an address: counters and badges have short ones, for everybody to see.
            if match.start() and text[match.start() - 1] in "?&" and not is_key(value[group]):
                continue
            if is_secret_said(hint, value[group], quoted=group == "quoted"):
                yield Place(_KIND[hint], *value.span(group))


def is_secret_said(hint: Hint, value: str, *, quoted: bool = False) -> bool:
    """Whether ``value``, given to such a name within text, is one; text also speaks about secrets, and is code."""
    plain = bare(value)
    if len(plain) < _SHORTEST or is_placeholder(value):
        return False
    if is_key(plain):
        return not is_code(plain) or looks_random(plain)
    if hint <= Hint.KEY or is_code(plain) or is_wordy(plain) or " " in plain:
        return False
    digit = any(c.isdigit() for c in plain)
    return (digit and any(c.isalpha() for c in plain)) or (quoted and not plain.isalnum() and plain.lower() != plain)


def in_commands(text: str) -> Iterator[Place]:
    """The passwords that programs take in ways of their own, as in ``mysql -psecret`` and ``curl -u name:secret``."""
    for pattern in (_USER, _MYSQL, _LOGIN, _SET):
        for match in _found(pattern, text):
            if is_secret_said(Hint.PASSWORD, match[1]):
                yield Place(_PASSWORD, match.start(1), match.end(1))


def _in_tables(text: str) -> Iterator[Place]:
    """What stands in a column of a Markdown table whose heading names a secret."""
    end = 0
    for rule in _found(_RULE, text):
        # Such a line within a table is a row of it, or a text of nothing else would take ages.
        if rule.start() < end:
            continue
        begin = text.rfind("\n", 0, max(rule.start() - 1, 0)) + 1
        hints = [hint_of(cell.strip(" *_`")) for cell in text[begin : rule.start() - 1].split("|")]
        if max(hints) < Hint.TOKEN:
            continue
        for row in _ROW.finditer(text, rule.end() + 1):
            if "|" not in row[0]:
                break
            at, end = row.start(), row.end()
            for hint, cell in zip(hints, row[0].split("|"), strict=False):
                value = cell.strip(" *_`\t")
                if hint >= Hint.TOKEN and is_secret_said(hint, value):
                    start = at + cell.find(value)
                    yield Place(_KIND[hint], start, start + len(value))
                at += len(cell) + 1


def _is_pair(value: str) -> bool:
    """Whether it is the ``user:password`` of RFC 7617 in base 64."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return ":" in text and text.isprintable()
