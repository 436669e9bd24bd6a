"""What names a value to whoever is refused, so that they can call it an example."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pigi.store.sealing import bind

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.resources.secrets import Sign


def signer(application: Application, organisation_id: str) -> Sign:
    """Names by a keyed hash, of the organisation's own: from a log or a report nobody can guess the value."""

    def sign(digest: str) -> str:
        whole = bytes.fromhex(application.keyring.digest("example", bind(organisation_id, digest)))
        return base64.urlsafe_b64encode(whole[:16]).decode().rstrip("=")

    return sign
