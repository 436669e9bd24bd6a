"""What imports are refused for."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

IMPORTS: Final[dict[str, Reason]] = {
    "import_too_large": Reason(
        "The file is larger than this installation takes.",
        "'limit' says how many bytes it may have; an operator can raise PIGI_IMPORT_BYTES.",
    ),
    "uploads_busy": Reason("Others are uploading just now.", "Send it again in half a minute."),
    "too_many_imports": Reason(
        "Too many imports of the organisation wait.",
        "Accept or discard one, or wait until it is read.",
    ),
    "import_not_ready": Reason("The import is still being read.", "Wait for its job; then look at the report."),
    "import_over": Reason(
        "The import was accepted or discarded, or could not be read.",
        "Look at its state; upload the file anew.",
    ),
    "import_under_way": Reason(
        "The import is being accepted.",
        "Wait until its job ends, or cancel that; what was imported stays.",
    ),
    "import_unread": Reason(
        "The file was not read to its end.",
        "Look at the job: it can be retried if it failed. Or upload the file anew.",
    ),
    "import_malformed": Reason(
        "The file is not JSON in UTF-8, or ends too early.",
        "Export it anew, and upload it as it is.",
    ),
    "import_name_twice": Reason(
        "An object in the file has the same name twice.",
        "Export it anew; Pigi writes no such files.",
    ),
    "import_too_deep": Reason(
        "The file nests deeper than any configuration does.",
        "Export it anew; Pigi writes no such files.",
    ),
    "import_value_too_long": Reason(
        "The file has a value of more than a megabyte, which Pigi does not keep.",
        "Shorten it, or leave it out.",
    ),
    "import_too_many": Reason(
        "The file has more projects or resources than can be imported.",
        "Split it: up to 10,000 projects and 1,000,000 resources can come at once.",
    ),
    "import_wrong_order": Reason(
        "A project's name, description or state comes after its resources.",
        "Put them first, as Pigi's own exports do.",
    ),
    "import_unknown_format": Reason(
        "The file is no configuration export of Pigi.",
        "Upload one as Pigi exports it: 'format' and 'version' come first, then the projects.",
    ),
    "import_unknown_version": Reason(
        "The file is of a version of the format that this installation does not know.",
        "Have the operator update Pigi, or export it in version 1.",
    ),
    "import_zip_not_one": Reason(
        "The zip does not hold exactly one .json file.",
        "Put the export alone into it, or upload it without a zip.",
    ),
    "import_zip_broken": Reason(
        "The zip cannot be unpacked.",
        "Make it anew with the export alone in it, packed by deflate as programs do unasked, and without a password; or"
        " upload the export without a zip.",
    ),
    "import_unpacks_too_large": Reason(
        "The file is larger, once unpacked, than this installation takes.",
        "Split it, or have the operator raise PIGI_IMPORT_BYTES.",
    ),
    "import_project_refused": Reason(
        "The resource's project is refused, and it with it.",
        "Correct the project; the report says what is wrong.",
    ),
}
