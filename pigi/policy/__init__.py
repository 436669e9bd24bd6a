"""The text of the privacy policy, as data: `pigi.domain.policy` reads it."""
