"""Which network a request comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.http.transport import UNKNOWN, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", UNKNOWN),
        ("unix:", UNKNOWN),
        ("_hidden", UNKNOWN),
    ],
)
def test_an_address_s_network(address: str, network: str) -> None:
    assert network_of({"REMOTE_ADDR": address}, 0) == network
    assert network_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"x, {address or '-'}"}, 1) == network


@pytest.mark.parametrize(
    ("proxies", "network"),
    [(0, "10.0.0.1"), (1, "198.51.100.3"), (2, "198.51.100.2"), (3, "198.51.100.1"), (4, "10.0.0.1")],
)
def test_only_what_our_own_proxies_added_is_believed(proxies: int, network: str) -> None:
    told = "198.51.100.1, 198.51.100.2,198.51.100.3"

    assert network_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": told}, proxies) == network


@given(st.text(max_size=60), st.text(max_size=20), st.integers(0, 3))
def test_nothing_that_is_sent_breaks_it(told: str, remote: str, proxies: int) -> None:
    assert network_of({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": told}, proxies)


@given(st.text(max_size=60), st.ip_addresses(v=4))
def test_whatever_a_client_writes_in_front_changes_nothing(forged: str, address: object) -> None:
    told = f"{forged}, {address}"

    assert network_of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": told}, 1) == str(address)
