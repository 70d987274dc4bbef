"""PyPI openai: base_url is all that is changed."""
import sys

import openai

BASE, KEY = sys.argv[1:3]
client = openai.OpenAI(base_url=BASE + "/v1", api_key=KEY, max_retries=0)
rude, civil = "you pathetic clown, shut up", "Thank you for the timetable."
one = client.moderations.create(model="omni-moderation-latest", input=rude)
assert one.id.startswith("modr-") and len(one.results) == 1
result = one.results[0]
assert result.flagged and result.categories.harassment and result.category_scores.harassment > 0.5
assert result.category_scores.self_harm_intent == 0.0 and result.category_applied_input_types.violence == ["text"]
assert result.category_scores.model_extra["incivility/insult"] > 0.3
assert "self-harm" in one.model_extra["polemic"]["unmodelled"]
many = client.moderations.create(input=[civil, rude, civil])
assert [result.flagged for result in many.results] == [False, True, False]
parts = [{"type": "text", "text": rude}, {"type": "image_url", "image_url": {"url": "https://site.example/a.png"}}]
assert len(client.moderations.create(input=parts).results) == 1
try:
    openai.OpenAI(base_url=BASE + "/v1", api_key="wrong", max_retries=0).moderations.create(input=rude)
    raise AssertionError("a wrong key was taken")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key"
try:
    client.moderations.create(input=[])
    raise AssertionError("nothing was moderated")
except openai.BadRequestError as error:
    assert error.param == "input"
