"""The privacy policy over HTTP: the version that counts, all others, and closing the notice of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.policy import write_policy
from pigi.operations.policy import close_notice, policy_history
from web.http.replies import API, as_json, moment, no_content, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Nothing, ResponseModel

if TYPE_CHECKING:
    from pigi.operations.policy import PolicyHistory, PolicyVersionView
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply

OWN = f"{API}/policy"
VERSIONS = f"{OWN}/versions"
State = Literal["past", "current", "coming"]
ChangeName = Literal["first", "wording", "material"]
PROMISE_ID = "^P[0-9]{2}$"


class PolicySection(ResponseModel):
    """A title under which sentences stand."""

    id: str
    title: str


class PolicySentence(ResponseModel):
    """A sentence with its permanent ID, the promises that it rests on, and facts as keys of the inventory."""

    id: str
    section: str
    text: str
    promises: list[str]
    basis: Literal["control", "attested", "definition", "contact"]
    recipients: list[str]
    purposes: list[str]
    categories: list[str]
    periods: list[str]


class PolicyChanged(ResponseModel):
    """What became of a sentence, a section, or of a fact of the code; ``reasons`` say why it is material, if it is."""

    id: str
    kind: Literal["added", "removed", "changed"]
    reasons: list[str]


class PolicyVersionLine(ResponseModel):
    """A version without its text."""

    version: int = Field(ge=1)
    state: State
    change: ChangeName
    published_at: datetime
    effective_at: datetime
    digest: str = Field(description="SHA-256 over sections and sentences, as they are here, in the form of RFC 8785.")
    links: dict[str, str]


class PolicyDocument(PolicyVersionLine):
    """A version of the policy. Its sentences and ``effective_at`` are what `pigi policy publish` takes."""

    sections: list[PolicySection]
    sentences: list[PolicySentence]
    changes: list[PolicyChanged]
    coming: list[PolicyVersionLine] = Field(description="Versions that are published and take effect later.")


class PolicyVersions(ResponseModel):
    """All versions, newest first."""

    versions: list[PolicyVersionLine]


def show_policy(context: RequestContext) -> Reply:
    """The policy that counts now, sentence by sentence."""
    history = policy_history(context.application)
    return _reply(_document(history, history.current))


def show_policy_versions(context: RequestContext) -> Reply:
    """All versions of the policy, also those that take effect later."""
    history = policy_history(context.application)
    return _reply({"versions": [_line(history, one) for one in reversed(history.versions)]})


def show_policy_version(context: RequestContext, number: int) -> Reply:
    """A version of the policy, with what it changed."""
    history = policy_history(context.application)
    return _reply(_document(history, history.numbered(number)))


def close_policy_notice(context: AccountContext, number: int) -> Reply:
    """Have the notice of a version that takes effect soon shown no more to you."""
    read_body(Nothing)
    close_notice(context.application, context.account.account_id, number, context.record_no_content)
    return no_content()


def _reply(document: dict[str, Any]) -> Reply:
    return reply(as_json(document), Cache_Control="no-cache")


def _line(history: PolicyHistory, version: PolicyVersionView) -> dict[str, Any]:
    return {
        "version": version.number,
        "state": history.state_of(version),
        "change": version.change,
        "published_at": moment(version.published_at),
        "effective_at": moment(version.effective_at),
        "digest": version.digest,
        "links": {"self": f"{VERSIONS}/{version.number}", "versions": VERSIONS, "page": "/policy"},
    }


def _document(history: PolicyHistory, version: PolicyVersionView) -> dict[str, Any]:
    return {
        **_line(history, version),
        **write_policy(version.policy),
        "changes": [
            {"id": change.id, "kind": change.kind, "reasons": list(change.reasons)} for change in version.changes
        ],
        "coming": [_line(history, one) for one in history.coming],
    }


ROUTES = (
    Route(
        "GET",
        OWN,
        show_policy,
        Who.ANYONE,
        RouteKind.READ,
        "Read the policy",
        (ResponseSpec(200, "The version that counts", PolicyDocument),),
    ),
    Route(
        "GET",
        VERSIONS,
        show_policy_versions,
        Who.ANYONE,
        RouteKind.READ,
        "List the policy's versions",
        (ResponseSpec(200, "All versions", PolicyVersions),),
    ),
    Route(
        "GET",
        f"{VERSIONS}/<int:number>",
        show_policy_version,
        Who.ANYONE,
        RouteKind.READ,
        "Read a version of the policy",
        (ResponseSpec(200, "The version", PolicyDocument),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        f"{VERSIONS}/<int:number>/close-notice",
        close_policy_notice,
        Who.PERSON,
        RouteKind.WRITE,
        "Close the notice of a version",
        (ResponseSpec(204, "It is shown no more", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("not_found",),
        body=Nothing,
        body_required=False,
    ),
)
