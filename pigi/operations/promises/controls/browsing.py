"""Controls of what browsers are told: a visitor without one looks at the service (P05, P23, P24, P35 to P37)."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from importlib.resources import files
from typing import TYPE_CHECKING

from pigi.domain.controls import Control, Evidence, Finding
from pigi.operations.accounts import csrf_token
from pigi.operations.promises.canary import resident, signed_in, with_password
from pigi.operations.promises.visits import SESSION, XSRF, XSRF_HEADER, UnreachableError, Visitor, forget_visits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pigi.application import Application
    from pigi.operations.promises.canary import Canary
    from pigi.operations.promises.visits import Answer, Page

FONTS = "fonts.bunny.net"
COOKIES = frozenset({SESSION, XSRF})
STORED = frozenset({"pigi_theme"})
OUTSIDE, INSIDE = 8, 16
"""How many pages are visited as anybody, and as somebody signed in."""
OWN_SESSION = "/api/v1/session"
OK, REFUSED = 200, 403
KEY = re.compile(r"""(?:local|session)Storage\.(?:set|get|remove)Item\(\s*([\w$]+|"[^"]*"|'[^']*')""")
NAMED = re.compile(r"""const\s+([\w$]+)\s*=\s*["']([^"']*)["']""")
ELSEWHERE = re.compile(r"document\.cookie\s*=|indexedDB\.|caches\.open|serviceWorker\.register")
TEMPLATES = "pigi.mail_templates"
ADDRESS = re.compile(r"""(?:https?:)?//([a-z0-9.-]+)""", re.IGNORECASE)
PIXEL = re.compile(
    r"<(?:img|iframe|script|object|embed|video|audio)\b|background(?:-image)?\s*[:=][^;>]*url\(", re.IGNORECASE
)


def _font_hosts(application: Application) -> frozenset[str]:
    """Whom pages may ask for fonts besides Pigi, as PIGI_FONTS has it."""
    return frozenset({FONTS} if application.settings.fonts == "bunny" else ())


def _inside(canary: Canary) -> list[str]:
    return ["/dashboard", f"/o/{canary.organisation_id}", "/account"]


def _visits(application: Application, *, inside: bool = True) -> Iterator[tuple[Answer, Page]]:
    """Pages as anybody sees them and, with ``inside``, as the canary does. Raises UnreachableError."""
    forget_visits(application)
    yield from _crawled(Visitor.of(application), ["/"], OUTSIDE)
    if inside:
        canary = resident(application)
        with signed_in(application, canary) as token:
            yield from _crawled(Visitor.of(application, token), _inside(canary), INSIDE)


def _crawled(visitor: Visitor, starts: list[str], most: int) -> list[tuple[Answer, Page]]:
    """These visits; raises UnreachableError if none of ``starts`` is there: of pages of errors everything holds."""
    visited = list(visitor.crawl(starts, most))
    if not any(answer.status == OK and answer.path in starts for answer, _page in visited):
        raise UnreachableError
    return visited


def _cookies(answers: Iterable[Answer]) -> SimpleCookie:
    found = SimpleCookie()
    for answer in answers:
        for line in answer.all("Set-Cookie"):
            found.load(line)
    return found


def cookies_and_storage(application: Application) -> Finding:
    """Whether any page sets a cookie, or any script keeps something, beyond what is promised."""
    visited = list(_visits(application))
    cookies = set(_cookies(answer for answer, _page in visited))
    scripts = {address for _answer, page in visited for tag, address in page.loaded if tag == "script"}
    visitor = Visitor.of(application)
    texts = [visitor.ask("GET", path).text for path in sorted(scripts) if path.startswith("/")]
    kept, strange = set[str](), 0
    for text in texts:
        names = dict(NAMED.findall(text))
        kept |= {names.get(key, key.strip("\"'")) for key in KEY.findall(text)}
        strange += len(ELSEWHERE.findall(text))
    looked = f"{len(visited)} pages and {len(texts)} scripts"
    if cookies - COOKIES or kept - STORED or strange:
        names_found = ", ".join(sorted((cookies - COOKIES) | (kept - STORED))) or "storage of another sort"
        return Finding(False, f"{looked} keep what was not promised: {names_found}.")
    return Finding(True, f"{looked} set no cookie beyond the two and keep nothing but the theme.")


def nothing_before_signing_in(application: Application) -> Finding:
    """Whether somebody who only looks gets a cookie."""
    visited = list(_visits(application, inside=False))
    cookies = set(_cookies(answer for answer, _page in visited))
    if cookies:
        return Finding(False, f"{len(visited)} pages set {', '.join(sorted(cookies))} before anybody signs in.")
    return Finding(True, f"{len(visited)} pages set no cookie for somebody who is not signed in.")


def no_trackers(application: Application) -> Finding:
    """Whether pages load anything from elsewhere, or may; and whether mails tell that they are read."""
    visited, home = list(_visits(application)), application.settings.public_url
    pages = [(answer, page) for answer, page in visited if answer.one("Content-Type").startswith("text/html")]
    hosts = _font_hosts(application)
    wrong = {host for _answer, page in pages for host in page.hosts(home)} - hosts
    lax = [answer.path for answer, _page in pages if not _is_strict(answer, hosts)]
    mails, flaws = _mail_flaws()
    if wrong or lax or flaws or not pages:
        said = [*sorted(wrong), *(f"policy of {path}" for path in lax[:3]), *flaws[:3]]
        return Finding(
            False, f"Of {len(pages)} pages and {mails} mail templates: {', '.join(said) or 'nothing to see'}."
        )
    return Finding(
        True,
        f"{len(pages)} pages load from {' and '.join(['Pigi', *hosts])} alone and may no more; {mails} mail templates"
        " load nothing.",
    )


def _policy(answer: Answer) -> dict[str, set[str]]:
    directives = (part.split() for part in answer.one("Content-Security-Policy").split(";"))
    return {words[0].lower(): set(words[1:]) for words in directives if words}


def _is_strict(answer: Answer, hosts: Iterable[str]) -> bool:
    """Whether the policy lets a page run, contact and show nothing but Pigi's own, and fonts of these hosts."""
    policy = _policy(answer)
    own, fonts = {"'self'"}, {"'self'", *(f"https://{host}" for host in hosts)}
    limits = {"script-src": own, "connect-src": own, "img-src": own, "form-action": own}
    limits |= {"style-src": fonts, "font-src": fonts}
    rest = all(allowed <= own | {"'none'"} for name, allowed in policy.items() if name not in limits)
    # What a policy does not name falls back to its default, form-action alone does not.
    fall_back = policy.get("default-src", {"*"})
    return rest and all(
        policy.get(name, {"*"} if name == "form-action" else fall_back) <= allowed | {"'none'"}
        for name, allowed in limits.items()
    )


def _mail_flaws() -> tuple[int, list[str]]:
    """How many mail templates there are; and which load something, or name a host, which no link of Pigi's does."""
    texts = {
        path.name: path.read_text() for path in files(TEMPLATES).iterdir() if path.name.endswith((".html", ".txt"))
    }
    return len(texts), [name for name, text in sorted(texts.items()) if PIXEL.search(text) or _foreign(text)]


def _foreign(text: str) -> set[str]:
    return {host.lower() for host in ADDRESS.findall(text)} - {"www.w3.org"}


def fonts_without_tracks(application: Application) -> Finding:
    """Whether browsers fetch fonts without telling from where, or as whom."""
    visited = list(_visits(application, inside=False))
    pages = [answer for answer, _page in visited if answer.one("Content-Type").startswith("text/html")]
    told = [answer.path for answer in pages if answer.all("Referrer-Policy") != ["no-referrer"]]
    allowed = {source for answer in pages for source in _policy(answer).get("font-src", {"*"})}
    hosts = _font_hosts(application)
    strange = allowed - {"'self'", "'none'", *(f"https://{host}" for host in hosts)}
    asked = [address for _answer, page in visited for _tag, address in page.loaded if FONTS in address]
    if told or strange or not pages:
        return Finding(
            False, f"Fonts may come from {', '.join(sorted(allowed)) or 'nowhere'}; {len(told)} pages tell where."
        )
    return Finding(
        True,
        f"{len(pages)} pages send no referrer and take fonts from {' and '.join(hosts) or 'nobody else'} at most;"
        f" {len(asked)} times one names {FONTS}.",
    )


def sessions_end(application: Application) -> Finding:
    """Whether the cookies of a real sign-in end with the browser, and are worth nothing after log-out."""
    forget_visits(application)
    canary, visitor = resident(application), Visitor.of(application)
    with with_password(application, canary) as password:
        opened = visitor.ask("POST", OWN_SESSION, {"email": canary.address, "password": password})
    cookies = _cookies([opened])
    if SESSION not in cookies:
        return Finding(False, f"Signing in was answered {opened.status} without a session's cookie.")
    inside = Visitor.of(application, cookies[SESSION].value)
    before = inside.ask("GET", OWN_SESSION).status
    closed = inside.ask("DELETE", OWN_SESSION).status
    after = inside.ask("GET", OWN_SESSION).status
    flaws = _lasting(cookies, secure=application.settings.public_url.startswith("https:"))
    if flaws or (before, after) != (200, 401):
        return Finding(
            False, f"{'; '.join(flaws) or 'cookies as promised'}; {before} before log-out, {after} after ({closed})."
        )
    return Finding(
        True, f"A sign-in set {len(cookies)} cookies without an end of their own; after log-out their copy was refused."
    )


def _lasting(cookies: SimpleCookie, *, secure: bool) -> list[str]:
    flaws = [f"{name} has an end of its own" for name, one in cookies.items() if one["max-age"] or one["expires"]]
    flaws += [
        f"{name} is open to other sites" for name, one in cookies.items() if one["samesite"] not in {"Lax", "Strict"}
    ]
    flaws += [f"{name} goes without TLS" for name, one in cookies.items() if secure and not one["secure"]]
    return flaws + ([] if cookies[SESSION]["httponly"] else [f"{SESSION} is open to scripts"])


def forgeries_refused(application: Application) -> Finding:
    """Whether what another site could make a browser send is refused."""
    forget_visits(application)
    canary = resident(application)
    path = f"/api/v1/organisations/{canary.organisation_id}"
    with signed_in(application, canary) as token, signed_in(application, canary) as other:
        visitor = Visitor.of(application, token)
        wrong = {XSRF_HEADER: csrf_token(other)}
        forged = [
            visitor.ask("PATCH", path, {}, proved=False).status,
            visitor.ask("PATCH", path, {}, wrong, proved=False).status,
            visitor.ask("PATCH", path, {}, {"Sec-Fetch-Site": "cross-site"}).status,
        ]
        own = visitor.ask("PATCH", path, {}).status
    if forged != [REFUSED] * len(forged) or own == REFUSED:
        return Finding(False, f"Forged requests were answered {forged}, one from Pigi's own page {own}.")
    return Finding(True, f"{len(forged)} forged requests were refused: no token, another session's, from another site.")


CONTROLS = (
    Control(
        "pages-keep-what-is-promised",
        "P05",
        Evidence.SYNTHETIC,
        cookies_and_storage,
        "Pages visited as anybody and as Pigi's own canary set no other cookie, and their scripts name no other key.",
        "What a browser does with them; a real one looks at every page before each release.",
    ),
    Control(
        "no-cookie-before-signing-in",
        "P37",
        Evidence.SYNTHETIC,
        nothing_before_signing_in,
        "Whoever only reads Pigi's pages is given no cookie.",
        "Pages that no link leads to.",
    ),
    Control(
        "nothing-that-tracks",
        "P23",
        Evidence.SYNTHETIC,
        no_trackers,
        "Pages load from nobody else and tell browsers to refuse it; mails have no image and no foreign link.",
        "What a visitor's own browser adds.",
    ),
    Control(
        "fonts-without-referrer",
        "P24",
        Evidence.SYNTHETIC,
        fonts_without_tracks,
        "No page tells the host of the fonts where it was asked from, and none takes fonts from anybody else.",
        "The network address, which that host sees, and what it does with it.",
    ),
    Control(
        "sessions-end",
        "P35",
        Evidence.SYNTHETIC,
        sessions_end,
        "The cookies of a sign-in end with the browser, and a copy of them is refused after log-out.",
        "When a browser considers itself closed.",
    ),
    Control(
        "forgeries-refused",
        "P36",
        Evidence.SYNTHETIC,
        forgeries_refused,
        "Requests without the session's token, with another's, and from another site are refused.",
        "Every route: one is tried each time; tests try all.",
    ),
)
