"""Exports: a copy of an organisation's configuration, or of what is held about a person."""

from __future__ import annotations

from pigi.operations.exports.access import request_access, write_access
from pigi.operations.exports.configuration import request_configuration, write_configuration
from pigi.operations.exports.exports import (
    EXPORT,
    ExportView,
    Owner,
    add_canary_export,
    add_export,
    clean_up,
    find_owner,
    forget_export,
    list_exports,
    read_export,
)
from pigi.operations.exports.files import ExportFile, LinkSignature, is_signed, open_file, sign_link
from pigi.operations.exports.oversight import (
    count_preparing,
    deliver,
    jobs_of,
    list_started,
    start_export,
    take_copy,
)
from pigi.operations.exports.parts import PartWriter

__all__ = [
    "EXPORT",
    "ExportFile",
    "ExportView",
    "LinkSignature",
    "Owner",
    "PartWriter",
    "add_canary_export",
    "add_export",
    "clean_up",
    "count_preparing",
    "deliver",
    "find_owner",
    "forget_export",
    "is_signed",
    "jobs_of",
    "list_exports",
    "list_started",
    "open_file",
    "read_export",
    "request_access",
    "request_configuration",
    "sign_link",
    "start_export",
    "take_copy",
    "write_access",
    "write_configuration",
]
