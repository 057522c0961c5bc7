// Charts in the reader's colours, tables that sort, and a page that goes when its share ends.
"use strict";

const CHECK_EVERY_MS = 3000;
const told = document.getElementById("data").textContent;
const { charts, dark } = JSON.parse(told);
const night = matchMedia("(prefers-color-scheme: dark)");
const places = document.querySelectorAll(".chart");

function drawn(figure) {
  if (!night.matches) return figure;
  const pattern = new RegExp(Object.keys(dark).join("|"), "g");
  return JSON.parse(JSON.stringify(figure).replace(pattern, (colour) => dark[colour]));
}

function draw() {
  charts.forEach((figure, place) => {
    const { data, layout } = drawn(figure);
    places[place].style.height = layout.height ? `${layout.height}px` : "";
    const fitted = { ...layout, height: undefined, autosize: true };
    for (const name of Object.keys(layout)) {
      if (/^[xy]axis/.test(name)) fitted[name] = { ...layout[name], automargin: true };
    }
    Plotly.react(places[place], data, fitted, { responsive: true, displayModeBar: false });
  });
}

function key(row, column) {
  const cell = row.cells[column];
  return cell.dataset.key ?? cell.textContent;
}

function compared(one, other) {
  const [left, right] = [Number(one), Number(other)];
  return Number.isNaN(left) || Number.isNaN(right) ? one.localeCompare(other) : left - right;
}

function sort(table, heading) {
  const up = heading.ariaSort === "descending";
  table.querySelectorAll("th").forEach((of) => of.removeAttribute("aria-sort"));
  heading.ariaSort = up ? "ascending" : "descending";
  const [body] = table.tBodies;
  const column = heading.cellIndex;
  const rows = [...body.rows].sort((one, other) => compared(key(one, column), key(other, column)) * (up ? 1 : -1));
  body.append(...rows);
}

async function check() {
  let answer;
  try {
    answer = await fetch("status", { cache: "no-store" });
  } catch {
    return; // no connection just now: the next time may go well
  }
  if (answer.status === 404) location.reload(); // which is answered like any link that does not open
}

draw();
night.addEventListener("change", draw);
document.querySelectorAll("table").forEach((table) => {
  table.querySelectorAll("th").forEach((heading) => {
    heading.querySelector("button").addEventListener("click", () => sort(table, heading));
  });
});
setInterval(check, CHECK_EVERY_MS);
