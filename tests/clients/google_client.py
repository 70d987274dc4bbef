"""google-api-python-client: built from our discovery document in four ways, with errors, feedback and batches."""
import json
import sys
import urllib.request

from googleapiclient import discovery, errors

BASE, KEY = sys.argv[1:3]
URL = BASE + "/$discovery/rest?version=v1alpha1"
RUDE = "you pathetic clown, shut up"


def ask(text, **more):
    return {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, **more}


def toxicity(service, text=RUDE):
    answer = service.comments().analyze(body=ask(text)).execute()
    score = answer["attributeScores"]["TOXICITY"]
    assert score["summaryScore"]["type"] == "PROBABILITY" and score["spanScores"], answer
    assert answer["languages"] == ["en"] and answer["detectedLanguages"] == ["en"]
    return score["summaryScore"]["value"]


document = json.load(urllib.request.urlopen(URL))
a = discovery.build("commentanalyzer", "v1alpha1", developerKey=KEY, discoveryServiceUrl=URL, static_discovery=False)
b = discovery.build_from_document(document, developerKey=KEY, client_options={"api_endpoint": BASE})
c = discovery.build_from_document({**document, "rootUrl": BASE + "/"}, developerKey=KEY)
d = discovery.build_from_document({**document, "rootUrl": "http://127.0.0.1:9/"}, developerKey=KEY)
d._baseUrl = BASE + "/"
values = [toxicity(service) for service in (a, b, c, d)]
assert len(set(values)) == 1 and values[0] > 0.5, values
assert toxicity(a, "Thank you for the timetable.") < 0.2

# The default address of a script that names none, once its host leads here.
default = BASE + "/discovery/v1/apis/{api}/{apiVersion}/rest"
assert toxicity(discovery.build("commentanalyzer", "v1alpha1", developerKey=KEY, discoveryServiceUrl=default, static_discovery=False)) == values[0]

for body, message in [
    (ask(""), "Comment must be non-empty."),
    (ask(RUDE, languages=["it"]), "Attribute TOXICITY does not support request languages: it"),
    (ask("x" * 20481), "Comment text was too many bytes. Value (20481) exceeded limit (20480)."),
    ({"comment": {"text": RUDE}}, "Missing requested_attributes"),
]:
    try:
        a.comments().analyze(body=body).execute()
        raise AssertionError(body)
    except errors.HttpError as error:
        assert error.status_code == 400 and error.reason == message, error.reason
        assert error.error_details[0]["errorType"], error.error_details

try:
    discovery.build("commentanalyzer", "v1alpha1", developerKey="wrong", discoveryServiceUrl=URL, static_discovery=False)
    raise AssertionError("a wrong key was taken")
except errors.HttpError as error:
    assert error.reason == "API key not valid. Please pass a valid API key.", error.reason

kept = a.comments().suggestscore(
    body={"comment": {"text": RUDE}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}, "clientToken": "comment:1"}
).execute()
assert kept["clientToken"] == "comment:1" and kept["polemic"]["stored"], kept

answers = {}
batch = a.new_batch_http_request(callback=lambda name, answer, error: answers.update({name: answer or error}))
for i in range(100):
    batch.add(a.comments().analyze(body=ask(RUDE if i % 2 else "")), request_id=str(i))
batch.execute()
assert len(answers) == 100
assert answers["1"]["attributeScores"]["TOXICITY"]["summaryScore"]["value"] == values[0]
assert isinstance(answers["0"], errors.HttpError) and answers["0"].reason == "Comment must be non-empty."
