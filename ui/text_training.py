"""Every English word of the Train tab; the other tabs' are in ui/text.py."""

from ui.i18n import Words

TRAINING = Words(
    "TRAINING",
    {
        "intro": "Drop pictures, and get a model of your own: pairs side by side, or two piles.",
        "pictures_a": "Pictures, or a ZIP of them",
        "pictures_b": "A second pile, if they are no pairs side by side",
        "named": "Or a folder of this machine, or a data set of the Hub",
        "named_example": "/home/me/pictures, or owner/name",
        "look": "Look at them",
        "looking": "Looking at the pictures …",
        "meant": "Is this what you mean?",
        "pairs": "Pairs: equal names belong together",
        "piles": "Two piles without pairs",
        "seen_side_by_side": "{a} pairs side by side to learn from.",
        "seen_pairs": "{a} pairs by equal names to learn from.",
        "seen_piles": "Two piles to learn from: {a} and {b} pictures.",
        "seen_rows": "A above, B below. Some more are kept aside to measure on.",
        "left_out": "{count} left out:",
        "left_unreadable": "cannot be read as a picture",
        "left_too_small": "smaller than 32 pixels",
        "left_file_too_large": "the file is too large",
        "left_points_outside": "its name points outside of the ZIP",
        "left_is_link": "is a link, not a picture",
        "left_no_picture": "is no picture",
        "left_is_locked": "is protected by a password",
        "left_not_wide": "is no pair side by side as the others are",
        "left_no_partner": "has no partner of that name in the other pile",
        "bad_nothing": "Drop pictures above first, or name a folder.",
        "bad_too_few": (
            "{count} are too few to learn from: give at least {limit} pairs, or {limit} pictures of each pile."
        ),
        "bad_too_many": (
            "{count} pictures are too many for the page to copy; it takes {limit}. Give fewer, or name a folder of "
            "this machine with pairs side by side, or with the folders trainA and trainB: that is read where it "
            "lies, however many there are."
        ),
        "bad_no_room": (
            "The trainings here take {taken} GB, and may take {limit}: take some out of the list below, then "
            "look again."
        ),
        "bad_all_too_small": "All pictures are smaller than {side} pixels a side: choose larger ones.",
        "bad_none_readable": (
            "None of these files can be read as a picture: use PNG, JPEG or WebP files, or a ZIP of them."
        ),
        "bad_same_piles": (
            "Both piles hold the same pictures: drop those that shall be translated left, and those that "
            "they shall become right."
        ),
        "bad_one_pile": (
            "These {count} pictures are no pairs side by side: drop what they shall become as a second pile."
        ),
        "bad_no_common_names": "The piles have no names in common, so there are no pairs in them.",
        "bad_many_folders": (
            "The pictures lie in {count} folders: put those of A into a folder A and those of B into a folder B."
        ),
        "bad_no_folder": "There is no folder {name} on this machine.",
        "bad_unfolds": "{name} unfolds into more than {limit} MB: give fewer or smaller pictures.",
        "bad_zip_damaged": "{name} is damaged: pack it again.",
        "bad_disk": "The pictures could not be stored ({said}): make room on the disk and look again.",
        "bad_said": "That cannot be used: {said}",
        "bad_unexpected": "The pictures could not be looked at. Please try again.",
        "about_pix2pix": "Learns from pairs, and most from each of them.",
        "about_cyclegan": "Two piles, both ways: what is translated there must come back.",
        "about_unit": "Two piles that share one code; sure of shapes, calm in colours.",
        "about_munit": "Two piles, and each result in as many styles as you like; takes the longest.",
        "about_discogan": "Two piles, both ways, for simple shapes; the quickest.",
        "name": "Name of the new model",
        "name_a": "A shows",
        "name_b": "B shows",
        "size": "Size",
        "memory": "There is memory for at most {size} pixels just now.",
        "budget": "Minutes it may take",
        "more": "Everything else",
        "start_from": "Begin with",
        "random_weights": "Random weights",
        "kind_a": "How one makes an A",
        "kind_b": "How one makes a B",
        "kind_picture": "By a photo or picture",
        "kind_outline": "By drawing outlines",
        "kind_paint": "By painting in free colours",
        "kind_labels": "By painting labels",
        "need_palette": (
            "Labels need their colours: give --palette below “Everything else” the path of a file such as "
            "train/palettes/facades.json, and one side the kind “By painting labels”."
        ),
        "where": "Where",
        "on_local": "This machine",
        "on_ray": "A Ray cluster",
        "on_hub": "HF Jobs, in your account",
        "gpus": "GPUs",
        "few_gpus": "There are {count} GPUs on this machine: choose no more, or 1 to train on its processor.",
        "address": "Address of the cluster",
        "flavor": "Hardware of HF Jobs",
        "kind_of_int": "a whole number",
        "kind_of_float": "a number",
        "kind_of_bool": "True or False",
        "kind_of_pair": "two numbers, such as 0 4095",
        "start": "Start",
        "started": "**{name}** is in the list below. You may close this page; the training goes on.",
        "bad_name": "A model’s name has letters, digits, dots and dashes, and begins with a letter or digit.",
        "bad_option": "{option} cannot be {value}: it takes {allowed}.",
        "bad_start_size": (
            "{name} takes sizes that {multiple} divides: choose another size, or begin with random weights."
        ),
        "name_taken": "There is a model or training called {name} already: choose another name.",
        "no_draft": "This training was started already, or its pictures are gone: look below, or drop them again.",
        "no_folders_here": "Here is no folder of yours: drop pictures, or name a data set of the Hub as owner/name.",
        "queue_full": "{limit} trainings wait already: throw one away, or wait until one has ended.",
        "not_allowed": (
            "Only whoever sits at this machine may train here. The owner can allow it to all with I2I_TRAIN=on."
        ),
        "not_allowed_space": (
            "Only the owner of this Space may train here: log in as the owner, or duplicate the Space to have your own."
        ),
        "need_scope": "Allow this page to run jobs in your account first: [log in for it]({url}), then start again.",
        "no_job": "That training is not here any more.",
        "not_now": "That cannot be done with the training as it stands now.",
        "state_waiting": "Number {place} in the queue",
        "state_measuring": "Reads the pictures and measures how fast it goes",
        "state_running": "Trains",
        "state_pausing": "Pauses after this step",
        "state_paused": "Paused",
        "state_evaluating": "Measures on the pictures that were kept aside",
        "state_done": "Done. The other tabs list it when the page is loaded again",
        "state_failed": "Has stopped",
        "went_on": "It broke off once and went on from its last state.",
        "why_said": "It says: {said}",
        "why_crashed": "It broke off several times at the same step. The last it said: {said}",
        "why_killed": (
            "It was ended from outside several times, perhaps because memory ran out. Choose a smaller "
            "size, or go on when there is room."
        ),
        "why_not_started": "It could not be started: {said}",
        "why_not_measured": "The model is there, but it could not be measured: {said}",
        "why_disk_full": "The disk is nearly full, so it pauses. Make room, then go on.",
        "why_job_too_large": (
            "It takes more room than one training may, so it pauses. Keep what it has learned, or throw it away."
        ),
        "why_cancelled": "It was cancelled.",
        "why_tidied": "To make room, what it needs to go on longer was deleted. The model stays.",
        "why_unexpected": "Something went wrong: {said}",
        "steps_done": "Steps",
        "speed": "Images a second",
        "time_left": "Left",
        "time_spent": "Trained for",
        "seconds": "{count} s",
        "minutes": "{count} min",
        "hours": "{count} h",
        "progress": "Steps done",
        "history": "How it came about",
        "at_step": "step {step}",
        "grid": "Fixed examples at step {step}: inputs, results, and truth or way back",
        "command": "The same in a shell",
        "do_pause": "Pause",
        "do_run": "Go on",
        "do_finish": "Stop and keep",
        "do_longer": "Train longer",
        "do_forget": "Take out of the list",
        "do_discard": "Throw away",
        "do_try": "Try it now",
        "do_open": "Open in its tab",
        "do_compare": "Compare with before",
        "do_zip": "Download",
        "do_push": "Push to the Hub",
        "sure": "Really throw it away?",
        "sure_model": "Really throw the model away, too?",
        "longer_minutes": "Minutes more",
        "longer_as_before": "as before",
        "longer_start": "Start",
        "bad_longer": "{option} cannot be {value}: it takes {least} to {most}.",
        "log": "What it says",
        "log_empty": "Nothing yet.",
        "close": "Close this message",
        "opened": "Open below: {name}",
        "nothing_yet": "It has not learned anything yet that could be tried.",
        "nothing_before": "There is nothing to compare with yet: try it now, and again later.",
        "download": "Download the model (ZIP)",
        "packed": "The model is packed.",
        "repo": "Push to the repo owner/name",
        "private": "Private",
        "push": "Push",
        "pushed": "[{name}]({url}) has it now.",
    },
)
