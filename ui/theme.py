"""How the page looks: system fonts, quiet greys, one accent."""

import gradio as gr
from gradio.themes.utils import colors, sizes

THEME = gr.themes.Base(
    primary_hue=colors.indigo,
    neutral_hue=colors.neutral,
    radius_size=sizes.radius_lg,
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_background_fill="#fdfdfc",
    body_background_fill_dark="#161616",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
    block_background_fill="transparent",
    block_background_fill_dark="transparent",
    block_border_width="0px",
    block_padding="0px",
    color_accent="*primary_600",
    color_accent_soft="*primary_100",
    checkbox_label_background_fill="*background_fill_secondary",
    checkbox_label_background_fill_dark="*background_fill_secondary",
    checkbox_label_background_fill_selected="*primary_100",
    checkbox_label_background_fill_selected_dark="*primary_950",
    checkbox_label_border_width="0px",
    button_secondary_background_fill="*background_fill_secondary",
    button_secondary_background_fill_dark="*background_fill_secondary",
    input_background_fill="*background_fill_primary",
    input_background_fill_dark="*background_fill_primary",
    input_border_width="1px",
    input_border_color_focus="*primary_600",
    input_border_color_focus_dark="*primary_400",
    border_color_primary="*neutral_300",
    border_color_primary_dark="*neutral_700",
)

CSS = """
:root { --accent-text: var(--primary-700); }
.dark { --accent-text: var(--primary-300); --color-accent: var(--primary-400); color-scheme: dark; }
/* clip: inside of `hidden`, nothing could stick to the window's edge */
.gradio-container { padding: 0 !important; overflow: clip !important; }
/* wide enough for large pictures, low enough that both and their tools stay in sight */
.gradio-container .main.app {
    max-width: max(44rem, calc((100svh - 17rem) * 2)); margin: 0 auto; padding: 1rem clamp(.75rem, 2.5vw, 1.25rem) 2rem;
}
/* in the tab in sight, room for a third picture as large as the first two */
.gradio-container .main.app:has([role="tabpanel"]:not([style*="none"]) [data-action="way-back"][aria-pressed="true"]) {
    max-width: max(44rem, calc((100svh - 17rem) * 3));
}
#head h1 { display: inline; font-size: 1.125rem; font-weight: 650; margin: 0 .75rem 0 0; }
#head p { display: inline; margin: 0; color: var(--body-text-color-subdued); }
.tabs > .tab-wrapper.wrap { padding-bottom: 0; }
.choices { gap: .5rem 2rem; flex-wrap: wrap; justify-content: flex-start; }
.choices > * { flex: none; max-width: 100%; min-width: 0 !important; width: auto !important; }
.settings { align-items: end; gap: 1rem; }
.settings .form, .settings .block { background: none; border: 0; box-shadow: none; gap: 1.5rem; }
.settings button { font-weight: 400; font-size: .875rem; border: 1px solid var(--border-color-primary); }
.card h1 { font-size: 1.25rem; }
.card img { max-width: 100%; }
.card table { display: block; overflow-x: auto; border: 0 !important; }
.card :is(th, td) { word-break: normal !important; overflow-wrap: normal !important; }
@media (max-width: 639px) {
    .column { gap: .75rem; }
    /* room for five in a row at 360 px */
    .tab-container.wrap > button { flex: auto; justify-content: center; padding: 0 .3rem; }
    .settings .form { flex-wrap: wrap; }
    .settings .form > * { min-width: 100% !important; }
}
"""
