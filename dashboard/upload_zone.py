"""The drop zone and the list of files on their way in: a component of our own, beside Streamlit's.

Its script is served as a file, since the content policy allows no script that is made up in the browser.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.components.v2.types import ComponentRenderer

HERE = Path(__file__).parent


def draw(token: str, options: Mapping[str, str | None]) -> str | None:
    """Draw it; the id of the job whose columns somebody wants to choose, in the run after the press.

    `token` opens the upload routes; files dropped from now on are read with `options` (`uploads.reading_options`).
    """
    zone = _component(get_bidi_component_manager())
    answer = zone(key="upload_zone", data={"token": token, "options": dict(options)}, on_mapping_change=lambda: None)
    return str(answer.mapping) if answer.mapping else None


@lru_cache(maxsize=1)
def _component(components: BidiComponentManager) -> ComponentRenderer:
    components.register_from_manifest(ComponentManifest("outlay", "0", [ComponentConfig("upload", "components")]), HERE)
    html, css = ((HERE / "components" / f"upload.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    return st.components.v2.component("outlay.upload", html=html, css=css, js="upload.js")
