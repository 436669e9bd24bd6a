"""What a user would write instead of Pigi's front, for the same server.

``/plain``: pydantic, one Core insert, one LPUSH of a prepared message. ``/usual``: an ORM row and ``delay()``.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import redis
from flask import Flask, jsonify, request
from pydantic import BaseModel, Field
from sqlalchemy import DateTime, String, Text, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.bare import noop
from pigi.jobs.queueing.notifications import encode
from pigi.jobs.queueing.partitions import Notification
from pigi.store.engines import make_engine


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "plain_job"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    purpose: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Body(BaseModel):
    resource: str = Field(max_length=40)
    name: str = Field(max_length=80)
    purpose: str = Field(max_length=2000)


app = Flask(__name__)
engine = make_engine(os.environ["PLAIN_DATABASE_URL"])
client = redis.Redis.from_url(os.environ["REDIS_URL"])
Base.metadata.create_all(engine)


def _values(body: Body) -> dict[str, Any]:
    moment = datetime.now(UTC)
    return {
        "id": str(uuid4()),
        "kind": body.resource,
        "state": "queued",
        "name": body.name,
        "purpose": body.purpose,
        "created_at": moment,
    }


def _answer(job_id: str) -> Any:
    response = jsonify({"id": job_id, "state": "queued"})
    response.status_code = 202
    response.headers["Location"] = f"/jobs/{job_id}"
    return response


@app.post("/plain")
def plain() -> Any:
    values = _values(Body.model_validate_json(request.get_data()))
    with engine.begin() as connection:
        connection.execute(insert(Row), values)
    client.lpush("pigi:nobody", encode(Notification("nobody", "bench.plain", values["id"])))
    return _answer(values["id"])


@app.post("/usual")
def usual() -> Any:
    body = Body.model_validate(request.get_json())
    with Session(engine) as session:
        row = Row(**_values(body))
        session.add(row)
        session.commit()
        job_id = row.id
    noop.delay(job_id)
    return _answer(job_id)
