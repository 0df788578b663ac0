"""Every English word that a visitor reads, in one place; ui/locales/ has the translations, key by key.

The Train tab's stand in `ui/text_training.py`.
"""

from ui.i18n import Words
from ui.text_training import TRAINING as TRAINING

PAGE = Words(
    "PAGE",
    {
        "title": "Image to image",
        "tagline": "Draw, and a picture follows your pen.",
        "tab_paired": "Draw · paired",
        "tab_unpaired": "There and back · unpaired",
        "tab_compare": "Compare",
        "tab_multimodal": "Styles · multimodal",
        "tab_own": "Yours",
        "tab_train": "Train",
        "results": "Results: the papers’ tables, measured here",
        "no_checkpoints": (
            "### No model here yet\n\n"
            "The page found no checkpoint that it could load in its folder `{folder}`. "
            "Run `make checkpoints` to train the ones of this project, or copy a checkpoint's folder there; "
            "then start the page again."
        ),
    },
)

EMPTY = Words(
    "EMPTY",
    {
        "multimodal": (
            "### One drawing, as many pictures as you like\n\n"
            "Here stand models whose results have a style to turn: one outline in any colours, or in those of a "
            "picture. None is in the folder `{folder}` yet. Train one on two folders of your own pictures and start "
            "the page again:"
            "\n\n    python -m train munit --data my-pictures --output {folder}/my-model --size 128"
        ),
        "unpaired": (
            "### Two piles of pictures are enough\n\n"
            "Here stand models that learned without pairs: they translate both ways, and back again. "
            "None is in the folder `{folder}` yet. Train one on two folders of your own pictures and start the page "
            "again:"
            "\n\n    python -m train cyclegan --data my-pictures --output {folder}/my-model --size 128"
        ),
        "paired": (
            "### Pairs of pictures teach the most\n\n"
            "Here stand models that learned from pairs, such as a drawing and the finished picture. "
            "None is in the folder `{folder}` yet. Train one on your own pairs and start the page again:"
            "\n\n    python -m train pix2pix --data my-pairs --output {folder}/my-model --size 256"
        ),
    },
)

CONTROLS = Words(
    "CONTROLS",
    {
        "model": "Model",
        "task": "What becomes what",
        "method": "Method",
        "direction": "Direction",
        "dropout": "Dropout on",
        "dropout_info": "Each seed gives another picture; the paper's only source of variety.",
        "temperature": "Temperature",
        "temperature_info": "Noise on the latent code; each seed gives other noise. At 0 there is none.",
        "seed": "Seed",
        "another_seed": "Another seed",
        "card": "About this model",
        "no_card": "This model came without a card.",
    },
)

EDITOR = Words(
    "EDITOR",
    {
        "drawing": "Drawing paper",
        "result": "Result",
        "placeholder_outline": "Draw an outline here",
        "placeholder_labels": "Paint areas on this sheet",
        "placeholder_paint": "Paint something in flat colours: brush a shape, fill it",
        "placeholder_picture": "Drop or choose a picture",
        "placeholder_result": "The picture appears here",
        "opening": "An example: go on from it, or clear it",
        "try_examples": "or try one of these",
        "drawing_tools": "Drawing tools",
        "pen": "Pen",
        "brush": "Brush",
        "rect": "Rectangle",
        "ellipse": "Ellipse",
        "fill": "Fill",
        "erase": "Eraser",
        "size": "Brush size",
        "undo": "Undo (Ctrl+Z)",
        "redo": "Redo (Ctrl+Shift+Z)",
        "clear": "Clear",
        "clear_info": "Clear (Delete)",
        "examples_info": "Examples (Alt+N lays the next one on the paper)",
        "upload": "Choose a picture; dropping or pasting one works too",
        "camera": "Camera",
        "shoot": "Take the picture",
        "live": "Live",
        "live_info": "Translate what the camera sees, again and again",
        "mirror": "Mirror",
        "mirror_info": "Show the preview as a mirror does; the picture itself is never mirrored",
        "cancel": "Cancel",
        "drop": "Drop the picture here",
        "palette": "What the brush paints",
        "any_colour": "Any other colour",
        "pick": "Pick a colour",
        "pick_info": "Pick a colour off the drawing (Alt+click with any tool)",
        "colour_red": "Red",
        "colour_orange": "Orange",
        "colour_yellow": "Yellow",
        "colour_green": "Green",
        "colour_blue": "Blue",
        "colour_dark_blue": "Dark blue",
        "colour_purple": "Purple",
        "colour_pink": "Pink",
        "colour_brown": "Brown",
        "colour_grey": "Grey",
        "colour_black": "Black",
        "colour_white": "White",
        "variant": "How to use the picture",
        "as_is": "Use as it is",
        "outline": "Make an outline of it",
        "flat": "Make flat colours of it",
        "compare": "Compare: slide from the result to the drawing",
        "download": "Download PNG",
        "swap": "Turn round: the result becomes the input",
        "way_back": "Way back",
        "way_back_info": "Translate the result back, to see what survived",
        "way_back_picture": "The result translated back",
        "difference": "Difference",
        "difference_info": "Where the way back differs from the input: black is equal",
        "difference_picture": "Difference between the input and the way back",
        "distance": "{percent} % away from the input",
        "interpolate": "Walk",
        "interpolate_info": "Walk through the shared code from this input to another one",
        "interpolation_start": "Where the walk begins: the input",
        "interpolation_end": "Where the walk ends",
        "interpolation_share": "Place between the two inputs",
        "interpolation_choose": "Walk to",
        "interpolation_file": "Another picture",
        "interpolation_drawing": "This drawing",
        "time": "network {ms} ms",
        "time_here": "in your browser, {backend}, {ms} ms",
        "here_on": "Runs here",
        "here_off": "Runs on the server",
        "here_starting": "Loading …",
        "here_loading": "Loading: {mb} of {total} MB",
        "here_on_info": "This browser makes the pictures, and your drawing stays in it. Click to have the server do it",
        "here_off_info": "The server makes the pictures. Click to have this browser do it, which loads the network",
        "here_failed": "This browser could not go on with the network, so the server makes the pictures again.",
        "examples": "Examples",
        "example": "Example {n}",
        "close": "Close this message",
        "too_large": "That file has {size} MB; please choose one of at most {limit} MB.",
        "offline": "The server does not answer. Your drawing is safe; please try again in a moment.",
        "no_camera": (
            "The camera could not be opened. Allow it for this page in the browser, or choose a picture instead."
        ),
        "not_a_picture": "That was not a picture. Please choose an image file, such as PNG or JPEG.",
    },
)

DIGITS = Words(
    "DIGITS",
    {
        "title": "A digit crosses over",
        "info": (
            "Draw a digit, and it is written anew in the other data set’s hand. A reader of each says what it sees; "
            "of one data set alone they were ever told what the digits are."
        ),
        "taken": "From which data set to which",
        "draw": "Draw a digit here",
        "clear": "Clear",
        "as": "as in {name}",
        "reads": "reads {digit}, {percent} %",
        "bars": "How likely each digit is to the reader of {name}",
    },
)

STATIC = Words(
    "STATIC",
    {
        "no_script": "This page needs JavaScript: it draws in your browser, without a server.",
        "from_a_file": (
            "Opened as a file, this page may not load its networks. In its folder, start `python -m http.server` and "
            "open http://127.0.0.1:8000."
        ),
        "network_blocked": (
            "This browser does not run the networks: WebAssembly is missing or switched off. Try another browser."
        ),
        "network_damaged": "A file of this page came damaged or is of another version. Please reload the page.",
        "network_offline": "A file of this page could not be loaded. Please try again in a moment.",
        "network_memory": "There is too little memory for this network. Close other tabs, or choose another model.",
        "network_failed": "The network stopped. Your drawing is safe; the next stroke starts it again.",
        "offline": "No picture came yet: the network may still be loading. Your drawing is safe; go on in a moment.",
        "no_style_text": "That text is no style of this model: it takes {n} numbers.",
    },
)

SERVER = Words(
    "SERVER",
    {
        "unexpected": (
            "Something went wrong on our side. Please try again; if it stays so, report it with the number {id}."
        ),
        "bad_request": "The page sent something that the server does not understand. Please reload the page.",
        "unknown_checkpoint": "There is no model called {name} here. Please choose one from the list.",
        "drawing_too_large": "That drawing is too large to send. Please clear it and draw again.",
        "too_long": "This picture is more than {limit} times as long as wide. Please send a part of it.",
        "bad_direction": "The model {title} does not translate in that direction. Please reload the page.",
        "bad_temperature": "The temperature must be a number from 0 to {limit}.",
        "bad_share": "The place between two pictures must be a number from 0 to 1.",
        "no_style": "This model has no styles; please choose one of the multimodal models.",
        "no_interpolation": (
            "This model has no code that two pictures could share; please choose another one for a walk."
        ),
        "no_way_back": "This model translates in one direction only, so there is no way back.",
        "forgotten": "The server does not keep that picture any more; please send it again.",
        "bad_seed": "The seed must be a whole number from 0 to {limit}.",
    },
)

HISTORY = Words(
    "HISTORY",
    {
        "history": "Results of this visit",
        "history_hint": "Your results gather here, in this browser tab only.",
        "history_restore": "Bring back result {n} with its input and settings",
        "history_gone": "The model of that result is not here any more.",
        "history_zip": "Download all",
        "history_zip_info": "All results with their inputs and settings, as a ZIP file",
        "history_clear": "Forget these results",
        "link": "Copy a link to these settings",
        "link_copied": "Link copied. It reopens this tab with its model and settings; the drawing stays here.",
        "link_in_bar": "The address bar has the link now: it reopens this tab with its model and settings.",
        "link_tab": "The link names a tab that is not here, so the page begins as usual.",
        "link_model": "The link names a model that is not here ({name}), so the tab begins as usual.",
        "link_direction": "The model does not translate in the link’s direction, so it takes its first one.",
        "link_seed": "The link’s seed is no whole number from 0 to {limit}, so none is used.",
        "link_temperature": "The link’s temperature is no number from 0 to {limit}, so the usual one is used.",
        "link_style": "The link’s style does not fit this model, so it begins with another one.",
        "link_seeds": "The link’s seeds do not fit the models here, so none is used.",
    },
)

BATCH = Words(
    "BATCH",
    {
        "title": "Several pictures at once",
        "files": "Pictures, translated as this tab is set now",
        "start": "Translate all",
        "cancel": "Cancel",
        "progress": "Pictures done",
        "doing": "{done} of {count}",
        "results": "Translations",
        "zip": "Download all (ZIP)",
        "summary": "{done} of {count} pictures translated.",
        "skipped": "{count} could not be used:",
        "cancelled": "Cancelled.",
        "under_way": "Pictures of yours are being translated already. Please wait for them, or cancel them.",
        "too_many": "At most {limit} pictures are taken at a time; the others were left out.",
    },
)

API = Words(
    "API",
    {
        "no_addresses": (
            "Addresses elsewhere are not fetched here: upload the file, or send it as a data URL "
            "(data:image/png;base64, and the file's bytes in base64)."
        ),
        "not_uploaded": "That file was not uploaded to this server: upload it first.",
        "no_file": "An image must come as an uploaded file: with gradio_client, wrap its path in handle_file.",
        "bad_count": "{name} must be a whole number from {low} to {high}.",
    },
)

MULTIMODAL = Words(
    "MULTIMODAL",
    {
        "style": "Style",
        "pad": "Style pad: arrow keys move it along the two main directions",
        "pad_value": "{x} across, {y} up",
        "direction": "Direction {n}",
        "changes_hair": "hair",
        "changes_skin": "skin",
        "changes_background": "background",
        "number": "Number {n} of the style",
        "numbers": "All numbers of the style",
        "random": "Random",
        "typical": "Typical",
        "seed": "seed {n}",
        "save": "Keep style",
        "more": "More ways to a style",
        "tab_random": "Random styles",
        "tab_guide": "From a picture",
        "tab_saved": "Kept",
        "tab_interpolation": "In between",
        "tab_inputs": "Many inputs",
        "first_seed": "From seed",
        "others": "Other styles",
        "guide": "Choose a picture",
        "guide_hint": "Take the style of one of these ({domain}), or of a picture of your own.",
        "none_saved": "“Keep style” puts the present style here. Kept styles stay in this browser.",
        "new_name": "Style {n}",
        "use_saved": "Use the style {name}",
        "style_name": "Name of the style",
        "remove": "Remove the style {name}",
        "copy": "Copy as text",
        "copied": "Copied.",
        "copy_yourself": "The browser does not allow copying here. The text is selected; copy it with Ctrl+C.",
        "paste_label": "Paste a style’s text here",
        "paste": "Use it",
        "from": "From which style",
        "to": "To which style",
        "choose_start": "From …",
        "choose_end": "To …",
        "style_now": "The present style",
        "style_random": "A random style",
        "share": "Between the two styles",
        "steps": "Steps",
        "step": "Step {n} of {count}",
        "animation": "Download the way there and back",
        "download_format": "Download {format}",
        "format_webp": "WebP",
        "format_gif": "GIF",
        "format_mp4": "MP4",
        "format_webm": "WebM",
        "no_inputs": "See the present style on several pictures at once.",
        "all_examples": "All examples",
        "choose_inputs": "Choose pictures",
        "progress": "Pictures done",
        "result_of": "Result {n}",
        "contact_sheet": "Download sheet",
        "too_many": "At most {limit} pictures fit here; the others are left out.",
    },
)

MULTIMODAL_SERVER = Words(
    "MULTIMODAL_SERVER",
    {
        "no_text": "That is too long for a style’s text. Please paste one style only.",
    },
)

INSIDE = Words(
    "INSIDE",
    {
        "switch": "Look inside",
        "inside_empty": "Make a picture above, and see here how the network came to it.",
        "heat_title": "What the discriminator thinks",
        "heat_picture": "Result of which each patch of {patch} by {patch} pixels is marked; on the whole {mean} of 1",
        "heat_patch": "patches of {patch}×{patch} px",
        "heat_mean": "On the whole {mean}, where 0 is made and 1 is real.",
        "heat_made": "looks made",
        "heat_real": "looks real",
        "heat_made_here": "most made here",
        "heat_real_here": "most real here",
        "heat_strength": "How strongly the marks cover the picture",
        "heat_strength_short": "Cover",
        "heat_stretch": "Stretch the colours",
        "heat_stretch_info": "Spread all colours over the marks of this picture alone",
        "code_title": "The code in the middle",
        "code_picture": "The code as a picture: its first three principal components as red, green and blue",
        "cut_title": "The U-Net without its skips",
        "cut_side": "without {side}×{side}",
        "cut_all": "without any",
        "patches_pairs": (
            "The discriminator sees the input and the result together and marks overlapping patches of them, not "
            "the picture as a whole. Where it says “made”, it found the difference to true pairs; the generator was "
            "trained to make it say “real”."
        ),
        "patches_alone": (
            "The discriminator marks overlapping patches of the result, not the picture as a whole, and never sees "
            "the input. Where it says “made”, it found the difference to real pictures; the generator was trained "
            "to make it say “real”."
        ),
        "patches_scales": (
            "Discriminators of several scales mark overlapping patches of the result: the finer one judges strokes "
            "and edges, the coarser ones larger shapes. Where they say “made”, they found the difference to real "
            "pictures; the generator was trained to make them say “real”."
        ),
        "patches_pairs_paper": "pix2pix, section 3.2.2",
        "patches_alone_paper": "pix2pix, section 3.2.2",
        "patches_scales_paper": "MUNIT, section 5.1",
        "code_latent": (
            "Both domains share this latent code: another decoder draws the other domain’s picture of it. Its three "
            "strongest directions in this picture are shown as red, green and blue; like colours mean like codes."
        ),
        "code_style": (
            "The content code says what is where, and nothing of colours, which the style code adds: no move of the "
            "style changes this picture. Its three strongest directions are shown as red, green and blue; like "
            "colours mean like codes."
        ),
        "code_latent_paper": "UNIT, sections 2 and 3",
        "code_style_paper": "MUNIT, section 3",
        "cuts": (
            "A skip carries a map of one size straight past the bottleneck; here one after the other is cut, then "
            "all. What each picture lacks came through its skip: fine lines through the large maps, large "
            "shapes and colours through the small."
        ),
        "cuts_paper": "pix2pix, sections 3.2.1 and 4.2",
    },
)

INSIDE_SERVER = Words(
    "INSIDE_SERVER",
    {
        "no_discriminator": "This model came without a discriminator that can be read, so there is nobody to ask.",
    },
)

COMPARE = Words(
    "COMPARE",
    {
        "task": "What becomes what",
        "welcome": "Draw once: every method answers",
        "truth": "Truth",
        "truth_unknown": "Known for some examples",
        "mean_style": "mean style",
        "style_seed": "style {seed}",
        "reroll": "Another style of {name}",
        "card_of": "About {name}",
        "about": "About {name}",
        "ms": "{ms} ms",
        "input": "Input",
        "result_of": "Result of {name}",
        "download_all": "Download as one picture",
        "numbers_of": "Numbers of {name}",
        "measured": "{images} {split} images, {size} px",
        "legend": "{direction}, {split} images: {figures}.",
        "figure_class_iou": "IoU",
        "figure_within_16": "within 16",
        "figure_f1": "F1",
        "figure_l1": "L1",
        "figure_ssim": "SSIM",
        "figure_fid": "FID",
        "legend_class_iou": "IoU of the labels, more is better",
        "legend_within_16": "share of pixels within 16 of the true colour, more is better",
        "legend_f1": "F1 of the strokes, more is better",
        "legend_l1": "L1 to the truth, less is better",
        "legend_ssim": "SSIM with the truth, more is better",
        "legend_fid": "FID, less is better",
    },
)

ACCOUNT = Words(
    "ACCOUNT",
    {
        "login": "Log in with Hugging Face",
        "logout": "Log out {}",
        "duplicate": "Duplicate this Space",
        "explained": (
            "Open checkpoints of your account, private ones too: nobody else sees them. Or copy one from here."
        ),
        "log_in_first": "Log in with Hugging Face first.",
        "choose": "A checkpoint of yours: choose, or type owner/name",
        "open": "Open it",
        "none": "Your account has no checkpoint of this kind yet.",
        "found": "{count} found.",
        "opened": "**{title}** is open below, for you alone.",
        "too_many": "Too many visitors have models of their own open just now. Please try again in a few minutes.",
        "opening": "A model of yours is being opened already. Please wait until it is there.",
        "closed": "This model was closed: nobody used it for an hour, or you opened another. Open it again above.",
        "taken": "{name} exists already. Please choose another name.",
        "copy": "Copy a model to your account",
        "copy_which": "Model",
        "copy_name": "Name of the new repo",
        "copy_private": "Private",
        "copy_go": "Copy it",
        "copied": "[{name}]({url}) has it now.",
    },
)

LIMITS = Words(
    "LIMITS",
    {
        "busy": "Many people are drawing here just now. Please try again in a moment.",
        "superseded": "You asked for something newer since, so this was left out.",
        "too_often": "You ask more often than the server can answer. Please wait a moment.",
        "too_large": "That is too large to be taken in; at most {limit} MB fit.",
        "too_slow": "What you sent did not arrive in time. Please try again.",
        "closing": "The server is being restarted. Please try again in a moment.",
        "closed": "This page does not offer that.",
        "no_endpoint": "There is no endpoint of that name here; /gradio_api/info lists them.",
        "disk_full": "The server has no room for that file just now. Please try again later; the number is {id}.",
        "foreign_origin": "Another web site asked this in your name, so it was left out. Please open the page itself.",
        "foreign_host": "This page is not called {host}. Whoever runs it can add names: I2I_HOSTS={host}.",
        "long_session": "A session’s name has at most {limit} characters.",
        "too_many_files": "Those are too many files at once; at most {limit} can be sent.",
        "too_many_events": "Enough of yours is under way. Please wait until some of it is done.",
        "no_type": "Please say in Content-Type what is sent: application/json or multipart/form-data.",
    },
)
