"""Tables of an organisation's own database (promise P16). Whatever people write is sealed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Disclosure, Recipient
from pigi.domain.retention import Retention
from pigi.store.base import TenantBase, content, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
CONFIGURATION = Retention.CONFIGURATION
ACTIVE = text("state = 'active'")
"""Names are unique among what is active; an archived thing gives its name free."""


class Generation(TenantBase):
    """One request for a draft. ``purpose`` goes when the job ends (P15); ``fence`` is the attempt that wrote last."""

    __tablename__ = "generation"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the generation", Retention.DRAFT))
    job_id: Mapped[str] = mapped_column(ID, index=True, info=technical("which job", Retention.DRAFT))
    resource: Mapped[str] = mapped_column(CODE, info=technical("kind of resource", Retention.DRAFT))
    name: Mapped[bytes] = mapped_column(
        LargeBinary, info=content("the resource's name, sealed", Retention.DRAFT, to=(Recipient.ANTHROPIC,))
    )
    purpose: Mapped[bytes | None] = mapped_column(
        LargeBinary,
        info=content("what to draft, sealed", Retention.PURPOSE, Disclosure.WITHHELD, (Recipient.ANTHROPIC,)),
    )
    answer: Mapped[bytes | None] = mapped_column(
        LargeBinary,
        info=content("the model's last answer, sealed", Retention.PURPOSE, Disclosure.WITHHELD, (Recipient.ANTHROPIC,)),
    )
    turns: Mapped[int] = mapped_column(Integer, default=0, info=technical("answers so far", Retention.DRAFT))
    draft: Mapped[bytes | None] = mapped_column(LargeBinary, info=content("the draft, sealed", Retention.DRAFT))
    findings: Mapped[str | None] = mapped_column(
        String(4000), info=technical("codes of the rules that the draft broke", Retention.DRAFT)
    )
    instruction: Mapped[str | None] = mapped_column(CODE, info=technical("version of the instruction", Retention.DRAFT))
    model: Mapped[str | None] = mapped_column(String(80), info=technical("which model", Retention.DRAFT))
    input_tokens: Mapped[int] = mapped_column(Integer, default=0, info=technical("cost", Retention.DRAFT))
    output_tokens: Mapped[int] = mapped_column(Integer, default=0, info=technical("cost", Retention.DRAFT))
    fence: Mapped[int] = mapped_column(Integer, default=0, info=technical("fencing", Retention.DRAFT))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.DRAFT))
    drafted_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("age", Retention.DRAFT))


class LiveText(TenantBase):
    """A piece of a draft while it streams; gone when the job ends."""

    __tablename__ = "live_text"

    generation_id: Mapped[str] = mapped_column(
        ForeignKey("generation.id", ondelete="CASCADE"),
        primary_key=True,
        info=technical("which generation", Retention.PURPOSE),
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical("order", Retention.PURPOSE))
    turn: Mapped[int] = mapped_column(Integer, info=technical("which turn of which attempt", Retention.PURPOSE))
    text: Mapped[bytes] = mapped_column(
        LargeBinary, info=content("text as it streams, sealed", Retention.PURPOSE, Disclosure.WITHHELD)
    )


class IndexKey(TenantBase):
    """A key for hashes that the database compares: names are sealed, and still no two may be equal.

    It is no data key, since those rotate and a hash must not change with them; sealing it anew is enough.
    """

    __tablename__ = "index_key"

    use: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("what it hashes", CONFIGURATION))
    key: Mapped[bytes] = mapped_column(LargeBinary, info=secret("the key, sealed", CONFIGURATION))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", CONFIGURATION))


class Project(TenantBase):
    """A place for resources. ``revision`` counts changes of its name and description."""

    __tablename__ = "project"
    __table_args__ = (
        Index("uq_project_name_key", "name_key", unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the project", CONFIGURATION))
    name: Mapped[bytes] = mapped_column(LargeBinary, info=content("its name, sealed", CONFIGURATION))
    name_key: Mapped[str] = mapped_column(String(64), info=secret("keyed hash: no name twice", CONFIGURATION))
    description: Mapped[bytes] = mapped_column(LargeBinary, info=content("what it is for, sealed", CONFIGURATION))
    state: Mapped[str] = mapped_column(CODE, info=technical("active or archived", CONFIGURATION))
    revision: Mapped[int] = mapped_column(Integer, info=technical("counts changes", CONFIGURATION))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", CONFIGURATION))
    updated_at: Mapped[datetime] = mapped_column(Instant, info=technical("last change", CONFIGURATION))
    created_by: Mapped[str] = mapped_column(String(80), info=pseudonym("who made it", CONFIGURATION))


class Resource(TenantBase):
    """An agent, MCP server, document or settings. ``revision`` is the number of its current revision."""

    __tablename__ = "resource"
    __table_args__ = (
        Index("ix_resource_listing", "project_id", "kind", "id"),
        Index(
            "uq_resource_name_key",
            "project_id",
            "kind",
            "name_key",
            unique=True,
            sqlite_where=ACTIVE,
            postgresql_where=ACTIVE,
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the resource", CONFIGURATION))
    project_id: Mapped[str] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), info=technical("in which project", CONFIGURATION)
    )
    kind: Mapped[str] = mapped_column(CODE, info=technical("kind of resource", CONFIGURATION))
    name: Mapped[bytes] = mapped_column(LargeBinary, info=content("its name, sealed", CONFIGURATION))
    name_key: Mapped[str] = mapped_column(String(64), info=secret("keyed hash: no name twice", CONFIGURATION))
    revision: Mapped[int] = mapped_column(Integer, info=technical("the current revision", CONFIGURATION))
    state: Mapped[str] = mapped_column(CODE, info=technical("active or archived", CONFIGURATION))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", CONFIGURATION))
    updated_at: Mapped[datetime] = mapped_column(Instant, info=technical("last revision", CONFIGURATION))


_EXAMPLES = content("values that somebody called examples, by hashes, as sealed JSON", CONFIGURATION)
# Here, because within the class `content` is a column.


class ResourceRevision(TenantBase):
    """What a resource was from one change to the next. A row is written once and never changed."""

    __tablename__ = "resource_revision"

    resource_id: Mapped[str] = mapped_column(
        ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True, info=technical("which resource", CONFIGURATION)
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical("order, without gaps", CONFIGURATION))
    content: Mapped[bytes] = mapped_column(LargeBinary, info=content("all of it, as sealed JSON", CONFIGURATION))
    author: Mapped[str] = mapped_column(String(80), info=pseudonym("who wrote or accepted it", CONFIGURATION))
    origin: Mapped[str] = mapped_column(
        CODE, info=technical("written, generated, or generated and edited", CONFIGURATION)
    )
    instruction: Mapped[str | None] = mapped_column(CODE, info=technical("version of the instruction", CONFIGURATION))
    model: Mapped[str | None] = mapped_column(String(80), info=technical("which model drafted it", CONFIGURATION))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", CONFIGURATION))
    examples: Mapped[bytes | None] = mapped_column(LargeBinary, info=_EXAMPLES)


class Storage(TenantBase):
    """What the organisation stores and wrote today, counted with each write: one row, made by the first of them.

    Counted anew in the night (`pigi.operations.plans.quotas`), so that what a flaw adds to it does not last.
    """

    __tablename__ = "storage"

    only: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical("always 1", CONFIGURATION))
    bytes: Mapped[int] = mapped_column(BigInteger, info=technical("of stored configuration", CONFIGURATION))
    projects: Mapped[int] = mapped_column(Integer, info=technical("archived ones included", CONFIGURATION))
    resources: Mapped[int] = mapped_column(Integer, info=technical("archived ones included", CONFIGURATION))
    day: Mapped[date] = mapped_column(Date, info=technical("of the last write (UTC)", CONFIGURATION))
    writes: Mapped[int] = mapped_column(Integer, info=technical("of that day", CONFIGURATION))
    counted_at: Mapped[datetime] = mapped_column(Instant, info=technical("when it was counted anew", CONFIGURATION))
    told: Mapped[int] = mapped_column(Integer, info=technical("percent that owners were told of", CONFIGURATION))


class Import(TenantBase):
    """An upload on its way into the configuration. Its file is in the files store until it is accepted or discarded."""

    __tablename__ = "import"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the import", Retention.IMPORT))
    job_id: Mapped[str] = mapped_column(ID, index=True, info=technical("which job reads it", Retention.IMPORT))
    state: Mapped[str] = mapped_column(
        CODE, info=technical("reading, ready, accepted, discarded or failed", Retention.IMPORT)
    )
    format: Mapped[str | None] = mapped_column(CODE, info=technical("what the file turned out to be", Retention.IMPORT))
    size: Mapped[int] = mapped_column(BigInteger, info=technical("bytes of the upload", Retention.IMPORT))
    sizes: Mapped[str] = mapped_column(Text, default="", info=technical("sizes of its parts", Retention.IMPORT))
    report: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=content("what it would change, sealed", Retention.IMPORT)
    )
    cursor: Mapped[str] = mapped_column(Text, default="", info=technical("where to go on", Retention.IMPORT))
    requested_by: Mapped[str] = mapped_column(String(80), info=pseudonym("who uploaded it", Retention.IMPORT))
    accept_job_id: Mapped[str | None] = mapped_column(ID, info=technical("which job imports it", Retention.IMPORT))
    accepted_by: Mapped[str | None] = mapped_column(String(80), info=pseudonym("who accepted it", Retention.IMPORT))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.IMPORT))
    ended_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("accepted or discarded", Retention.IMPORT)
    )
