"""The product's sources, read as syntax trees."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("pigi", "web", "worker", "tasks", "schedules")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product by its path, and celeryconfig; migrations are read by Alembic alone."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = [ROOT / "celeryconfig.py", *(path for path in paths if "migrations" not in path.parts)]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(found)}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method, with its path and name."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                yield f"{path}:{node.name}", node


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From ``def`` to the end, without decorators and docstring."""
    first = node.body[0]
    told = first if isinstance(first, ast.Expr) and ast.get_docstring(node) is not None else None
    spoken = 0 if told is None else (told.end_lineno or told.lineno) - told.lineno + 1
    return (node.end_lineno or node.lineno) - node.lineno + 1 - spoken


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call, with its path."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, node


def tracked() -> list[Path]:
    """Every file that is or would be tracked."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter printed."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
