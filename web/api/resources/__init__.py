"""Resources over HTTP: agents, MCP servers, documents and settings."""

from __future__ import annotations

from web.api.resources.routes import ROUTES

__all__ = ["ROUTES"]
