"""Addresses by name, once the front door has said where things are."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import NoMatchFound, Route, Router

from config.links import Links, LinksNotReadyError


async def nothing(_request: Request) -> Response:
    return Response()


@pytest.fixture
def links() -> Links:
    links = Links("https://hotline.example/base/")
    links.register(
        Router(
            [
                Route("/voice/wait", nothing, name="voice_wait"),
                Route("/voice/agent/{offer_id}/join", nothing, name="voice_join"),
            ]
        )
    )
    return links


def test_an_address_is_the_base_the_path_and_the_query_in_order(links: Links) -> None:
    assert links.url("voice_wait") == "https://hotline.example/base/voice/wait"
    assert links.url("voice_join", offer_id="CA1-2") == "https://hotline.example/base/voice/agent/CA1-2/join"
    assert (
        links.url("voice_wait", {"l": "zh-CN", "n": 3})
        == "https://hotline.example/base/voice/wait?l=zh-CN&n=3"
    )
    assert links.path("voice_wait") == "/voice/wait"


def test_a_name_nobody_registered_is_a_fault(links: Links) -> None:
    with pytest.raises(NoMatchFound):
        links.url("voice_nowhere")
    with pytest.raises(LinksNotReadyError):
        Links("https://hotline.example").url("voice_wait")


def test_routes_that_are_registered_anew_are_asked_anew(links: Links) -> None:
    assert links.path("voice_wait") == "/voice/wait"
    links.register(Router([Route("/elsewhere", nothing, name="voice_wait")]))
    assert links.path("voice_wait") == "/elsewhere"
