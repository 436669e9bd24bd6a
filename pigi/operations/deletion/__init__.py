"""Deletion of organisations: requesting, undoing, purging and proving it; and the machine that accounts share."""

from __future__ import annotations

from pigi.operations.deletion.account_purge import PLAN as ACCOUNT_PLAN
from pigi.operations.deletion.account_purge import purge_account
from pigi.operations.deletion.accounts import delete_account, restore_account, solely_owned
from pigi.operations.deletion.erasing import erase
from pigi.operations.deletion.machine import Plan, Sealing, carry_out, erase_again
from pigi.operations.deletion.oversight import DeletionCase, late_deletions, list_deletions
from pigi.operations.deletion.purge import PLAN as ORGANISATION_PLAN
from pigi.operations.deletion.purge import purge_organisation
from pigi.operations.deletion.receipts import read_receipt
from pigi.operations.deletion.records import DeletionView, StepView, call_off, deletion_of, open_deletion
from pigi.operations.deletion.requests import (
    close_for_deletion,
    close_organisation,
    delete_organisation,
    read_deletion,
    reopen,
    restore_organisation,
)
from pigi.operations.deletion.steps import Outside, Rows, Step, Together, Work
from pigi.operations.deletion.stopped import StoppedJob, stopped_jobs
from pigi.operations.deletion.sweep import note_open_deletions, sweep_organisations

__all__ = [
    "ACCOUNT_PLAN",
    "ORGANISATION_PLAN",
    "DeletionCase",
    "DeletionView",
    "Outside",
    "Plan",
    "Rows",
    "Sealing",
    "Step",
    "StepView",
    "StoppedJob",
    "Together",
    "Work",
    "call_off",
    "carry_out",
    "close_for_deletion",
    "close_organisation",
    "delete_account",
    "delete_organisation",
    "deletion_of",
    "erase",
    "erase_again",
    "late_deletions",
    "list_deletions",
    "note_open_deletions",
    "open_deletion",
    "purge_account",
    "purge_organisation",
    "read_deletion",
    "read_receipt",
    "reopen",
    "restore_account",
    "restore_organisation",
    "solely_owned",
    "stopped_jobs",
    "sweep_organisations",
]
