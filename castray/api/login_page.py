"""The page that asks for the token: one self-contained document, in English and Chinese.

`castray up` prints an address that ends in `#token=…`. A fragment never leaves the browser, so it
is in no log; this page's script reads it, logs in with it and takes it out of the address.
"""

from __future__ import annotations

import base64
import hashlib

__all__ = ["LOGIN_PAGE", "LOGIN_PAGE_POLICY"]

SCRIPT = """
const form = document.querySelector("form");
const chinese = navigator.language.toLowerCase().startsWith("zh");
document.documentElement.lang = chinese ? "zh" : "en";
async function login(token) {
  const answer = await fetch("/api/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (answer.ok) return location.reload();
  const problem = await answer.json();
  document.querySelector("[role=alert]").textContent = problem.detail;
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  login(form.elements.token.value.trim());
});
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", location.pathname + location.search);
  login(given);
}
"""

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
form { display: grid; gap: 0.75rem; width: min(22rem, 90vw); }
h1 { margin: 0; font-size: 1.5rem; }
p { margin: 0; }
input, button { font: inherit; padding: 0.5rem 0.75rem; }
[role=alert] { min-height: 1.5em; color: #c62828; }
html[lang=en] :lang(zh), html[lang=zh] :lang(en):not(html) { display: none; }
"""

LOGIN_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>CastRay</title>
<style>{STYLE}</style>
<form>
<h1>CastRay</h1>
<input name="username" autocomplete="username" value="castray" hidden>
<label for="token"><span lang="en">Access token</span><span lang="zh">访问令牌</span></label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button><span lang="en">Log in</span><span lang="zh">登录</span></button>
<p role="alert"></p>
<noscript>
<p lang="en">Logging in needs JavaScript.</p><p lang="zh">登录需要启用 JavaScript。</p>
</noscript>
</form>
<script>{SCRIPT}</script>
</html>
"""


def _source_hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


LOGIN_PAGE_POLICY = (
    f"default-src 'none'; script-src {_source_hash(SCRIPT)}; style-src {_source_hash(STYLE)}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its own Content-Security-Policy: nothing but this script and this style."""
