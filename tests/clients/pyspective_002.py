"""PyPI PySpective 0.0.2: asks for eight attributes; requests.post is sent here."""
import sys

import requests

BASE, KEY = sys.argv[1:3]
post = requests.post
requests.post = lambda url, **more: post(url.replace("https://commentanalyzer.googleapis.com", BASE), **more)

from pyspective.pyspective import PyspectiveAPI

client = PyspectiveAPI(KEY)
scores = client.score("you pathetic clown, shut up")
assert scores["TOXICITY"] > 0.5 and scores["INSULT"] > 0.3, scores
assert not {"SEXUALLY_EXPLICIT", "FLIRTATION"} & set(scores), "no number is invented"
assert list(client.score("Thank you.", "insult")) == ["INSULT"]
assert client.suggest("Thank you.", 0.0) == "Successed"
