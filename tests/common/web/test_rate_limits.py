"""Networks and waiting times of rate limits."""

import pytest

from common.web import rate_limits
from common.web.rate_limits import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_a_line_of_ipv6_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("reset", "seconds"), [(1000.2, 1), (900.0, 1), (1059.5, 60), (4600.0, 3600), (4600.4, 3600)]
)
def test_retry_after_is_from_one_second_to_the_window(
    monkeypatch: pytest.MonkeyPatch, reset: float, seconds: int
) -> None:
    monkeypatch.setattr("common.web.rate_limits.time.time", lambda: 1000.0)
    assert rate_limits._seconds_until(reset, window=3600) == seconds
