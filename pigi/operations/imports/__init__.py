"""Imports: uploads of a configuration export, their reports, and making them configuration."""

from __future__ import annotations

from pigi.operations.imports.acceptance import accept_import, import_configuration
from pigi.operations.imports.document import BrokenFileError
from pigi.operations.imports.imports import (
    ImportState,
    ImportView,
    clean_up,
    clean_up_accepted,
    discard_import,
    list_imports,
    read_import,
)
from pigi.operations.imports.orphans import sweep_imports
from pigi.operations.imports.reading import read_upload, survey_document
from pigi.operations.imports.uploads import Upload

__all__ = [
    "BrokenFileError",
    "ImportState",
    "ImportView",
    "Upload",
    "accept_import",
    "clean_up",
    "clean_up_accepted",
    "discard_import",
    "import_configuration",
    "list_imports",
    "read_import",
    "read_upload",
    "survey_document",
    "sweep_imports",
]
