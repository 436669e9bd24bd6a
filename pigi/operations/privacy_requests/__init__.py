"""Requests about one's data: making them, what happens at once, and the register in which they are answered."""

from __future__ import annotations

from pigi.operations.privacy_requests.answering import answer_request, enter_request, extend_request
from pigi.operations.privacy_requests.making import make_request, withdraw_request
from pigi.operations.privacy_requests.register import (
    PrivacyRequestView,
    count_open_requests,
    list_requests,
    overdue_requests,
    read_own_request,
    read_request,
    standing_requests,
)

__all__ = [
    "PrivacyRequestView",
    "answer_request",
    "count_open_requests",
    "enter_request",
    "extend_request",
    "list_requests",
    "make_request",
    "overdue_requests",
    "read_own_request",
    "read_request",
    "standing_requests",
    "withdraw_request",
]
