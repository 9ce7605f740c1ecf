"""Page layout of the sandbox's own pages."""

from __future__ import annotations

from html import escape

from aiohttp import web

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--go:#1f6f54}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:0 auto;padding:1rem 1.5rem 4rem}
h1{font-size:1.5rem;margin:.5rem 0}
nav{display:flex;gap:1.25rem;padding:.5rem 0;border-bottom:1px solid var(--line)}
.totals{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;padding:0;margin:1rem 0}
.totals li{background:var(--soft);border-radius:.5rem;padding:.5rem 1rem}
.totals b{display:block;font-size:1.4rem}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;
border-bottom:1px solid var(--line)}th{font-size:.85rem}td form{display:inline-block;margin-bottom:.2rem}
code{white-space:nowrap}
code,textarea{font:13px/1.45 ui-monospace,monospace}textarea{width:100%;min-height:7rem}
td form:has(textarea){display:block}td:last-child:not(:has(textarea)){white-space:nowrap}
button{font:inherit;padding:.25rem .75rem;border:1px solid var(--go);border-radius:.4rem;
background:var(--go);color:#fff;cursor:pointer}button.quiet{background:none;color:inherit;border-color:var(--line)}
.state{border:1px solid var(--line);border-radius:1rem;padding:.05rem .6rem;white-space:nowrap}
.done{background:var(--go);color:#fff;border-color:var(--go)}.dim{opacity:.7}
"""


def html_page(title: str, body: str, *, status: int = 200, nav: str = "", refresh: int = 0) -> web.Response:
    """Return a whole page. `body` and `nav` are HTML; `refresh` is the seconds between reloads, 0 for none."""
    reload = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{reload}'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"{f'<nav>{nav}</nav>' if nav else ''}<main>{body}</main></body></html>"
    )
    return web.Response(status=status, text=text, content_type="text/html")
