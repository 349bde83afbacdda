"""What Studio adds to a Jupyter server: what the page must know, dashboards, and elsewhere a way to Studio's API."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join

from studio.lab import dashboards, proxy

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from studio.lab.config import Lab


def _load_jupyter_server_extension(app: "ServerApp") -> None:
    """Adds Studio's routes to `app`. In a sandbox STUDIO_API and STUDIO_TOKEN lead to Studio; in anybody else's Jupyter
    STUDIO_URL and STUDIO_TOKEN do, and the extension passes `<base>/studio/api/*` on with them."""
    base = app.web_app.settings["base_url"]
    in_sandbox = "STUDIO_SANDBOX" in os.environ
    folder = Path(os.environ["STUDIO_OUT"]) if in_sandbox else Path(tempfile.mkdtemp(prefix="studio-"))
    url = os.environ.get("STUDIO_API" if in_sandbox else "STUDIO_URL", "")
    token = os.environ.get("STUDIO_TOKEN", "")
    dashboard = dashboards.Dashboards(folder / "dash.sock", url_path_join(base, "studio/dashboards"), url, token)
    # In Studio's own lab the gateway takes /studio/api before it comes here: what does come here has no way further.
    upstream = proxy.Upstream("", "") if in_sandbox else proxy.Upstream(url, token)
    app.web_app.add_handlers(
        ".*$",
        [
            *dashboards.handlers(base, dashboard),
            *proxy.handlers(base, upstream),
        ],
    )
    app.log.info("Studio's extension is loaded (%s).", url or "not connected to a Studio")


def describe(app: "ServerApp", lab: "Lab") -> None:
    """Tells the page whose lab it is (read with PageConfig.getOption)."""
    page: dict[str, Any] = app.web_app.settings.setdefault("page_config_data", {})
    page.update(
        studioLab="true",
        studioDomain=lab.domain,
        studioUser=lab.user,
        studioRole=lab.role,
        studioAddress=lab.address,
        studioVersion=lab.version,
        appName="Studio",
    )
