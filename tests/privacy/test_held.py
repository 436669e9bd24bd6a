"""What people are told may be held about them: all that an access export may show."""

from __future__ import annotations

from pigi.privacy.held import held_about_people
from pigi.privacy.leads import CONTROL_LEADS, TENANT_LEADS


def test_every_sort_of_records_is_told_once_with_its_period():
    told = held_about_people()
    assert sorted(one.title for one in told) == sorted(led.title for led in (CONTROL_LEADS | TENANT_LEADS).values())
    assert all(one.kept and one.why for one in told)
