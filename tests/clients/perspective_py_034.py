"""PyPI perspective.py 0.3.4: it builds itself from the discovery document, whose address is all that is changed."""
import sys

from googleapiclient import discovery

BASE, KEY = sys.argv[1:3]
build = discovery.build
discovery.build = lambda *args, **more: build(*args, **{**more, "discoveryServiceUrl": BASE + "/$discovery/rest?version=v1alpha1"})

import perspective
from perspective.errors import HTTPException, UnsupportedLanguage

client = perspective.Client(KEY)
scores = client.analyze("you pathetic clown, shut up", ["TOXICITY", "INSULT", "PROFANITY"])
assert list(scores) == ["TOXICITY", "INSULT", "PROFANITY"] and scores["TOXICITY"] > 50, scores
try:
    client.analyze("Thank you.", ["TOXICITY"], language="it")
    raise AssertionError("Italian was scored")
except UnsupportedLanguage:
    pass
try:
    perspective.Client("wrong")
    raise AssertionError("a wrong key was taken")
except HTTPException as error:
    assert "API key not valid" in str(error)
