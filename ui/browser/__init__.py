"""Networks in the visitor's own browser: what the page's components are told of them, and where files are served.

The browser fetches this package's scripts, ONNX Runtime Web and an exported checkpoint from the page itself, under
`/browser/`, and from then on answers its visitor's strokes alone. It decides by itself whether to (`here.js`).
I2I_BROWSER=off serves nothing of this, and the server answers all; with `all`, checkpoints from elsewhere than the
page's folder are served, too.
"""

from collections.abc import Iterable
from typing import Any

import i2i_models as i2i
from ui.browser.files import RUNTIME, SCRIPTS
from ui.browser.models import address_of, is_offered
from ui.catalog import Catalog


def browser_props(catalog: Catalog, translators: Iterable[i2i.Translator]) -> dict[str, Any] | None:
    """What a component needs to run `translators` of a catalog in the browser; None where that is not offered.

    Returns:
        Addresses, relative to the page: `scripts`, `runtime` and, by name, `models`, without those that stay here.
    """
    if not is_offered():
        return None
    found = {t.info.name: address_of(catalog, t) for t in translators}
    models = {name: address for name, address in found.items() if address is not None}
    return {"scripts": SCRIPTS.address, "runtime": RUNTIME.address, "models": models}
