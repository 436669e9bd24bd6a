"""Whose a row is: for each class the condition on rows that belong to organisations, also by way of other rows.

A hold keeps what these conditions find. They are asked only while something of the class is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, true

from pigi.domain.retention import Retention
from pigi.store.billing import BillingAccount, BillingEvent, BillingLine, BillingLink
from pigi.store.control import IdempotencyKey, Job, Tombstone, UsageCount
from pigi.store.exports import Export
from pigi.store.ledgers import AuditContent, ErrorLog, Mail, RequestLog, UsageSignal
from pigi.store.people import ApiKey, Invitation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement

    Ids = Sequence[str]


def _keys(ids: Ids) -> Any:
    return select(ApiKey.id).where(ApiKey.organisation_id.in_(ids))


def _customers(ids: Ids) -> Any:
    known = BillingAccount.organisation_id.in_(ids) & BillingAccount.customer_id.is_not(None)
    return select(BillingAccount.customer_id).where(known)


def _job(ids: Ids) -> ColumnElement[bool]:
    """Its own, and Pigi's own about it, such as its purge."""
    return or_(Job.organisation_id.in_(ids), Job.subject_id.in_(ids))


def _mail(ids: Ids) -> ColumnElement[bool]:
    about = select(Invitation.id).where(Invitation.organisation_id.in_(ids))
    subjects = (Mail.subject_id.in_(ids), Mail.subject_id.in_(_keys(ids)), Mail.subject_id.in_(about))
    return or_(Mail.organisation_id.in_(ids), *subjects)


def _idempotency(ids: Ids) -> ColumnElement[bool]:
    """Of its API keys, and of people where the answer lies within the organisation."""
    own = select("api-key:" + ApiKey.id).where(ApiKey.organisation_id.in_(ids))
    places = [IdempotencyKey.location.like(f"/api/v1/organisations/{one}/%") for one in ids]
    jobs = select("/api/v1/jobs/" + Job.id).where(_job(ids))
    return or_(IdempotencyKey.caller.in_(own), IdempotencyKey.location.in_(jobs), *places)


def _error(ids: Ids) -> ColumnElement[bool]:
    jobs = select(Job.id).where(_job(ids))
    buried = select(Tombstone.id).where(Tombstone.organisation_id.in_(ids))
    requests = select(RequestLog.request_id).where(RequestLog.organisation_id.in_(ids))
    return or_(ErrorLog.job_id.in_(jobs), ErrorLog.job_id.in_(buried), ErrorLog.request_id.in_(requests))


def audited(ids: Ids) -> ColumnElement[bool]:
    """What an entry of the audit chain is about; the entry itself says nothing."""
    subjects = [f"organisation:{one}" for one in ids]
    return or_(AuditContent.organisation_id.in_(ids), AuditContent.subject.in_(subjects))


BELONGS: dict[Retention, Callable[[Ids], Any]] = {
    Retention.JOB: _job,
    Retention.TOMBSTONE: Tombstone.organisation_id.in_,
    Retention.INVITATION: Invitation.organisation_id.in_,
    Retention.ACCESS_KEY: ApiKey.organisation_id.in_,
    Retention.IDEMPOTENCY: _idempotency,
    Retention.COUNTER: UsageCount.organisation_id.in_,
    Retention.MAIL: _mail,
    Retention.BILLING_EVENT: lambda ids: BillingEvent.customer_id.in_(_customers(ids)),
    Retention.BILLING_LOG: lambda ids: BillingLine.customer_id.in_(_customers(ids)),
    Retention.BILLING_LINK: BillingLink.organisation_id.in_,
    Retention.USAGE: UsageSignal.organisation_id.in_,
    Retention.REQUEST_LOG: RequestLog.organisation_id.in_,
    Retention.ERROR_LOG: _error,
    Retention.EXPORT: Export.organisation_id.in_,
    Retention.EXPORT_RECORD: Export.organisation_id.in_,
    Retention.AUDIT: audited,
}
"""The classes of the control database of which something can be an organisation's."""


def free(retention: Retention, ids: Ids) -> tuple[Any, ...]:
    """The condition on rows that none of these organisations holds; nothing to ask when there are none."""
    # What leads nowhere compares to NULL, and is free.
    return (BELONGS[retention](ids).is_not(true()),) if ids else ()
