"""What another site makes a browser send is refused."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from common.web.csrf import is_cross_site

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def request(**headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    builder = EnvironBuilder(method="POST", base_url="http://film.example:5000/", headers=names)
    return Request(builder.get_environ())


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "same-origin", "User_Agent": BROWSER},
        {"Sec_Fetch_Site": "none", "User_Agent": BROWSER},
        {"Origin": "http://film.example:5000", "User_Agent": BROWSER},
        {"User_Agent": "curl/8.0"},
        {},
        {"Authorization": "Bearer abc", "Origin": "https://evil.example"},
    ],
)
def test_our_own_pages_and_scripts_pass(headers: dict[str, str]) -> None:
    assert not is_cross_site(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": ""},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://film.example:5000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://film.example:5001"},
        {"Origin": "http://film.example.evil.example:5000"},
        {"User_Agent": BROWSER},
        {"Authorization": "Basic YTpi", "Origin": "https://evil.example"},
        {
            "Authorization": "Bearer abc",
            "Cookie": "matinee_session=x",
            "Origin": "https://evil.example",
        },
    ],
)
def test_other_sites_are_refused(headers: dict[str, str]) -> None:
    assert is_cross_site(request(**headers))
