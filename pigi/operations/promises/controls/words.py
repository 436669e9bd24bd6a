"""What no probe can see, and somebody answers for: an operator says so, for a time, on record."""

from __future__ import annotations

from pigi.domain.controls import Control, Evidence

DOES_NOT_SHOW = "Whether it is so. It is an operator's word, and the audit log says whose."

CONTROLS = (
    Control(
        "nobody-sells-data",
        "P06",
        Evidence.ATTESTED,
        None,
        "Whoever runs this installation says that nobody sells or rents personal data, by Pigi or around it.",
        DOES_NOT_SHOW,
    ),
    Control(
        "mail-is-read",
        "P12",
        Evidence.ATTESTED,
        None,
        "Whoever runs this installation says that the addresses for support and for security are read.",
        DOES_NOT_SHOW,
    ),
    Control(
        "provider-trains-nothing",
        "P13",
        Evidence.ATTESTED,
        None,
        "Whoever runs this installation says that its contract with the provider of the AI excludes training.",
        DOES_NOT_SHOW,
    ),
    Control(
        "machines-stand-in-the-union",
        "P17",
        Evidence.ATTESTED,
        None,
        "Whoever runs this installation says that its machines, databases and backups stand in the European Union.",
        DOES_NOT_SHOW,
    ),
)
