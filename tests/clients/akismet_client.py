"""PyPI akismet: one private constant names the service."""
import sys

import akismet
from akismet import _common

BASE, KEY = sys.argv[1:3]
_common._API_URL = BASE
config = akismet.Config(key=KEY, url="https://blog.example")
client = akismet.SyncClient.validated_client(config)
rude = "you pathetic clown, shut up, you disgusting idiot"
ask = {"user_ip": "192.0.2.1", "comment_type": "comment", "comment_author": "Ann"}
assert client.comment_check(comment_content="Thank you for the timetable.", **ask) == akismet.CheckResponse.HAM
assert client.comment_check(comment_content=rude, **ask) in (akismet.CheckResponse.SPAM, akismet.CheckResponse.DISCARD)
assert client.comment_check(comment_content=rude, user_role="administrator", **ask) == akismet.CheckResponse.HAM
author = {**ask, "comment_author": "akismet-guaranteed-spam"}
assert client.comment_check(comment_content="hello", **author) == akismet.CheckResponse.SPAM
assert client.submit_spam(comment_content=rude, **ask) and client.submit_ham(comment_content="Thank you.", **ask)
usage = client.usage_limit()
assert usage["limit"] == "none" and usage["usage"] >= 3 and usage["throttled"] is False, usage
try:
    akismet.SyncClient.validated_client(akismet.Config(key="wrong", url="https://blog.example"))
    raise AssertionError("a wrong key was taken")
except akismet.APIKeyError:
    pass
