"""What counts as an outage of the database, and what only as others' holding of rows."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pigi.store.outages import is_away, is_passing, retry_while_unavailable
from tests.support.jobs import ask, impatient


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
def test_a_lock_that_was_not_had_in_time_is_no_outage_and_tried_for_again(control, settings, trial):
    job = ask(control, trial)
    touch = text("UPDATE job SET lost = lost WHERE id = :job").bindparams(job=job)
    errors = []

    def write():
        with other.transaction() as connection:
            connection.execute(touch)

    with impatient(settings.database_url) as other, control.transaction() as holding:
        holding.execute(touch)
        with pytest.raises(OperationalError) as raised:
            write()

        def write_at_last():
            try:
                write()
            except OperationalError as error:
                errors.append(error)
                holding.rollback()
                raise

        retry_while_unavailable(write_at_last, 60)
    assert len(errors) == 1
    assert (is_away(raised.value), is_passing(raised.value)) == (False, True)
