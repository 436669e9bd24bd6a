from __future__ import annotations

import pytest

from pigi.settings import Settings


@pytest.mark.parametrize("name", ["HOME", "HOST", "PORT", "MODE", "REGION", "SECRET_KEYS", "PUBLIC_URL"])
def test_variables_that_others_set_do_not_reach_the_settings(monkeypatch, name):
    expected = Settings()
    monkeypatch.setenv(name, "1234")
    assert Settings() == expected


def test_the_home_is_beside_the_program_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings().home == tmp_path / "var"
    monkeypatch.setenv("PIGI_HOME", str(tmp_path / "elsewhere"))
    assert Settings().home == tmp_path / "elsewhere"
