"""What people write: names, addresses, codes, prose, Markdown, passwords."""

from __future__ import annotations

import ast
from html.parser import HTMLParser
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from benchmarks.parsers.grammar import Grammar
from benchmarks.parsers.parser import Parser
from pigi.domain import addresses, cards, characters, passwords, searching
from pigi.flaws import flaws_of
from pigi.operations.credentials.codes import is_recovery_code, matching_step, read_code
from web.http import texts
from web.pages.shell.links import linked
from web.pages.shell.markdown import rendered

TAGS = frozenset(
    "p em strong del blockquote li pre code div table tbody thead tr th td hr br span a ul ol h2 h3 h4 h5 h6".split()
)


class Fields(BaseModel):
    model_config = {"strict": True, "hide_input_in_errors": True}


def field(kind: Any) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(text: str) -> str:
        try:
            return repr(adapter.validate_python(text))
        except ValidationError as error:
            assert flaws_of(error, Fields)
            return "refused"

    return read


def again(kind: Any) -> Any:
    """What was taken is taken again, as it is."""
    read = field(kind)

    def holds(_text: str, found: str) -> None:
        if found != "refused":
            assert read(ast.literal_eval(found)) == found

    return holds


class Page(HTMLParser):
    """Refuses what is not among Pigi's own tags, and addresses of other schemes."""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attributes:
            assert name in {"href", "rel", "class", "tabindex", "scope", "start"}, name
            if name == "href":
                assert (value or "").lower().startswith(("http://", "https://", "mailto:", "/")), value


def markdown(text: str) -> str:
    """Of what can be kept, which has no halves of pairs."""
    return str(rendered(text.encode("utf-8", "replace").decode()))


def links(text: str) -> str:
    return str(linked(text))


def own_tags_alone(_text: str, found: str) -> None:
    page = Page()
    page.feed(found)
    page.close()


def code(text: str) -> tuple[str, bool, bool]:
    return read_code(text), is_recovery_code(text), matching_step(b"s" * 20, read_code(text), 1764460800.0) is not None


def password(text: str) -> str | None:
    return passwords.flaw_of(text, "Ada Lovelace", "ada@example.org")


def normal(text: str, _found: object) -> None:
    assert passwords.normalise(passwords.normalise(text)) == passwords.normalise(text)


def email_key(text: str) -> str:
    return addresses.email_key(text) + addresses.mailbox_key(text)


def hidden(text: str) -> str:
    return repr(characters.unseen_in_prose(text) + characters.unseen_in_value(text)) + repr(
        characters.unseen_in_name(text)
    )


def search(text: str) -> Any:
    return searching.folded_words(text), searching.sort_key(text), searching.rank(searching.folded_words(text), text)


NAMES = Grammar(("Ada", "Ünïcode Ltd", "  a  ", "4111 1111 1111 1111"), (" ", "\u200d", "\u202e", "4", "-", "a"))
PROSE = Grammar(("Two\nlines.\t", "4111-1111-1111-1111"), (" ", "\n", "\r\n", "4", "- ", "\u2028"))
MAILS = Grammar(
    ("ada@example.org", "a+b@bücher.example", " x@xn--bcher-kva.example "),
    ("@", ".", "+", "-", "xn--", "ß", "。", "a@b", '"', "(", "\u0301"),
)
MARKDOWN = Grammar(
    (
        "# a\n\n- b\n  1. c\n\n> d\n\n```\ne\n```\n",
        "[a](https://b.example 'c') ![d](x)",
        "|a|b|\n|-|-|\n|c|d|\n",
        "<b onclick=x>y</b>",
    ),
    (
        "#",
        "\n",
        "\n\n",
        "- ",
        "> ",
        "`",
        "```",
        "*",
        "_",
        "[",
        "](",
        ")",
        "![",
        "<",
        ">",
        "|",
        "~~",
        "<a href=javascript:x>",
        "javascript:",
        "&#x6a;",
        "\t",
    ),
)
LINKS = Grammar(
    ("see /privacy or write to a@example.org", "/policy/versions"),
    ("/", "a", "@", ".", "-", "<", "a.", "mailto:", "//evil"),
)
CODES = Grammar(("123456", "ABCDEF-GHIJKL-MNOPQR-STUVWX"), ("-", " ", "٣", "1"))

PARSERS = (
    Parser("names", NAMES, field(texts.Title), holds=again(texts.Title)),
    Parser("names of resources", NAMES, field(texts.Name), holds=again(texts.Name)),
    Parser("reasons", NAMES, field(texts.Why), holds=again(texts.Why)),
    Parser("prose", PROSE, field(texts.Told), holds=again(texts.Told)),
    Parser("purposes", PROSE, field(texts.Purpose), holds=again(texts.Purpose)),
    Parser("descriptions", PROSE, field(texts.Description), holds=again(texts.Description)),
    Parser("e-mail addresses", MAILS, field(texts.Email), holds=again(texts.Email)),
    Parser("keys of addresses", MAILS, email_key),
    Parser("days", Grammar(("2026-11-30", "2024-02-29"), ("-", "02-30", "٢", "W")), field(texts.Day)),
    Parser("codes", CODES, field(texts.Code)),
    Parser("codes as they are compared", CODES, code),
    Parser(
        "passwords",
        Grammar(("correct horse battery", "pässwörd\u3000x"), ("a", " ", "\u0301", "12", "Pigi", "ada")),
        password,
        holds=normal,
        pumps=False,
        dear=30,
    ),
    Parser("card numbers", Grammar(("4111 1111 1111 1111",), ("4", "1 ", "-", "11", "a")), cards.has_card_number),
    Parser("hidden characters", PROSE, hidden),
    Parser("searches", NAMES, search, pumps=False),
    Parser("Markdown", MARKDOWN, markdown, holds=own_tags_alone),
    Parser("links in texts", LINKS, links, holds=own_tags_alone),
)
