"""The frame of every page: who is here, where they can go, how a page is declared, and how a template is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pigi.domain.access import Action, is_found, role_may
from pigi.operations.accounts import read_account
from pigi.operations.billing import wanted_payment
from pigi.operations.organisations import organisations_of
from pigi.operations.policy import coming_policy
from web.http.context import OrganisationContext
from web.http.replies import API, Reply, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.pages.shell.assets import asset_path
from web.pages.shell.words import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.operations.organisations import OrganisationView
    from pigi.operations.policy import ComingPolicy
    from web.http.context import RequestContext

TEMPLATES = Path(__file__).parents[2] / "templates"
HTML = "text/html; charset=utf-8"
OWN = "/o/<organisation>"
"""Where an organisation's own pages begin."""
SHORTCUTS = (
    (("?",), "This list"),
    (("/",), "Find by name, or go to a page; Ctrl and K do it anywhere"),
    (("c",), "Create something, where that is possible"),
    (("e",), "Change what is shown"),
    (("g", "d"), "Overview"),
    (("g", "p"), "Projects"),
    (("g", "n"), "Generate with AI"),
    (("g", "j"), "Jobs"),
    (("g", "m"), "Members"),
    (("Esc",), "Close a menu or a question"),
)


@dataclass(frozen=True)
class Known:
    """Whoever is signed in."""

    id: str
    name: str
    email: str
    operator: bool


@dataclass(frozen=True)
class NavigationItem:
    """An entry of the navigation."""

    name: str
    title: str
    path: str
    icon: str
    key: str = ""


@dataclass(frozen=True)
class Shell:
    """What the frame around a page shows. ``may`` says what the person may do, as the templates ask for it.

    ``charged`` says whether this installation charges anybody, ``late`` the subscription's status if a payment is late,
    ``coming`` the policy that takes effect soon, until the person closes its notice.
    """

    fonts: str
    person: Known | None = None
    organisations: Sequence[OrganisationView] = ()
    organisation: OrganisationView | None = None
    charged: bool = False
    late: str | None = None
    coming: ComingPolicy | None = None
    api: str = API
    shortcuts: Any = SHORTCUTS
    asset: Callable[[str], str] = asset_path

    @property
    def may(self) -> dict[str, bool]:
        """Acts that not everybody is offered."""
        role = self.organisation.role if self.organisation else None
        state = self.organisation.state if self.organisation else ""
        body = {
            "change": Action.ORGANISATION_CHANGE,
            "delete": Action.ORGANISATION_DELETE,
            "leave": Action.MEMBERSHIP_END,
            "write": Action.CONFIGURATION_WRITE,
            "generate": Action.GENERATE,
            "invite": Action.MEMBERS_CHANGE,
            "keys": Action.KEYS_READ,
            "make_keys": Action.KEYS_CHANGE,
            "audit": Action.AUDIT_READ,
            "mail": Action.MAIL_READ,
            "export": Action.EXPORT,
            "buy": Action.BILLING_CHANGE,
            "delete_for_good": Action.CONFIGURATION_DELETE,
        }
        return {
            name: role is not None and is_found(state, role, action) and role_may(role, action)
            for name, action in body.items()
        }

    @property
    def search(self) -> str:
        """The page that finds by name."""
        return f"/o/{self.organisation.id}/search" if self.organisation else "/search"

    @property
    def places(self) -> list[tuple[str, list[NavigationItem]]]:
        """The navigation of the organisation that the page is about."""
        if self.organisation is None:
            return []
        home, may = f"/o/{self.organisation.id}", self.may
        work = [
            NavigationItem("overview", "Overview", home, "home", "d"),
            NavigationItem("projects", "Projects", f"{home}/projects", "folder", "p"),
        ]
        work += [NavigationItem("generate", "Generate", f"{home}/generate", "spark", "n")] if may["generate"] else []
        work += [NavigationItem("jobs", "Jobs", f"{home}/jobs", "jobs", "j")]
        people = [NavigationItem("members", "Members", f"{home}/members", "people", "m")]
        people += [NavigationItem("keys", "API keys", f"{home}/api-keys", "key")] if may["keys"] else []
        people += [NavigationItem("audit", "Audit", f"{home}/audit", "list")] if may["audit"] else []
        people += [NavigationItem("mails", "Mail", f"{home}/mails", "mail")] if may["mail"] else []
        own = [NavigationItem("exports", "Exports", f"{home}/exports", "take")] if may["export"] else []
        own += [NavigationItem("settings", "Organisation", f"{home}/settings", "gear")]
        own += [NavigationItem("billing", "Billing", f"{home}/billing", "card")] if self.charged else []
        return [("Work", work), ("Access", [*people, *own])]


_HTML = ResponseSpec(200, "The page", media_types=("text/html",))


def page(
    path: str,
    view: Callable[..., Reply],
    who: Who | Action,
    *,
    for_deleted: bool = False,
    without_factor: bool = False,
) -> Route:
    """The route of a page: read only, in HTML, outside the API's document."""
    summary = (view.__doc__ or "").partition("\n")[0]
    return Route(
        "GET",
        path,
        view,
        who,
        RouteKind.PAGE,
        summary,
        (_HTML,),
        problems=("not_found",),
        documented=False,
        for_deleted=for_deleted,
        without_factor=without_factor,
    )


def draw(context: RequestContext, template: str, *, status: int = 200, **values: Any) -> Reply:
    """The page that a template makes of ``values``, in the shell of whoever looks."""
    return draw_in(shell_of(context), template, status=status, **values)


def draw_in(shell: Shell, template: str, *, status: int = 200, **values: Any) -> Reply:
    """`draw` in a shell that is known."""
    text = _environment().get_template(template).render(shell=shell, status=status, **values)
    return reply(text, status, HTML)


def shell_of(context: RequestContext) -> Shell:
    """Who looks, at which organisation."""
    own = context.caller.organisation_id if isinstance(context, OrganisationContext) else None
    return shell_for(context.application, context.person, own)


def shell_for(application: Application, person: Person | None, own: str | None) -> Shell:
    """The frame for somebody, or nobody, who looks at the organisation ``own``, if it is one of theirs."""
    if person is None:
        return Shell(application.settings.fonts)
    account = read_account(application, person.account_id)
    organisations = organisations_of(application, person, deleted=True)
    shown = next((one for one in organisations if one.id == own), None)
    return Shell(
        application.settings.fonts,
        Known(person.account_id, account.name, account.email, person.operator),
        [one for one in organisations if one.purge_at is None],
        shown,
        charged=application.plans.charged,
        late=None if shown is None else wanted_payment(application, shown.id),
        coming=coming_policy(application, person.account_id),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Escapes everything, and a name that no view gives is an error rather than a gap."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )
    made.filters.update(FILTERS)
    return made
