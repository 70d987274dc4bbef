"""PyPI PyPerspective 1.0.4: asks whether its key is good with an empty body and reads every field without looking."""
import sys

from PyPerspective import Perspective as module
from PyPerspective.errors import ApiException, InvalidAuthKey

BASE, KEY = sys.argv[1:3]
if not hasattr(module, "base_url"):
    import importlib

    module = importlib.import_module("PyPerspective.Perspective")
module.base_url = BASE + "/v1alpha1/comments:analyze"
try:
    module.Perspective("wrong")
    raise AssertionError("a wrong key was taken")
except InvalidAuthKey:
    pass
client = module.Perspective(KEY)
text = "you pathetic clown, shut up 😀"
comment = client.get_score(text, tests=["TOXICITY", "INSULT", "TOXICITY_EXPERIMENTAL"][:2])
assert comment["TOXICITY"].score > 0.5 and comment["TOXICITY"].score_type == "PROBABILITY"
assert comment["TOXICITY"][0].end == len(text.encode("utf-16-le")) // 2
assert (comment.requests_langs, comment.detected_langs) == (["en"], ["en"])
try:
    client.get_score(" ")
    raise AssertionError("an empty text was scored")
except (ApiException, TypeError):
    # The client reads code, status and message, and then cannot make its own exception.
    pass
