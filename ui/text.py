"""Every English word that a visitor reads, in one place, ready for translation."""

PAGE = {
    "title": "Image to image",
    "tagline": "Draw, and a picture follows your pen.",
    "tab_paired": "Paired",
    "model": "Model",
    "dropout": "Dropout on",
    "dropout_info": "Each seed gives another picture; the paper's only source of variety.",
    "seed": "Seed",
    "another_seed": "Another seed",
    "card": "About this model",
    "no_card": "This model came without a card.",
    "no_checkpoints": (
        "### No model here yet\n\n"
        "The page found no checkpoint that it could load in its folder `{folder}`. "
        "Run `make checkpoints` to train the ones of this project, or copy a checkpoint's folder there; "
        "then start the page again."
    ),
}

CANVAS = {
    "paper": "Drawing paper",
    "result": "Result",
    "ghost_outline": "Draw an outline here",
    "ghost_labels": "Draw windows and doors on this wall",
    "ghost_picture": "Drop or choose a picture",
    "ghost_result": "The picture appears here",
    "ghost_examples": "or try one of these",
    "drawing_tools": "Drawing tools",
    "pen": "Pen",
    "brush": "Brush",
    "rect": "Rectangle",
    "erase": "Eraser",
    "size": "Brush size",
    "undo": "Undo (Ctrl+Z)",
    "redo": "Redo (Ctrl+Shift+Z)",
    "clear": "Clear",
    "upload": "Choose a picture; dropping or pasting one works too",
    "camera": "Camera",
    "shoot": "Take the picture",
    "cancel": "Cancel",
    "drop": "Drop the picture here",
    "palette": "What the brush paints",
    "variant": "How to use the picture",
    "as_is": "Use as it is",
    "outline": "Make an outline of it",
    "compare": "Compare: slide from the result to the drawing",
    "download": "Download PNG",
    "time": "network {ms} ms",
    "examples": "Examples",
    "example": "Example {n}",
    "close": "Close this message",
    "too_large": "That file has {size} MB; please choose one of at most {limit} MB.",
    "offline": "The server does not answer. Your drawing is safe; please try again in a moment.",
    "no_camera": "The camera could not be opened. Allow it for this page in the browser, or choose a picture instead.",
    "not_a_picture": "That was not a picture. Please choose an image file, such as PNG or JPEG.",
}

SERVER = {
    "unexpected": "Something went wrong on our side. Please try again; if it stays so, report it with the number {id}.",
    "bad_request": "The page sent something that the server does not understand. Please reload the page.",
    "unknown_checkpoint": "There is no model called {name} here. Please choose one from the list.",
    "drawing_too_large": "That drawing is too large to send. Please clear it and draw again.",
    "bad_seed": "The seed must be a whole number from 0 to {limit}.",
}
