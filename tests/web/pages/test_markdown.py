"""Markdown as pages show it: what people wrote is read as text, whatever it tries."""

from __future__ import annotations

import re
import time

import pytest

from web.pages.shell.markdown import rendered

PROSE = """## What to do

Look at *every* change, and **say** what `matters` to [the team](https://team.example/page?a=1&b=2).

- one thing
  - and one below it

| when | what |
|---|---|
| always | this |

```python
if a < b:
    return
```

"""


def test_what_people_write_is_set_as_text() -> None:
    page = rendered(PROSE)
    assert page is not None
    for part in (
        "<h2>What to do</h2>",
        "<em>every</em>",
        "<strong>say</strong>",
        "<code>matters</code>",
        '<a href="https://team.example/page?a=1&amp;b=2" rel="noopener nofollow">the team</a>',
        "<li>one thing<ul><li>and one below it</li></ul></li>",
        '<th scope="col">when</th>',
        "<td>this</td>",
        "if a &lt; b:\n    return\n",
    ):
        assert part in page


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>b</b>",
        "<example>\n\nSay *yes*\n\n</example>",
        "[a](javascript:alert(1)) [b](JaVaScript:x) [c](data:text/html,x) [d](vbscript:x) <javascript:x>",
        '[a](https://x.example/"onmouseover=x) ![b](https://x.example/"onerror=x)',
        "[a]: javascript:x '\"><img src=x>'\n\n[a] ![a]",
        '!["><script>](https://x.example/y.png)',
        '```"><script>\n</code><script>\n```',
        "# <img src=x onerror=y>",
        "&lt;script&gt; &#60;script&#62;",
    ],
)  # fmt: skip
def test_nothing_that_is_written_is_html(text: str) -> None:
    page = rendered(text)
    assert page is not None
    tags = re.findall(r"<[^>]*>", page)
    known = (
        r'</?(h[1-6]|p|em|code|span|pre)( class="as-written"| tabindex="0")?>'
        r'|<a href="https://[^"<>]*" rel="noopener nofollow">|</a>'
    )
    assert [tag for tag in tags if not re.fullmatch(known, tag)] == []


def test_html_in_it_is_shown_and_not_swallowed() -> None:
    page = rendered("<example>\nuser: hi\n</example>\n\nand <commentary>this</commentary>")
    assert page is not None
    for part in ("&lt;example&gt;\nuser: hi\n&lt;/example&gt;", "&lt;commentary&gt;this&lt;/commentary&gt;"):
        assert part in page


def test_a_picture_is_named_and_not_fetched() -> None:
    page = rendered("![a chart](https://x.example/c.png) [![built](https://x.example/b.svg)](https://x.example/ci)")
    assert page is not None
    assert "<img" not in page
    assert '<a href="https://x.example/c.png" rel="noopener nofollow">picture: a chart</a>' in page
    assert '<a href="https://x.example/ci" rel="noopener nofollow"><span>picture: built</span></a>' in page


def test_headings_leave_the_pages_own_alone_and_skip_no_level() -> None:
    page = rendered("### a\n\n##### b\n\n# c\n\n###### d")
    assert page is not None
    assert re.findall(r"<(h\d)>", page) == ["h2", "h3", "h2", "h3"]


def test_the_longest_text_is_rendered_in_good_time_and_an_expensive_one_is_not() -> None:
    long = (PROSE * 1000)[:200_000]
    began = time.process_time()
    assert rendered(long) is not None
    assert time.process_time() - began < 1
    for bad in ("x\n" * 100_000, ">" * 1000 + "x"):
        began = time.process_time()
        assert rendered(bad) is None
        assert time.process_time() - began < 1
