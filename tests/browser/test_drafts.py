"""Drafts and resources in a real browser: what was typed stays, nobody is scrolled, and what is wrong is led to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pigi.operations.configuration import ResourceAddress, create_resource, read_resource
from tests.browser import steps
from tests.browser.test_browser import NOTHING_KEPT
from tests.support.browser import look
from tests.support.contents import AGENT
from tests.support.furnished import furnish
from tests.support.people import an_address, hashed, make_member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Chrome, House
    from tests.support.furnished import Furnished

LONG = 30_000
"""Milliseconds that a draft may take on a busy machine."""
REFUSED = (": 409", "409 (Conflict)", ": 422", "422 (Unprocessable")
"""What a browser tells of refusals, which are no faults."""
PURPOSE = "Reviews changes for missing tests, and says which."


@pytest.fixture(scope="module")
def furnished(house: House) -> Furnished:
    """An organisation with one of everything."""
    return furnish(house.application)


@pytest.fixture
def page(chrome: Chrome, house: House, furnished: Furnished) -> Iterator[Page]:
    """A page of an owner of it, in a low window."""
    address = an_address()
    make_member(house.application, furnished.organisation, "owner", email=address, password_hash=hashed())
    with chrome.person(viewport={"width": 900, "height": 420}) as witness:
        shown = witness.context.new_page()
        steps.sign_in(shown, address)
        yield shown
        assert [line for line in witness.errors if not any(told in line for told in REFUSED)] == []


def test_a_draft_is_followed_asked_again_renamed_and_edited(page: Page, house: House, furnished: Furnished) -> None:
    home = f"/o/{furnished.organisation}"
    create_resource(house.application, furnished.caller, furnished.project, "agent", {**AGENT, "name": "watcher"})
    page.goto(f"{home}/generate")
    page.get_by_label("Name", exact=True).fill("watcher")
    page.get_by_label("Purpose").fill(PURPOSE)
    held = house.model.hold("watcher", after=30, pause=0.1)
    steps.send(page)
    held.wait()
    expect(page.locator("[data-live-text] .part").first).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_in_viewport()
    page.evaluate("scrollTo(0, 60)")
    held.release()
    accept = page.get_by_role("button", name="Accept", exact=True)
    expect(accept).to_be_in_viewport(timeout=LONG)
    expect(page.locator("section.live")).to_have_count(0)
    assert page.evaluate("scrollY") == 60
    expect(page.locator("[data-live-status]")).to_have_text("Ready.")
    expect(page).to_have_title(re.compile("^Ready: "))

    page.get_by_role("link", name="Ask again").click()
    purpose = page.get_by_label("Purpose")
    expect(purpose).to_have_value(PURPOSE)
    expect(purpose).to_be_focused()
    found = look(page)
    assert {name: found[name] for name in NOTHING_KEPT} == NOTHING_KEPT
    purpose.fill(f"{PURPOSE} It never edits.")
    steps.send(page)

    expect(accept).to_be_visible(timeout=LONG)
    accept.click()
    expect(page.get_by_role("alert")).to_contain_text("is taken in this project")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Name", exact=True).fill("second-watcher")
    page.get_by_label("Instructions").fill("# Watch\n\nLook **twice**.")
    page.get_by_role("link", name="JSON").click()
    text = page.get_by_label("Content")
    written = text.input_value()
    assert '"name": "second-watcher"' in written
    text.fill(written.replace('"name": "second-watcher",', '"name": "second-watcher"'))
    page.get_by_role("link", name="Form", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("not JSON from line 3")
    alert.get_by_role("link").click()
    assert text.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)").startswith('  "description"')
    text.fill(written.replace("twice", "thrice"))
    page.get_by_role("link", name="Form", exact=True).click()
    assert page.get_by_label("Instructions").input_value() == "# Watch\n\nLook **thrice**."
    accept.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("second-watcher")
    expect(page.locator(".rendered strong")).to_have_text("thrice")
    page.get_by_role("link", name="Revisions").click()
    expect(page.get_by_role("main")).to_contain_text("Generated, then edited and accepted")


def test_a_form_keeps_the_line_endings_that_it_cannot_show(page: Page, house: House, furnished: Furnished) -> None:
    content = {**AGENT, "name": "endings", "instructions": "One.\r\n\r\nTwo.\r\n"}
    made = create_resource(house.application, furnished.caller, furnished.project, "agent", content)
    page.goto(f"/o/{furnished.organisation}/projects/{furnished.project}/agents/{made.id}/edit")
    instructions = page.get_by_label("Instructions")
    instructions.fill(instructions.input_value() + "Three.\n")
    page.get_by_role("link", name="JSON").click()
    page.get_by_role("link", name="Form", exact=True).click()
    steps.send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("endings")
    place = ResourceAddress(furnished.project, "agent", made.id)
    kept = read_resource(house.application, furnished.caller, place).content
    assert kept is not None
    assert kept["instructions"] == "One.\r\n\r\nTwo.\r\nThree.\r\n"


def test_a_form_keeps_arguments_that_are_empty_or_begin_with_a_space(
    page: Page, house: House, furnished: Furnished
) -> None:
    arguments = ["-y", "", "a b", " led"]
    transport = {"type": "stdio", "command": "serve", "args": arguments, "environment": []}
    content = {"name": "spaced", "description": "d", "transport": transport}
    made = create_resource(house.application, furnished.caller, furnished.project, "mcp-server", content)
    page.goto(f"/o/{furnished.organisation}/projects/{furnished.project}/mcp-servers/{made.id}/edit")
    page.get_by_label("Arguments").fill("\n".join([*arguments, " new "]))
    steps.send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("spaced")
    place = ResourceAddress(furnished.project, "mcp-server", made.id)
    kept = read_resource(house.application, furnished.caller, place).content
    assert kept is not None
    assert kept["transport"]["args"] == [*arguments, "new"]


def test_a_finding_leads_to_its_line(page: Page, house: House, furnished: Furnished) -> None:
    content = {**AGENT, "name": "broad", "tools": ["Read", "Bash(*)"]}
    made = create_resource(house.application, furnished.caller, furnished.project, "agent", content)
    page.goto(f"/o/{furnished.organisation}/projects/{furnished.project}/agents/{made.id}")
    page.get_by_role("link", name="tools > 2").click()
    tools = page.get_by_role("textbox", name="Tools optional", exact=True)
    expect(tools).to_be_focused()
    assert tools.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)") == "Bash(*)"


LISTED = (
    ("Read, Glob, Bash(git commit -m a, b)", ["Read", "Glob", "Bash(git commit -m a, b)"]),
    ('tools:\n  - Read\n  - "*"\n  - Microsoft Docs', ["Read", "*", "Microsoft Docs"]),
    ("[Read, 'edit/editFiles']", ["Read", "edit/editFiles"]),
    ('"Read",\n"Bash(echo \\"a, b\\")",', ["Read", 'Bash(echo "a, b")']),
)


def test_a_list_is_taken_as_files_write_it_and_what_is_kept_stays(
    page: Page, house: House, furnished: Furnished
) -> None:
    made = create_resource(
        house.application, furnished.caller, furnished.project, "agent", {**AGENT, "name": "listed", "tools": ["a, b"]}
    )
    page.goto(f"/o/{furnished.organisation}/projects/{furnished.project}/agents/{made.id}/edit")
    tools = page.get_by_role("textbox", name="Tools optional", exact=True)
    for typed, read in LISTED:
        tools.fill(typed)
        tools.blur()
        expect(tools).to_have_value("\n".join(read))
    tools.fill("a, b\nRead, Grep")
    steps.send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("listed")
    place = ResourceAddress(furnished.project, "agent", made.id)
    kept = read_resource(house.application, furnished.caller, place).content
    assert kept is not None
    assert kept["tools"] == ["a, b", "Read", "Grep"]


def test_what_is_wrong_is_said_where_it_is_and_no_longer(page: Page, furnished: Furnished) -> None:
    page.goto(f"/o/{furnished.organisation}/projects/{furnished.project}/agents/new")
    page.get_by_label("Name", exact=True).fill("twice-wrong")
    instructions = page.get_by_label("Instructions")
    instructions.fill("postgresql://admin:S3cr3tPw99@db/a\n\npostgresql://admin:S3cr3tPw77@db/b")
    steps.send(page)
    notes = page.locator("main .field .error")
    expect(notes).to_have_count(2)
    instructions.fill("A")
    expect(notes).to_have_count(0)
    page.get_by_role("textbox", name="Tools optional", exact=True).fill("Read\nGr\u2062ep")
    steps.send(page)
    expect(notes).to_have_text("line 2: U+2062 at column 3 cannot be seen, and hides or turns text. Remove it.")


def test_a_purpose_that_is_too_long_is_refused_and_not_cut(page: Page, furnished: Furnished) -> None:
    page.goto(f"/o/{furnished.organisation}/generate")
    page.get_by_label("Name", exact=True).fill("long")
    purpose = page.get_by_label("Purpose")
    purpose.fill("p" * 2001)
    steps.send(page)
    expect(page.get_by_role("alert")).to_contain_text("2,000 characters")
    assert len(purpose.input_value()) == 2001
