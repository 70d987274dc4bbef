"""The service's page in headless Chromium: typed into, read, by keyboard, without anything from elsewhere.

    pip install playwright && playwright install chromium
    polemic serve --listen 127.0.0.1:8787 &
    python3 tests/browser/page.py http://127.0.0.1:8787 [screenshot.png] [--chromium PATH]
"""

import argparse

from playwright.sync_api import sync_playwright

RUDE = "You pathetic clown 😀, you <b>idiot</b> & liar"

arguments = argparse.ArgumentParser()
arguments.add_argument("url")
arguments.add_argument("screenshot", nargs="?")
arguments.add_argument("--chromium")
arguments = arguments.parse_args()

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
    context = browser.new_context(viewport={"width": 800, "height": 900})
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(arguments.url)

    # By keyboard alone: into the comment, on to the button.
    page.get_by_label("Comment", exact=True).focus()
    page.keyboard.type(RUDE)
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Score"
    page.keyboard.press("Enter")
    page.wait_for_selector("#result:not([hidden])")
    summary = page.locator("#summary").inner_text()
    assert "insult" in summary or "toxicity" in summary, summary
    assert page.evaluate("document.activeElement.id") == "summary", "a reader of screens is taken to the result"

    # The text is shown as it was typed, markup and all, with the words marked.
    assert page.locator("#shown").inner_text() == RUDE
    page.get_by_role("button", name="insult", exact=True).click()
    marked = page.locator("#shown mark").all_inner_texts()
    assert any("clown" in word for word in marked), marked
    assert page.get_by_role("button", name="insult", exact=True).get_attribute("aria-pressed") == "true"
    assert page.locator("#shown b").count() == 0, "markup in a comment is text"
    strongest = page.locator("#shown mark").first.evaluate("m => getComputedStyle(m).backgroundColor")
    assert strongest not in ("", "rgba(0, 0, 0, 0)"), "the policy of the page lets the marks have their colour"
    if arguments.screenshot:
        page.screenshot(path=arguments.screenshot, full_page=True)

    # A reply has a stance.
    page.get_by_label("The comment it answers").fill("The bridge is safe.")
    page.get_by_label("Comment", exact=True).fill("No, that is wrong.")
    page.get_by_role("button", name="Score").click()
    page.wait_for_selector("#stancehead:not([hidden])")
    stance = page.locator("#stance").inner_text()
    assert "deny" in stance, stance

    # Nothing to score, and a server that is gone, are said.
    page.get_by_label("Comment", exact=True).fill("…")
    page.get_by_role("button", name="Score").click()
    page.wait_for_function("document.getElementById('summary').textContent.startsWith('Not scored')")
    page.route("**/v1/explain", lambda route: route.abort())
    page.get_by_role("button", name="Score").click()
    page.wait_for_function("document.getElementById('problem').textContent.startsWith('No answer')")

    # Narrow screens do not scroll sideways.
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= 320"), "too wide for a small screen"

    elsewhere = [url for _, url in asked if not url.startswith(arguments.url)]
    assert not elsewhere, elsewhere
    said = [text for text in said if "ERR_FAILED" not in text and "favicon" not in text]
    assert not said, said
    assert context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    version = browser.version
    browser.close()

print(f"ok in Chromium {version}: {summary}; marked {marked}; {stance}; {len(asked)} requests, none elsewhere")
