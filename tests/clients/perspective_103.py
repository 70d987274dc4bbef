"""PyPI perspective 1.0.3, pointed here by one attribute."""
import sys
from urllib.error import HTTPError

from perspective.perspective import PerspectiveAPI

BASE, KEY = sys.argv[1:3]
client = PerspectiveAPI(KEY)
client.api_client.url = BASE + "/v1alpha1/{endpoint}"

text = "Thank you 😀. You pathetic clown, shut up!"
answer = client.analyze_comment(
    text, requested_attributes={"TOXICITY": {}, "INSULT": {"scoreType": "PROBABILITY"}}, span_annotations=True,
    languages=["en"], client_token="t", context=[{"text": "The bridge is safe.", "type": "PLAIN_TEXT"}],
)
spans = answer["attributeScores"]["TOXICITY"]["spanScores"]
units = text.encode("utf-16-le")
assert [units[2 * s["begin"] : 2 * s["end"]].decode("utf-16-le") for s in spans] == ["Thank you 😀.", "You pathetic clown, shut up!"], spans
assert spans[0]["score"]["value"] < 0.3 < spans[1]["score"]["value"]
assert answer["clientToken"] == "t" and answer["polemic"]["parent"] is True
kept = client.suggest_score(text, {"TOXICITY": {"summaryScore": {"value": 0.9}}}, validate=False)
assert kept["polemic"]["stored"], kept
try:
    client.analyze_comment("", validate=False)
    raise AssertionError("an empty text was scored")
except HTTPError as error:
    assert error.code == 400
