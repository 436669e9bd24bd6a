"""How long a provider asks us to wait, in every form that it has been asked in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.gateways.retry_after import parse_retry_after

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WAITS = [
    ({"retry-after": "7"}, timedelta(seconds=7)),
    ({"retry-after": " 7 "}, timedelta(seconds=7)),
    ({"retry-after": "1.5"}, timedelta(seconds=1.5)),
    ({"retry-after-ms": "250", "retry-after": "7"}, timedelta(milliseconds=250)),
    ({"retry-after-ms": "soon", "retry-after": "7"}, timedelta(seconds=7)),
    ({"retry-after-ms": "-1", "retry-after": "7"}, timedelta(seconds=7)),
    ({"retry-after": format_datetime(NOW + timedelta(minutes=2), usegmt=True)}, timedelta(minutes=2)),
    ({"retry-after": "Mon, 23 Nov 2026 12:00:30 -0000"}, timedelta(seconds=30)),
    ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, None),
    ({"retry-after": "3600"}, timedelta(hours=1)),
    ({"retry-after": "99999999999999"}, DAY),
    ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, DAY),
    ({"retry-after": "1e300"}, DAY),
    ({"retry-after": "0"}, None),
    ({"retry-after": "-5"}, None),
    ({"retry-after": "inf"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "Mon, 99 Nov 2026 12:00:00 GMT"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "wait"), WAITS)
def test_retry_after(headers: dict[str, str], wait: timedelta | None) -> None:
    assert parse_retry_after(headers, NOW) == wait


@given(st.text(), st.text())
def test_no_header_breaks_it(milliseconds: str, seconds: str) -> None:
    wait = parse_retry_after({"retry-after-ms": milliseconds, "retry-after": seconds}, NOW)
    assert wait is None or timedelta(0) < wait <= DAY
