"""Who is let in, and what is never asked of others."""

import asyncio

import pytest

from sumabm.browser.serve import Doorkeeper, is_loopback


def ask(keeper, path="/", headers=(), kind="http"):
    """Return the status that a request gets, 200 where it is passed on."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {}

    scope = {"type": kind, "path": path}
    scope["headers"] = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    asyncio.run(keeper(scope, receive, send))
    return sent[0].get("status", sent[0].get("code")) if sent else None


async def passes(scope, receive, send):
    await send({"status": 200})


@pytest.fixture
def keeper(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.js").write_text("1")
    return Doorkeeper(passes, loopback=True, assets=tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "[::1]:80", "127.0.0.2"])
def test_names_of_loopback_come_in(keeper, host):
    assert ask(keeper, headers=[("host", host), ("origin", f"http://{host}")]) == 200


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1", "", "127.0.0.1.evil.example", "\xff"])
def test_other_names_do_not(keeper, host):
    assert ask(keeper, headers=[("host", host)]) == 403
    assert ask(keeper, headers=[("host", host)], kind="websocket") == 1008


def test_a_request_that_is_badly_addressed_is_refused(keeper):
    assert ask(keeper, headers=[("host", "[")]) == 400
    assert ask(keeper, headers=[("host", "127.0.0.1"), ("origin", "http://[")]) == 400


def test_pages_of_other_sites_do_not(keeper):
    headers = [("host", "127.0.0.1:8765"), ("origin", "http://evil.example")]
    assert ask(keeper, headers=headers, kind="websocket") == 1008
    headers = [("host", "127.0.0.1:8765"), ("origin", "http://127.0.0.1:9999")]
    assert ask(keeper, headers=headers) == 403


def test_with_a_public_host_any_name_will_do(tmp_path):
    keeper = Doorkeeper(passes, loopback=False, assets=tmp_path)
    assert ask(keeper, headers=[("host", "box.example")]) == 200
    assert ask(keeper, headers=[("host", "box.example"), ("origin", "http://evil.example")]) == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("there/a.js", 200),
        ("there/b.js", 404),
        ("there", 404),
        ("../../etc/passwd", 404),
        ("there/../../x", 404),
        ("a\x00b", 404),
    ],
)
def test_files_that_are_not_there_are_not_fetched(keeper, name, status):
    assert ask(keeper, f"/_solara/cdn/{name}", [("host", "127.0.0.1")]) == status


def test_what_is_loopback():
    assert [is_loopback(h) for h in ("::1", "127.9.9.9", "0.0.0.0", "box", "")] == [
        *(True, True),
        *(False, False, False),
    ]
