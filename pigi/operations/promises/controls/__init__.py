"""Controls, one module a group. Each declares ``CONTROLS`` and holds their probes, `pigi.domain.controls` says how."""
