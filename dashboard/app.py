"""The frame around every page: navigation, the filters, what to say when there is nothing to show, the trust line."""

from pathlib import Path

import streamlit as st

from dashboard import data, export_menu, filter_bar, login_line, share_menu, trust_line
from dashboard.login import acting
from dashboard.login.users import Role
from dashboard.reports import chargeback

HERE = Path(__file__).parent

reader = acting.who()
data.look()
st.set_page_config(page_title="Outlay", page_icon=str(HERE / "mark.svg"), layout="wide")
st.html(HERE / "style.css")
st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "mark.svg"))
if reader is None:
    st.error("Your login has ended. Load this page again to log in.", icon=":material/lock:")
    st.stop()

SIGNALS = st.Page(
    "app_pages/signals.py",
    title="Signals",
    icon=":material/notifications:",
    help="What is worth a look, by dollars at stake, and why.",
)
LOOK = [
    st.Page(
        "app_pages/overview.py",
        title="Overview",
        icon=":material/dashboard:",
        default=True,
        help="What was spent, what changed and what is out of the ordinary.",
    ),
    SIGNALS,
]
WHAT_CHANGED = st.Page(
    "app_pages/compare.py",
    title="What changed",
    icon=":material/compare_arrows:",
    url_path="compare",
    help="Why one period cost more than another, in parts that add up.",
)
CHARGEBACK = st.Page(
    "app_pages/chargeback.py",
    title="Chargeback",
    icon=":material/account_balance:",
    help="Who pays what, with what is shared handed out by rules.",
)
RECONCILIATION = st.Page(
    "app_pages/reconciliation.py",
    title="Reconciliation",
    icon=":material/balance:",
    help="The bill against the logs, and what the difference is made of.",
)
COSTS = [
    st.Page(
        "app_pages/spend.py",
        title="Spend",
        icon=":material/payments:",
        help="Spend by feature, model, user, team, environment or token class.",
    ),
    WHAT_CHANGED,
    st.Page(
        "app_pages/cache.py",
        title="Cache",
        icon=":material/cached:",
        help="What prompt caching saved, net of what the writes cost.",
    ),
    CHARGEBACK,
    RECONCILIATION,
]
SAVE = [
    st.Page(
        "app_pages/advice.py",
        title="Savings",
        icon=":material/lightbulb:",
        help="What could be saved, in dollars a month, with the evidence; and whether it worked.",
    ),
    st.Page(
        "app_pages/simulator.py",
        title="Simulator",
        icon=":material/tune:",
        help="Measures switched on and off, and what is left of the spend.",
    ),
]
QUALITY = [
    st.Page(
        "app_pages/latency.py",
        title="Latency",
        icon=":material/timer:",
        help="How long callers waited, with and without hidden retries.",
    ),
    st.Page(
        "app_pages/truncation.py",
        title="Truncation",
        icon=":material/content_cut:",
        help="Answers cut off at max_tokens, and the ceilings they hit.",
    ),
    st.Page(
        "app_pages/reliability.py",
        title="Reliability",
        icon=":material/health_and_safety:",
        help="Errors before and after retries, and what retries hid.",
    ),
]
ASK = st.Page(
    "app_pages/ask.py",
    title="Ask",
    icon=":material/forum:",
    help="A question answered by SQL, a change explained, the monthly note.",
)
ABOUT_THE_LOGS = [
    st.Page(
        "app_pages/data.py",
        title="Data",
        icon=":material/database:",
        help="What was loaded, what was refused and why, and what has no price.",
    ),
    st.Page(
        "app_pages/upload.py", title="Upload", icon=":material/upload_file:", help="Load log files from this browser."
    ),
]

WATCH = [
    st.Page(
        "app_pages/budgets.py",
        title="Budgets",
        icon=":material/savings:",
        help="What is spent of each budget, and how long the rest will last.",
    ),
    st.Page(
        "app_pages/alerts.py",
        title="Alerts",
        icon=":material/notifications_active:",
        help="What is watched, what fires, and what was delivered.",
    ),
]

SHARES = st.Page(
    "app_pages/shares.py",
    title="Shares",
    icon=":material/link:",
    help="What is shared by link, how often it was opened, and how to end it.",
)
FOR_OPERATORS = (ASK, SHARES, ABOUT_THE_LOGS[1])  # a page that is not in the navigation does not open by its address

pages = {
    "": [*LOOK, ASK],
    "Costs": COSTS,
    "Save": SAVE,
    "Quality": QUALITY,
    "Watch": WATCH,
    "Sharing": [SHARES],
    "Logs": ABOUT_THE_LOGS,
}
if not reader.role.may(Role.OPERATOR):
    pages = {group: [of for of in those if of not in FOR_OPERATORS] for group, those in pages.items()}
page = st.navigation({group: those for group, those in pages.items() if those}, expanded=True)
login_line.draw(reader)

if page in (ASK, *WATCH, SHARES, *ABOUT_THE_LOGS):
    st.title(page.title, anchor=False)
    page.run()
elif data.span() is None:
    st.title(page.title, anchor=False)
    with st.container(border=True, key="empty", width=560):
        st.subheader("No calls yet", icon=":material/inbox:", anchor=False)
        st.markdown("Outlay reads the logs of applications that call the Claude API. Nothing has been loaded so far.")
        if reader.role.may(Role.OPERATOR) and st.button("Upload logs", type="primary", icon=":material/upload_file:"):
            st.switch_page(ABOUT_THE_LOGS[1])
        st.caption("Load files and folders from a terminal:")
        st.code("outlay ingest PATH", language=None)
else:
    menu = filter_bar.draw(page.title, offers_compare=page not in (SIGNALS, WHAT_CHANGED, RECONCILIATION, *SAVE))
    view = filter_bar.current()
    if data.read("totals", view.filters).first()["attempts"]:
        page.run()
        if page != CHARGEBACK or not chargeback.is_narrowed(view):
            with menu:  # last, since it goes by the switches of the page
                export_menu.draw(page.url_path or "overview", view)
                share_menu.draw(page.url_path or "overview", page.title, view)
    else:
        with st.container(border=True, key="empty", width=560):
            st.subheader("No calls here", icon=":material/filter_list_off:", anchor=False)
            st.markdown(f"Nothing that was logged on {view.period} passes these filters.")
            st.button("Clear filters and show all time", type="primary", on_click=filter_bar.show_everything)
    trust_line.draw(view)
