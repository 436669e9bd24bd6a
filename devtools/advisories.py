"""Known holes in what Pigi is built of: looked up where there is a network, held against the lock where there is none.

``python -m devtools.advisories check`` compares every locked version, and every vendored script's, with `DATA`: it asks
nobody. ``look-up`` asks OSV and writes that file anew: of each hole what decides, its names, the package, the versions.
The form is OSV's (https://ossf.github.io/osv-schema/); what of it is left out is told by `reduced`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = "devtools/advisories.json"
ACCEPTED: Final = "devtools/advisories.toml"
LOCK: Final = "requirements-dev.txt"
"""All that is locked: the product's own, and what tests and tools need besides."""
VENDORED: Final = "web/static/vendor/SHA256SUMS"
SCRIPTS: Final = {"htmx": "htmx.org"}
"""By what their files begin with, the names that vendored scripts have at npm."""
SERVICE: Final = "https://api.osv.dev"
OLD: Final = timedelta(days=30)
"""Age from which the file is said to be old."""
LONGEST_ACCEPTANCE: Final = timedelta(days=90)
SECONDS: Final = 30
FAILED: Final = 1
UNREACHABLE: Final = 2

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_SCRIPT = re.compile(r"^[0-9a-f]{64} [ *]([a-z-]+)-([0-9][^/\s]*?)(?:\.min)?\.js$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Component:
    """A package at a version; ``ecosystem`` is OSV's word for where it comes from."""

    ecosystem: str
    name: str
    version: str

    @property
    def package(self) -> str:
        """The package, as the file of advisories names it."""
        return f"{self.ecosystem}:{self.name}"


def components(root: Path) -> list[Component]:
    """Everything of others' in this checkout; raises SystemExit for a vendored script that nobody named."""
    found = {Component("PyPI", named(name), version) for name, version in _LOCKED.findall((root / LOCK).read_text())}
    for name, version in _SCRIPT.findall((root / VENDORED).read_text()):
        if name not in SCRIPTS:
            sys.exit(f"{VENDORED} has {name}, which SCRIPTS in devtools/advisories.py does not name.")
        found.add(Component("npm", SCRIPTS[name], version))
    return sorted(found)


def named(package: str) -> str:
    """A package's name as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", package).lower()


def reduced(vulnerability: Mapping[str, Any], packages: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What is kept of one of OSV's entries, once for each of these packages that it is about.

    Left out are its words, its severity, ranges of commits, and versions one by one where there are ranges of them.
    """
    if "withdrawn" in vulnerability:
        return
    for affected in vulnerability.get("affected", ()):
        package = affected.get("package", {})
        name = f"{package.get('ecosystem')}:{named(package.get('name', ''))}"
        if name in packages:
            ranges = [one["events"] for one in affected.get("ranges", ()) if one.get("type") in {"ECOSYSTEM", "SEMVER"}]
            yield {
                "id": vulnerability["id"],
                "aliases": sorted(vulnerability.get("aliases", ())),
                "package": name,
                "ranges": ranges,
                "versions": [] if ranges else sorted(affected.get("versions", ())),
            }


def is_affected(version: str, advisory: Mapping[str, Any]) -> bool:
    """Whether a version is named or lies in a range. One that cannot be compared counts as affected."""
    if version in advisory["versions"]:
        return True
    try:
        return any(_lies_in(Version(version), events) for events in advisory["ranges"])
    except InvalidVersion:
        return True


def _lies_in(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """Between a beginning and the end that follows it: ``fixed`` is the first good version, ``last_affected`` bad."""
    steps = sorted((Version(text), name == "introduced", name) for event in events for name, text in event.items())
    inside = False
    for at, _, name in steps:
        if name == "introduced":
            inside = inside or version >= at
        elif name == "fixed":
            inside = inside and version < at
        elif name == "last_affected":
            inside = inside and version <= at
        if version < at:
            break
    return inside


def mended_in(advisory: Mapping[str, Any]) -> str:
    """The versions that mend it, or that there are none."""
    found = [event["fixed"] for events in advisory["ranges"] for event in events if "fixed" in event]
    return f"mended in {' and '.join(found)}" if found else "not mended in any version that is known"


def check(root: Path, today: date) -> tuple[list[str], list[str]]:
    """What is wrong, and what else there is to say: each a list of sentences."""
    kept, found = json.loads((root / DATA).read_text()), components(root)
    holes = [(own, one) for own in found for one in kept["advisories"] if one["package"] == own.package]
    holes = [(own, one) for own, one in holes if is_affected(own.version, one)]
    wrong, accepted = _accepted(root, holes, today)
    for own, one in holes:
        names = ", ".join((one["id"], *one["aliases"]))
        if one["id"] not in accepted:
            wrong.append(
                f"{own.name} {own.version} has a known hole, {names}: {mended_in(one)}. Take one that mends it"
                f" (make lock), or accept it in {ACCEPTED}, with the reason and {LONGEST_ACCEPTANCE.days} days at most."
            )
    return wrong, list(_words(kept, found, len(holes), today))


def _accepted(
    root: Path, holes: Sequence[tuple[Component, Mapping[str, Any]]], today: date
) -> tuple[list[str], set[str]]:
    """What is wrong with the acceptances, and the ids that are accepted today."""
    wrong, good, known = [], set(), {one["id"] for _, one in holes}
    for entry in tomllib.loads((root / ACCEPTED).read_text()).get("accepted", ()):
        name, until = entry["id"], entry["until"]
        if name not in known:
            wrong.append(f"{ACCEPTED} accepts {name}, which no locked version has: take it away.")
        elif not today <= until <= today + LONGEST_ACCEPTANCE or not entry["reason"].strip():
            wrong.append(f"{ACCEPTED} accepts {name} until {until}: that is over, too far away, or without a reason.")
        else:
            good.add(name)
    return wrong, good


def _words(kept: Mapping[str, Any], found: Sequence[Component], holes: int, today: date) -> Iterator[str]:
    of = date.fromisoformat(kept["as_of"])
    yield f"{len(found)} locked versions, {holes} with a known hole, as known on {of} ({kept['source']})."
    if today - of > OLD:
        yield (
            f"That is {(today - of).days} days ago: holes that were found since are not among them. Where there is a"
            " network, `make advisories` looks them up."
        )
    unknown = sorted({own.package for own in found} - set(kept["packages"]))
    if unknown:
        yield f"Not looked up at all: {', '.join(unknown)}."


def asked(package: str, service: str) -> Iterator[dict[str, Any]]:
    """All that OSV knows of a package, whatever the version."""
    ecosystem, _, name = package.partition(":")
    token = ""
    while True:
        body = {"package": {"ecosystem": ecosystem, "name": name}, **({"page_token": token} if token else {})}
        request = urllib.request.Request(  # noqa: S310 - the service's address, https unless a test has its own
            f"{service}/v1/query", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            page = json.load(answer)
        yield from page.get("vulns", ())
        token = page.get("next_page_token", "")
        if not token:
            return


def in_folder(folder: Path) -> Iterator[dict[str, Any]]:
    """Every entry below a folder that has OSV's form, in JSON or YAML."""
    import yaml  # noqa: PLC0415 - where somebody has such a folder

    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".yaml", ".yml"}:
            entry = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe both
            if isinstance(entry, dict) and "affected" in entry:
                yield entry


def write(root: Path, found: Iterable[Mapping[str, Any]], packages: Sequence[str], as_of: date, source: str) -> int:
    """Write `DATA`, an advisory a line; how many there are."""
    kept = sorted(
        {json.dumps(own, sort_keys=True) for one in found for own in reduced(one, packages)},
        key=lambda line: (json.loads(line)["package"], json.loads(line)["id"]),
    )
    head = {"as_of": as_of.isoformat(), "source": source, "packages": list(packages)}
    lines = ",\n".join(f"  {line}" for line in kept)
    text = f'{json.dumps(head, indent=1)[:-2]},\n "advisories": [\n{lines}\n ]\n}}\n'
    (root / DATA).write_text(text if kept else json.dumps({**head, "advisories": []}, indent=1) + "\n")
    return len(kept)


def look_up(root: Path, options: argparse.Namespace) -> str:
    """Write the file anew, from the service or from a folder that somebody brought; what was found, in words."""
    packages = sorted({own.package for own in components(root)})
    if options.folder is None:
        service = os.environ.get("OSV_URL", SERVICE).rstrip("/")
        found = [one for package in packages for one in asked(package, service)]
        count = write(root, found, packages, datetime.now(UTC).date(), "OSV")
    else:
        packages = [package for package in packages if package.startswith(f"{options.ecosystem}:")]
        count = write(root, in_folder(options.folder), packages, options.as_of, options.source)
    return f"{count} holes of {len(packages)} packages, at whatever version, are in {DATA} now."


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The command; 0, or `FAILED` for a hole, or `UNREACHABLE`."""
    parser = argparse.ArgumentParser(prog="python -m devtools.advisories", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="hold the lock against the file; asks nobody")
    looking = commands.add_parser("look-up", help="write the file anew; asks OSV, or reads a folder")
    looking.add_argument("--folder", type=Path, help="entries in OSV's form, such as a checkout of a database")
    looking.add_argument("--ecosystem", default="PyPI", help="what that folder is about")
    looking.add_argument("--as-of", type=date.fromisoformat, help="of which day that folder is")
    looking.add_argument("--source", default="a folder", help="what that folder is")
    options = parser.parse_args(arguments)
    if options.command == "look-up":
        if options.folder is not None and options.as_of is None:
            parser.error("with --folder, say with --as-of of which day it is")
        try:
            print(look_up(root, options))
        except (urllib.error.URLError, TimeoutError) as error:
            print(f"OSV cannot be reached, and {DATA} is as it was: {error}", file=sys.stderr)
            return UNREACHABLE
        return 0
    wrong, words = check(root, datetime.now(UTC).date())
    print("\n".join(["Known holes:", *(f"  {line}" for line in (*words, *wrong))]))
    return FAILED if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
