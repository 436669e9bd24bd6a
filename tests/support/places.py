"""What somebody writes into an address to lead others away with it after they have signed in."""

from __future__ import annotations

EVIL = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "https:evil.example", "https:/evil.example", "evil", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "data:text/html,x", "/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/\r/evil.example",
    "/%0d%0aSet-Cookie", "/a\\b", " /a", "/a\n", "", ".", "/..//evil.example", "/.//evil.example",
    "/%2e/%2e%2e//evil.example", "/account/..//evil.example", "/{x}/evil.example", "/{x}{x}/evil.example",
    "/{email}", "/{password}/evil.example", "/{code}/evil.example", "/{name}/", "{x}//evil.example",
    "/account/{x}", "/%2f%2fevil.example", "/%2fevil.example", "/%5cevil.example", "/%09/evil.example",
    "/@evil.example", "/dashboard@evil.example", "http:evil.example", "//evil.example/%2f..",
    "/\u2028/evil.example", "/\u200b/evil.example", "/\uff0fevil.example",
    "/account/%2e%2e/%2e%2e//evil.example", "/api/v1/session",
    "/" + "a" * 3000,
)  # fmt: skip
