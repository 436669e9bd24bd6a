"""Letters: a template and its facts become text and HTML. Links lead to Pigi's public address and nowhere else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pigi.domain.mail import CATALOGUE
from pigi.ports import Letter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.domain.mail import Template

LONGEST = 100_000
"""Bytes of a whole mail. Some mail programs cut longer ones, and a cut one may lack what to do if it was not you."""


def write_letter(mail_id: str, template: Template, recipient: str, facts: Mapping[str, object], home: str) -> Letter:
    """The letter. ``facts`` are the template's values; ``home`` is the public address.

    Raises jinja2.UndefinedError if the template wants a fact that is not there.
    """
    subject = CATALOGUE[template].subject
    told = {**facts, "subject": subject, "home": home}
    text = _environment().get_template(f"{template}.txt").render(told)
    html = _environment().get_template(f"{template}.html").render(told)
    return Letter(mail_id, recipient, subject, text, _inliner().inline(html))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pigi", "mail_templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
