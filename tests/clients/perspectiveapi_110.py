"""PyPI perspectiveapi 1.1.0: its private HTTP client gets a transport that sends to the service."""
import sys

import httpx
from perspective.blocking import Perspective
from perspective.models import Attribute

BASE, KEY = sys.argv[1:3]


class Here(httpx.HTTPTransport):
    def handle_request(self, request):
        request.url = httpx.URL(BASE).copy_with(raw_path=request.url.raw_path)
        return super().handle_request(request)


client = Perspective(KEY)
client._Perspective__client = httpx.Client(transport=Here())
score = client.score("you pathetic clown, shut up", [Attribute.TOXICITY, Attribute.INSULT, Attribute.FLIRTATION])
assert score.toxicity > 0.5 and score.insult > 0.3, (score.toxicity, score.insult)
assert score.flirtation is None, "no number is invented"
