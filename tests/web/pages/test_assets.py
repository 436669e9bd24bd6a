"""Files that pages are made of: stylesheet, scripts, templates, and what was taken from elsewhere."""

from __future__ import annotations

import hashlib
import re

import pytest

from pigi.domain.audit import KINDS as AUDIT_KINDS
from pigi.domain.job_state import JobState
from pigi.jobs.kinds import CATALOGUE
from web.pages.shell.assets import STATIC
from web.pages.shell.layout import TEMPLATES
from web.pages.shell.links import linked
from web.pages.shell.words import AUDIT, STATES, duration, job_word, pointer_words

STYLE = (STATIC / "pigi.css").read_text()
SCRIPTS = {path.name: path.read_text() for path in STATIC.glob("*.js")}
MARKUP = {path.relative_to(TEMPLATES).as_posix(): path.read_text() for path in TEMPLATES.rglob("*.html")}
TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", STYLE)
}
SURFACES = ("paper", "panel", "sunk")
ON_SURFACES = ("ink", "soft", "accent", "accent-deep", "ill")
PAIRS = [
    *((text, surface) for text in ON_SURFACES for surface in SURFACES),
    *((tone, f"{tone}-wash") for tone in ("ok", "busy", "warn", "ill")),
    *(("ink", wash) for wash in ("wash", "ok-wash", "busy-wash", "warn-wash", "ill-wash")),
    ("accent-deep", "wash"), ("soft", "wash"), ("on-accent", "accent"), ("on-accent", "accent-deep"), ("paper", "ink"),
]  # fmt: skip


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, section 1.4.3)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(theme, text, ground):
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", SURFACES)
def test_the_edges_of_controls_can_be_seen(theme, ground):
    assert contrast(TOKENS["edge"][theme], TOKENS[ground][theme]) >= 2.7 if ground == "sunk" else 3


def test_motion_stops_for_those_who_ask_for_that():
    assert "prefers-reduced-motion" in STYLE
    assert "outline: none" not in STYLE
    assert "outline: 0" not in STYLE


def test_a_textarea_is_as_high_as_its_rows():
    """Browsers that let it grow with its text forget about `rows`."""
    used = {int(rows) for text in MARKUP.values() for rows in re.findall(r"\brows=\"?(\d+)", text)}
    said = {int(rows): int(high) for rows, high in re.findall(r'\[rows="(\d+)"\] \{ min-height: calc\((\d+)lh', STYLE)}

    assert {rows for rows in used if {4: 4, **said}.get(rows) != rows} == set()


def test_a_script_imports_only_files_that_are_there() -> None:
    for script in STATIC.glob("*.js"):
        for line in script.read_text().splitlines():
            if line.startswith("import "):
                assert (STATIC / line.split('"')[1]).is_file(), line


def test_vendored_files_are_what_was_published() -> None:
    sums = dict(reversed(line.split()) for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines())
    found = {path.name for path in (STATIC / "vendor").iterdir()} - {"SHA256SUMS"}

    assert found == set(sums)
    for name, digest in sums.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


def test_what_is_said_after_a_page_change_has_its_sentence():
    table = SCRIPTS["shell.js"].partition("SAID = {")[2].partition("};")[0]
    said = set(re.findall(r'^  "?([\w-]+)"?: "', table, re.MULTILINE))
    used = {one for text in MARKUP.values() for one in re.findall(r'(?:data-said="|said=")([\w-]+)"', text)}
    used |= {"saved", "made"}

    assert used == said


def test_scripts_keep_one_thing_in_storage():
    stores = {name: re.findall(r"(\w+Storage)\.\w+\((\w+|\"\w+\")", text) for name, text in SCRIPTS.items()}

    assert {name for name, found in stores.items() if found} == {"theme.js"}
    assert {key for found in stores.values() for _, key in found} == {"KEY"}
    assert 'KEY = "pigi_theme"' in SCRIPTS["theme.js"]
    vendored = (STATIC / "vendor" / "htmx-4.0.1.min.js").read_text()
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", vendored)


def test_scripts_ask_one_stranger_for_one_thing():
    hosts = {host for text in SCRIPTS.values() for host in re.findall(r"https?://[\w.-]+", text)}

    assert hosts == {"https://fonts.bunny.net"}
    assert "eval(" not in "".join(SCRIPTS.values())
    assert ".innerHTML" not in "".join(SCRIPTS.values())


def test_codes_have_words():
    assert set(STATES) == set(JobState)
    assert set(AUDIT) == set(AUDIT_KINDS)
    assert {kind for kind in CATALOGUE if job_word(kind) == kind} == set()
    assert all(kind.title for kind in CATALOGUE.values())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7500, "2 h 5 min")]
)
def test_lengths_of_time_are_told_in_two_units(seconds, words):
    assert duration(seconds) == words


def test_a_text_leads_to_what_it_names_and_to_nothing_else():
    said = linked(
        "See /policy/versions, or /.well-known/security.txt and ask privacy@pigi.example; <b> and/or https://x.example/y."
    )

    assert re.findall(r'href="([^"]+)">', said) == [
        "/policy/versions",
        "/.well-known/security.txt",
        "mailto:privacy@pigi.example",
    ]
    assert "&lt;b&gt; and/or https://x.example/y." in said


def test_a_pointer_is_told_as_a_path():
    assert pointer_words("/transport/args/0") == "transport > args > 1"
    assert pointer_words("/a~1b/c~0d") == "a/b > c~d"
