"""Accounts of people: registering, signing in and out, changing name, password and address."""

from __future__ import annotations

from pigi.operations.accounts.accounts import (
    ACCOUNT,
    AccountDeletion,
    AccountView,
    add_account,
    find_person_by_email,
    read_account,
)
from pigi.operations.accounts.addresses import confirm_address, undo_address
from pigi.operations.accounts.changes import Change, change_account, request_reset, reset_password
from pigi.operations.accounts.confirmation import ask_for_factor, confirm_session, confirmed_until, prove
from pigi.operations.accounts.failures import FailedDay, list_failures
from pigi.operations.accounts.registration import confirm_registration, register
from pigi.operations.accounts.sessions import (
    SessionView,
    SignedIn,
    close_sessions,
    csrf_token,
    end_other_sessions,
    end_session,
    find_person,
    is_csrf_token,
    list_sessions,
    make_renewal_due,
    open_session,
    renew_session,
    renew_when_due,
    sign_in,
    sign_out,
    sign_out_everywhere,
    start_session,
)

__all__ = [
    "ACCOUNT",
    "AccountDeletion",
    "AccountView",
    "Change",
    "FailedDay",
    "SessionView",
    "SignedIn",
    "add_account",
    "ask_for_factor",
    "change_account",
    "close_sessions",
    "confirm_address",
    "confirm_registration",
    "confirm_session",
    "confirmed_until",
    "csrf_token",
    "end_other_sessions",
    "end_session",
    "find_person",
    "find_person_by_email",
    "is_csrf_token",
    "list_failures",
    "list_sessions",
    "make_renewal_due",
    "open_session",
    "prove",
    "read_account",
    "register",
    "renew_session",
    "renew_when_due",
    "request_reset",
    "reset_password",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "start_session",
    "undo_address",
]
