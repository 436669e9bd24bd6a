"""What backups and restoring them say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

BACKUPS: Final[dict[str, Reason]] = {
    "backup_recipient_missing": Reason(
        "There is no key to make backups for.",
        "Run `pigi backups keygen --to FILE` on a machine that does not run Pigi, keep the file there, and set "
        "PIGI_BACKUP_RECIPIENT to what it prints.",
    ),
    "backup_recipient_invalid": Reason(
        "PIGI_BACKUP_RECIPIENT is no public key of age.",
        "Set it to what `pigi backups keygen` printed: it begins with age1.",
    ),
    "backup_incomplete": Reason(
        "A backup was made, but some organisations are not in it.",
        "The error log and `pigi backup` name them; see whether their databases are there and sound.",
    ),
    "backup_identity_invalid": Reason(
        "The file holds no private key of age.",
        "Give the one that `pigi backups keygen` wrote: a line of it begins with AGE-SECRET-KEY-1.",
    ),
    "backup_identity_wrong": Reason(
        "The backup was encrypted for another key.",
        "Look for the private key that belonged to PIGI_BACKUP_RECIPIENT when the backup was made.",
    ),
    "backup_damaged": Reason(
        "This is no backup of Pigi, or it was altered or cut off.", "Nothing was restored. Take another backup."
    ),
    "backup_unsigned": Reason(
        "No key of this keyring signed the backup.",
        "Set PIGI_SECRET_KEYS to the keyring of the installation that made it; without that nothing in it can be read.",
    ),
    "backup_key_missing": Reason(
        "The backup needs a key that is not in this keyring.",
        "Nothing was restored. Put the key that was removed since back behind the others in PIGI_SECRET_KEYS.",
    ),
    "backup_newer": Reason(
        "A later version of Pigi made the backup.", "Install that version, or a later one, and restore with it."
    ),
    "backup_other_engine": Reason(
        "The backup is of another kind of database.",
        "Set DATABASE_URL and TENANT_DATABASE_URL to what the backup was made of, SQLite or PostgreSQL.",
    ),
    "backup_too_old": Reason(
        "The backup is older than backups are kept, 21 days.",
        "Restore a later one. What such an old one holds should have been gone by now, and nothing may bring it back.",
    ),
    "restore_not_empty": Reason(
        "The databases that the settings name are in use.",
        "A restore overwrites nothing: set PIGI_HOME, DATABASE_URL and TENANT_DATABASE_URL to places where there is "
        "nothing yet.",
    ),
    "erasures_missing": Reason(
        "The erasure log is not where the settings say, so what was deleted since the backup would come back.",
        "Set BACKUPS_URL and FILES_URL to the stores of the installation that made the backup, or put their folder "
        "'erasures' there. Only if it is lost for good: --erasures-lost.",
    ),
    "restored": Reason(
        "The installation was restored from a backup; this had not ended when the backup was made.",
        "It may have been done since. Look, and ask again for what you miss.",
    ),
}
