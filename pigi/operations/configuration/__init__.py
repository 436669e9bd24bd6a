"""Configuration: projects, resources and their revisions."""

from __future__ import annotations

from pigi.operations.configuration.projects import (
    PROJECT,
    ProjectView,
    archive_project,
    change_project,
    create_project,
    list_projects,
    read_project,
    unarchive_project,
)
from pigi.operations.configuration.resources import (
    ResourceView,
    archive_resource,
    create_resource,
    find_resource,
    hold_resource,
    list_resources,
    read_resource,
    replace_resource,
    unarchive_resource,
)
from pigi.operations.configuration.revisions import (
    RESOURCE,
    Authorship,
    Origin,
    ResourceAddress,
    RevisionView,
    add_resource,
    add_revision,
    list_revisions,
    read_revision,
)
from pigi.operations.configuration.workspace import (
    check_active,
    check_expected,
    locked_row,
)

__all__ = [
    "PROJECT",
    "RESOURCE",
    "Authorship",
    "Origin",
    "ProjectView",
    "ResourceAddress",
    "ResourceView",
    "RevisionView",
    "add_resource",
    "add_revision",
    "archive_project",
    "archive_resource",
    "change_project",
    "check_active",
    "check_expected",
    "create_project",
    "create_resource",
    "find_resource",
    "hold_resource",
    "list_projects",
    "list_resources",
    "list_revisions",
    "locked_row",
    "read_project",
    "read_resource",
    "read_revision",
    "replace_resource",
    "unarchive_project",
    "unarchive_resource",
]
