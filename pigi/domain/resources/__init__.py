"""Resources: their kinds and schemas, drafts of them, and the rules that they must keep.

`pigi.domain.resources.saving` checks what somebody saves, and is imported by its own name.
"""

from __future__ import annotations

from pigi.domain.resources.drafts import (
    DRAFT_LENGTH,
    UNUSABLE,
    as_json,
    expected_name,
    json_schema,
    lint_draft,
    name_draft,
    name_flaw,
    parse_draft,
    with_defaults,
)
from pigi.domain.resources.kinds import (
    RESOURCES,
    Agent,
    Document,
    McpServer,
    ResourceKind,
    ResourceState,
    Settings,
)
from pigi.domain.resources.lint import Finding

__all__ = [
    "DRAFT_LENGTH",
    "RESOURCES",
    "UNUSABLE",
    "Agent",
    "Document",
    "Finding",
    "McpServer",
    "ResourceKind",
    "ResourceState",
    "Settings",
    "as_json",
    "expected_name",
    "json_schema",
    "lint_draft",
    "name_draft",
    "name_flaw",
    "parse_draft",
    "with_defaults",
]
