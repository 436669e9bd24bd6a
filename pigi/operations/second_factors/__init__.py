"""Second factors: setting one up, its recovery codes, turning it off, and taking it off who lost their device."""

from __future__ import annotations

from pigi.operations.second_factors.second_factors import (
    FactorState,
    SecondFactorView,
    SetUp,
    begin_second_factor,
    confirm_second_factor,
    demanding_organisations,
    end_second_factor,
    read_second_factor,
    read_set_up,
    renew_recovery_codes,
    reset_second_factor,
)

__all__ = [
    "FactorState",
    "SecondFactorView",
    "SetUp",
    "begin_second_factor",
    "confirm_second_factor",
    "demanding_organisations",
    "end_second_factor",
    "read_second_factor",
    "read_set_up",
    "renew_recovery_codes",
    "reset_second_factor",
]
