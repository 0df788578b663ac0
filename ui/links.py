"""The head of the page, which opens the tab that a link names.

The tab itself reads the link's settings, in the browser too: see ui/history/link.js.
"""

from collections.abc import Sequence

import gradio as gr

from ui import text
from ui.history import LINK_JS
from ui.i18n import language

HEAD = "<h1>{{texts.title}}</h1><p>{{texts.tagline}}</p><div class='toasts' data-part='toasts' role='alert'></div>"
HEAD_CSS = """
.toasts { position: fixed; inset: auto 1rem 1.25rem; z-index: 1000; display: flex; justify-content: center; }
.toasts:not(:empty) { padding: .8rem 1rem; border-radius: 12px; background: #262626; color: #fafafa; }
"""
HEAD_JS = """
document.documentElement.lang = props.language;
// Gradio's loading veil fades out over a page that is there already: it must not swallow the first stroke.
document.querySelector(".main.app > .wrap.translucent")?.style.setProperty("pointer-events", "none");
async function openTab(tab) {
    if (!tab) return;
    if (!props.tabs.includes(tab)) return sayNoTab();
    const button = () => document.getElementById(`tab-${tab}-button`);
    for (let tries = 0; !button() && tries < 200; tries++) {
        await new Promise((done) => setTimeout(done, 30)); // the page is still being laid out
    }
    button()?.click();
}
function sayNoTab() {
    const toasts = element.querySelector('[data-part="toasts"]');
    toasts.textContent = props.texts.link_tab;
    setTimeout(() => toasts.replaceChildren(), 9000);
}
addEventListener("hashchange", () => openTab(linked()?.tab));
openTab(linked()?.tab ?? props.welcome);
"""


def head(tabs: Sequence[str], welcome: str | None) -> gr.HTML:
    """The page's title, which opens the tab that the address names.

    Args:
        tabs: names of the tabs; the first one is open, and the elem_id of each is "tab-" and its name.
        welcome: the tab to open where the address names none; None if there is no tab.
    """
    return gr.HTML(
        html_template=HEAD,
        css_template=HEAD_CSS,
        js_on_load=LINK_JS + HEAD_JS,
        apply_default_css=False,
        elem_id="head",
        language=language(),
        tabs=list(tabs),
        welcome=None if welcome in tabs[:1] else welcome,  # that one is open already
        texts={**text.PAGE, "link_tab": text.HISTORY["link_tab"]},
    )
