"""The keyring: reading it, wrapping with it, rotating it."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pigi.errors import Misconfigured
from pigi.ids import new_id
from pigi.settings import Settings
from pigi.store.keyring import KeyMissingError, Keyring
from pigi.store.sealing import SealBrokenError

OLD, NEW, DATA = b"o" * 32, b"n" * 32, b"d" * 32
HIDDEN = base64.b64encode(b"never to be shown, never to be s").decode()
WRONG = [
    "a:short",
    f"a:{HIDDEN}=",
    f"a:{HIDDEN},a:{HIDDEN}",
    f"a b:{HIDDEN}",
    f"a:{HIDDEN},{HIDDEN}",
    f"a:{HIDDEN[:-4]}",
    HIDDEN,
    f":{HIDDEN}",
    "/no/such/file",
    ",",
]


def settings(home: Path, secret_keys: str = "", **others: Any) -> Settings:
    return Settings(home=home, secret_keys=secret_keys, **others)


def entry(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def test_what_was_wrapped_unwraps_for_the_same_organisation_only() -> None:
    keyring, organisation_id = Keyring([("a", OLD)]), new_id()
    name, wrapped = keyring.wrap(organisation_id, DATA)
    assert keyring.unwrap(organisation_id, name, wrapped) == DATA
    assert DATA not in wrapped
    with pytest.raises(SealBrokenError):
        keyring.unwrap(new_id(), name, wrapped)


@pytest.mark.parametrize("wrapped", [b"", b"short", b"x" * 60])
def test_what_is_not_wrapped_does_not_unwrap(wrapped: bytes) -> None:
    with pytest.raises(SealBrokenError):
        Keyring([("a", OLD)]).unwrap(new_id(), "a", wrapped)


def test_a_changed_byte_or_another_key_of_the_name_is_noticed() -> None:
    keyring, organisation_id = Keyring([("a", OLD)]), new_id()
    name, wrapped = keyring.wrap(organisation_id, DATA)
    for place in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[place] ^= 1
        with pytest.raises(SealBrokenError):
            keyring.unwrap(organisation_id, name, bytes(altered))
    with pytest.raises(SealBrokenError):
        Keyring([("a", NEW)]).unwrap(organisation_id, name, wrapped)


def test_after_a_rotation_the_old_key_still_decrypts_and_the_new_one_encrypts(tmp_path: Path) -> None:
    organisation_id = new_id()
    old = Keyring.from_settings(settings(tmp_path, entry("old", OLD)))
    name, wrapped = old.wrap(organisation_id, DATA)
    both = Keyring.from_settings(settings(tmp_path, f"{entry('new', NEW)},{entry('old', OLD)}"))
    assert both.unwrap(organisation_id, name, wrapped) == DATA
    assert both.wrap(organisation_id, DATA)[0] == "new"
    with pytest.raises(KeyMissingError):
        Keyring([("new", NEW)]).unwrap(organisation_id, name, wrapped)


def test_digests_depend_on_the_first_key_the_label_and_the_data_alone() -> None:
    digest = Keyring([("a", OLD)]).digest("mail", b"x")
    assert digest == Keyring([("renamed", OLD), ("b", NEW)]).digest("mail", b"x")
    assert len(digest) == 64
    others = [
        Keyring([("b", NEW), ("a", OLD)]).digest("mail", b"x"),
        Keyring([("a", OLD)]).digest("other", b"x"),
        Keyring([("a", OLD)]).digest("mai", b"lx"),
        Keyring([("a", OLD)]).digest("mail", b"y"),
    ]
    assert digest not in others


def test_a_file_holds_the_same_entries_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(f"# rotated in May\n\n{entry('new', NEW)}\n{entry('old', OLD)}\n")
    path.chmod(0o600)
    keyring = Keyring.from_settings(settings(tmp_path, str(path)))
    assert keyring.current == "new"
    assert keyring.digest("x", b"") == Keyring([("new", NEW)]).digest("x", b"")


@pytest.mark.parametrize("text", WRONG)
def test_bad_entries_are_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Keyring.from_settings(settings(tmp_path, text))
    assert "PIGI_SECRET_KEYS" in str(refusal.value)
    shown = f"{refusal.getrepr(style='long', showlocals=False)}{refusal.value!r}{refusal.value}"
    assert HIDDEN[:8] not in shown.replace(repr(text), "")


def test_no_key_is_in_a_repr(tmp_path: Path) -> None:
    text = f"a:{HIDDEN}"
    made = settings(tmp_path, text)
    shown = f"{Keyring.from_settings(made)!r}{made!r}"
    assert HIDDEN not in shown
    assert "never to be" not in shown


def test_production_wants_keys(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PIGI_SECRET_KEYS"):
        Keyring.from_settings(settings(tmp_path, mode="production"))
    assert not (tmp_path / "keys").exists()


def test_development_makes_a_private_file_once_even_together(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        keyrings = list(pool.map(lambda _: Keyring.from_settings(settings(home)), range(16)))
    assert len({keyring.digest("x", b"") for keyring in keyrings}) == 1
    assert (home / "keys").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in home.iterdir()) == ["keys", "keys.lock"]


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize(
    ("file", "folder"), [(0o640, 0o700), (0o604, 0o700), (0o620, 0o700), (0o600, 0o770), (0o600, 0o702)]
)
def test_a_file_that_others_could_read_or_replace_is_not_taken(
    tmp_path: Path, mode: str, file: int, folder: int
) -> None:
    path = tmp_path / "secret" / "keys"
    path.parent.mkdir(mode=0o700)
    path.write_text(entry("a", OLD))
    path.chmod(0o600)
    linked = tmp_path / "linked"
    linked.symlink_to(path)
    ways = [settings(tmp_path, str(path), mode=mode), settings(tmp_path, str(linked), mode=mode)]
    ways += [settings(path.parent)] if mode == "development" else []  # the file that it made itself
    for way in ways:
        assert Keyring.from_settings(way).current == "a"
    path.chmod(file)
    path.parent.chmod(folder)
    for way in ways:
        with pytest.raises(Misconfigured, match="chmod"):
            Keyring.from_settings(way)


def test_a_folder_that_anybody_adds_to_but_only_owners_take_from_will_do(tmp_path: Path) -> None:
    made = Keyring.from_settings(settings(tmp_path))
    tmp_path.chmod(0o1777)
    assert Keyring.from_settings(settings(tmp_path)).digest("x", b"") == made.digest("x", b"")
