"""Regions of hosts that lie in the European Union (promise P17), as their operators name them.

A name that begins with ``eu`` says little: AWS's eu-west-2 is London and its eu-central-2 Zurich, as are Google's
europe-west2 and europe-west6. So names are listed. After the operators' pages of regions, as of November 2026.
"""

from __future__ import annotations

import re

COUNTRIES = frozenset(
    "at be bg cy cz de dk ee es fi fr gr hr hu ie it lt lu lv mt nl pl pt ro se si sk".split()  # noqa: SIM905 - legible
)
"""The member states, by ISO 3166-1 alpha-2; a region may be named by its country, such as ``de`` or ``nl-ams``."""

REGIONS: dict[str, tuple[str, ...]] = {
    "Amazon Web Services": (
        "eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2", "eusc-de-east-1",
    ),
    "Google Cloud": (
        "europe-west1", "europe-west3", "europe-west4", "europe-west8", "europe-west9", "europe-west10",
        "europe-west12", "europe-north1", "europe-north2", "europe-central2", "europe-southwest1",
    ),
    "Microsoft Azure": (
        "westeurope", "northeurope", "germanywestcentral", "germanynorth", "francecentral", "francesouth",
        "swedencentral", "swedensouth", "polandcentral", "italynorth", "spaincentral", "austriaeast",
        "belgiumcentral", "denmarkeast",
    ),
    "Oracle Cloud": (
        "eu-frankfurt-1", "eu-amsterdam-1", "eu-madrid-1", "eu-milan-1", "eu-paris-1", "eu-marseille-1",
        "eu-stockholm-1",
    ),
    "Hetzner": ("eu-central", "fsn1", "nbg1", "hel1"),
    "OVHcloud": (
        "gra", "rbx", "sbg", "waw", "lim", "par", "eu-west-par", "eu-west-gra", "eu-west-rbx", "eu-west-sbg",
        "eu-west-lim", "eu-central-waw", "eu-south-mil",
    ),
    "DigitalOcean": ("ams2", "ams3", "fra1"),
    "without a provider": ("eu",),
}  # fmt: skip
"""By host. Those that name regions by country first (Scaleway, UpCloud, Exoscale, Akamai, IONOS) need no entry."""

_COUNTRY = re.compile(r"([a-z]{2})([-/][a-z0-9/-]+)?")
_LISTED = frozenset(name for names in REGIONS.values() for name in names)


def is_in_the_union(region: str) -> bool:
    """Whether a region, as its host names it, lies in a member state. An unknown name does not."""
    name = region.strip().lower()
    country = _COUNTRY.fullmatch(name)
    return name in _LISTED or (country is not None and country[1] in COUNTRIES)
