"""The permission to run HF Jobs in a visitor's account, which is asked for only when they want one there.

A Space names all permissions that it may ever ask for in its front matter, and Gradio's log-in asks for all of them at
once. So this one is taken out of Gradio's list, and `/login/jobs` asks for it besides; the answer comes back to Gradio.
"""

import os

import gradio as gr
from gradio import oauth
from starlette.requests import Request
from starlette.responses import Response

from ui.account import is_offered as has_login
from ui.account import on_space

JOBS = "jobs"
LOGIN = "/login/jobs"


def set_apart() -> None:
    """Have Gradio's log-in ask for everything but HF Jobs; to be called before the page is launched."""
    if oauth.OAUTH_SCOPES:
        oauth.OAUTH_SCOPES = " ".join(scope for scope in oauth.OAUTH_SCOPES.split() if scope != JOBS)


def is_missing(token: gr.OAuthToken | None) -> bool:
    """Whether a visitor must be asked first. On one's own machine the machine's own token decides."""
    return on_space() and (token is None or JOBS not in token.scope.split())


async def log_in(request: Request) -> Response:
    """Send a visitor to the Hub, to be asked for HF Jobs besides what they have allowed already."""
    if not has_login():
        return Response(status_code=404)
    from authlib.integrations.starlette_client import OAuth  # with Gradio's extra `oauth`

    # Under Gradio's name for it: its callback looks in the session for what this one remembers there.
    client = OAuth().register(
        name="huggingface",
        client_id=oauth.OAUTH_CLIENT_ID,
        client_secret=oauth.OAUTH_CLIENT_SECRET,
        client_kwargs={"scope": f"{oauth.OAUTH_SCOPES} {JOBS}"},
        server_metadata_url=f"{oauth.OPENID_PROVIDER_URL}/.well-known/openid-configuration",
    )
    host = os.environ.get("SPACE_HOST", "").partition(",")[0].strip()
    back = f"https://{host}/login/callback?_target_url=/" if host else str(request.url_for("oauth_redirect_callback"))
    response: Response = await client.authorize_redirect(request, back)
    return response
