"""What the daemon is called from outside."""

from __future__ import annotations

import pytest

from localpi.web.outside import link_prefix, root_url

HOST = {"HTTP_HOST": "localhost:3141", "wsgi.url_scheme": "http"}


@pytest.mark.parametrize(
    ("headers", "configured", "prefix", "root"),
    [
        ({}, "", "", "http://localhost:3141"),
        ({"HTTP_X_FORWARDED_PREFIX": "/pypi/"}, "", "/pypi", "http://localhost:3141/pypi"),
        ({"HTTP_X_OUTSIDE_URL": "https://p.example/x"}, "", "/x", "https://p.example/x"),
        ({}, "https://p.example/set/", "/set", "https://p.example/set"),
        ({"HTTP_X_OUTSIDE_URL": "https://q.example"}, "https://p.example/set", "", "https://q.example"),
        ({"HTTP_X_FORWARDED_PREFIX": "/a"}, "https://p.example/set", "/a", "http://localhost:3141/a"),
        ({"HTTP_X_FORWARDED_PREFIX": "//evil.example"}, "", "", "http://localhost:3141"),
        ({"HTTP_X_FORWARDED_PREFIX": '/"><script>'}, "", "", "http://localhost:3141"),
        ({"HTTP_X_OUTSIDE_URL": "javascript:alert(1)"}, "", "", "http://localhost:3141"),
        ({"HTTP_X_FORWARDED_PREFIX": "/" + "a" * 500}, "", "", "http://localhost:3141"),
        ({"HTTP_X_OUTSIDE_URL": "http://[broken"}, "", "", "http://localhost:3141"),
        ({"HTTP_X_OUTSIDE_URL": 'http://a"b/'}, "", "", "http://localhost:3141"),
    ],
)
def test_headers_of_a_proxy_go_before_the_setting(
    headers: dict[str, str], configured: str, prefix: str, root: str
) -> None:
    """X-Outside-Url, X-Forwarded-Prefix, then outside_url; what is not plain is passed over."""
    environ = HOST | headers
    assert (link_prefix(environ, configured), root_url(environ, configured)) == (prefix, root)
