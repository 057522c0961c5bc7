// The drop zone and the list of files on their way in. The server is the only source of what is shown: this asks it
// twice a second while something moves. Sending goes on when the page is left for another one of the dashboard.

const SLICE_BYTES = 8 * 2 ** 20
const ASK_MOVING_MS = 500
const ASK_RESTING_MS = 4000
const TRIES = 6
const SVG = "http://www.w3.org/2000/svg"
const ICONS = {
  done: "M5 12.5l4.5 4.5L19 7.5",
  failed: "M12 7v6m0 3.5v.5M12 3l9.5 17h-19z",
  cancelled: "M6 6l12 12M18 6L6 18",
  unclaimed: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4m0 3v.5M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19z",
  running: "M12 6v6l4 2M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19z",
  download: "M12 4v11m0 0-4-4m4 4 4-4M5 19h14",
  columns: "M4 5h16v14H4zM10 5v14M15 5v14",
}

const sender = Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16)).join("")
const outbox = [] // {id, file} of this tab, in the order in which they are sent
const sendings = new Map() // id → AbortController of the slice under way
const turnedAway = [] // what the server would not take, told until dismissed
let isSending = false
let view = null // {root, settings, map}: the mounted component, if any
let timer = 0

export default function ({ data, parentElement, setTriggerValue }) {
  view = { root: parentElement, settings: data, map: id => setTriggerValue("mapping", id) }
  const input = parentElement.querySelector("input")
  parentElement.querySelector(".choose").onclick = () => input.click()
  input.onchange = () => {
    take([...input.files])
    input.value = ""
  }
  refresh()
  return () => {
    if (view?.root === parentElement) view = null
  }
}

// Files may be dropped anywhere on the page; the browser would otherwise leave the page to show them.
window.addEventListener("dragover", event => {
  if (!view || !event.dataTransfer?.types.includes("Files")) return
  event.preventDefault()
  view.root.querySelector(".zone").classList.add("over")
})
window.addEventListener("dragleave", event => {
  if (view && !event.relatedTarget) view.root.querySelector(".zone").classList.remove("over")
})
window.addEventListener("drop", async event => {
  if (!view || !event.dataTransfer?.types.includes("Files")) return
  event.preventDefault()
  view.root.querySelector(".zone").classList.remove("over")
  const entries = [...event.dataTransfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean)
  take((await Promise.all(entries.map(filesOf))).flat())
})
window.addEventListener("beforeunload", event => {
  if (outbox.length) event.preventDefault() // the browser asks: what has not been sent yet would be lost
})

// All files of a dropped file or folder.
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((found, failed) => entry.file(found, failed))]
  const reader = entry.createReader()
  const files = []
  for (;;) {
    const some = await new Promise((found, failed) => reader.readEntries(found, failed))
    if (!some.length) return files
    for (const inner of some) if (!inner.name.startsWith(".")) files.push(...(await filesOf(inner)))
  }
}

function ask(method, path, body, signal) {
  const headers = { "X-Outlay-Token": view?.settings.token ?? ask.token }
  ask.token = headers["X-Outlay-Token"]
  return fetch(`/api/uploads${path}`, { method, body, headers, signal, cache: "no-store" })
}

async function take(files) {
  for (const file of files) {
    const written_at = file.lastModified / 1000
    const about = { name: file.name, size: file.size, written_at, sender, options: view?.settings.options }
    try {
      const answer = await ask("POST", "", JSON.stringify(about))
      if (answer.ok) outbox.push({ id: (await answer.json()).id, file })
      else turnedAway.push({ name: file.name, problem: (await answer.text()) || "The server would not take it." })
    } catch {
      turnedAway.push({ name: file.name, problem: "The server does not answer." })
    }
  }
  refresh()
  if (isSending) return
  isSending = true
  while (outbox.length) {
    await send(outbox[0])
    outbox.shift()
  }
  isSending = false
}

// One file, slice by slice. A slice that fails is sent again from where the server says it stands.
async function send({ id, file }) {
  for (let at = 0, failed = 0; at < file.size; ) {
    const stop = new AbortController()
    sendings.set(id, stop)
    try {
      const answer = await ask("PUT", `/${id}/bytes/${at}`, file.slice(at, at + SLICE_BYTES), stop.signal)
      if (!answer.ok) break // cancelled, or refused: the list says why
      at = (await answer.json()).received
      failed = 0
    } catch (error) {
      if (stop.signal.aborted || error.name === "NotFoundError" || ++failed === TRIES) break
      await new Promise(done => setTimeout(done, 500 * 2 ** failed))
    }
  }
  sendings.delete(id)
}

async function refresh() {
  clearTimeout(timer)
  if (!view) return
  let jobs = []
  try {
    const answer = await ask("GET", "")
    trouble(answer.ok ? "" : "The server was started anew. Reload this page to go on.")
    if (answer.ok) jobs = await answer.json()
    if (answer.ok) draw(jobs)
  } catch {
    trouble("The server does not answer. Files that it had received will be gone; the rest goes on when it is back.")
  }
  clearTimeout(timer)
  timer = setTimeout(refresh, jobs.some(job => !job.has_ended) ? ASK_MOVING_MS : ASK_RESTING_MS)
}

function trouble(sentence) {
  const told = view?.root.querySelector(".trouble")
  if (!told) return
  told.hidden = !sentence
  told.textContent = sentence
}

function draw(jobs) {
  if (!view) return
  const list = view.root.querySelector(".jobs")
  const rows = new Map([...list.children].map(row => [row.dataset.id, row]))
  const away = turnedAway.map((each, number) => ({
    id: `away-${number}`, name: each.name, size: "", state: "failed", share: 1, status: "Not loaded",
    problem: each.problem, has_ended: true, logs: [], refused: 0, forget: () => turnedAway.splice(number, 1),
  }))
  const shown = [...away, ...jobs]
  shown.forEach((job, place) => {
    const told = JSON.stringify(job)
    let row = rows.get(job.id)
    rows.delete(job.id)
    if (row?.told !== told) {
      const fresh = rowOf(job)
      if (row && row.state === job.state && !job.has_ended) update(row, job)
      else if (row) {
        if (job.has_ended) view.root.querySelector(".said").textContent = `${job.name}: ${job.status}`
        row.replaceWith(fresh)
        row = fresh
      } else row = fresh
      row.told = told
      row.state = job.state
    }
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null)
  })
  rows.forEach(row => row.remove())
}

function update(row, job) {
  row.querySelector(".status").textContent = job.status
  row.querySelector(".bar").setAttribute("aria-valuenow", Math.round(100 * job.share))
  row.querySelector(".bar i").style.width = `${100 * job.share}%`
}

function rowOf(job) {
  const state = job.unclaimed ? "unclaimed" : job.has_ended ? job.state : "running"
  const row = element("li", `job ${state}`)
  row.dataset.id = job.id
  row.dataset.state = job.state
  const head = element("div", "head", icon(state, "mark"), element("span", "name", job.name), element("span", "size", job.size))
  if (job.can_cancel) head.append(button("Cancel", "quiet", () => cancel(job), `Cancel ${job.name}`))
  if (job.has_ended) head.append(button("Dismiss", "quiet", () => dismiss(job), `Dismiss ${job.name}`))
  row.append(head)
  if (!job.has_ended) {
    const bar = element("div", "bar", element("i"))
    for (const [name, value] of [["role", "progressbar"], ["aria-label", job.name], ["aria-valuemin", 0], ["aria-valuemax", 100]])
      bar.setAttribute(name, value)
    row.append(bar, element("p", "status"))
    update(row, job)
  } else if (job.state !== "done") row.append(element("p", "status", job.status))
  if (job.problem) row.append(element("p", "problem", job.problem))
  row.append(...job.logs.map(logOf))
  if (job.unclaimed) row.append(element("p", "unclaimed-note", job.unclaimed))
  const links = element("div", "links")
  if (job.unclaimed) links.append(button("Choose columns", "primary", () => view?.map(job.id), "", "columns"))
  if (job.refused) {
    const link = element("a", "button", icon("download"), "Refused lines with reasons (CSV)")
    link.href = `/api/uploads/${job.id}/refused.csv`
    link.download = ""
    links.append(link)
  }
  row.append(links)
  return row
}

function logOf(log) {
  const told = element("div", "log")
  if (log.name) told.append(element("p", "log-name", log.name))
  const sum = element("p", "sum")
  log.arithmetic.forEach(([count, words], place) => {
    sum.append(["", " = ", " + ", " + ", " + "][place], element("b", "", count), ` ${words}`)
  })
  told.append(sum, element("p", "facts", log.facts))
  told.append(...log.notes.map(note => element("p", "note", note)))
  if (log.unpriced) told.append(element("p", "unpriced", log.unpriced))
  if (log.refusals.length) told.append(element("ul", "reasons", ...log.refusals.map(each => element("li", "", each))))
  return told
}

async function cancel(job) {
  sendings.get(job.id)?.abort()
  const place = outbox.findIndex(each => each.id === job.id)
  if (place > 0) outbox.splice(place, 1)
  await ask("POST", `/${job.id}/cancel`).catch(() => {})
  refresh()
}

async function dismiss(job) {
  if (job.forget) job.forget()
  else await ask("DELETE", `/${job.id}`).catch(() => {})
  refresh()
}

function element(tag, kind = "", ...content) {
  const made = document.createElement(tag)
  if (kind) made.className = kind
  made.append(...content)
  return made
}

function button(words, kind, onclick, label = "", sign = "") {
  const made = element("button", kind, ...(sign ? [icon(sign)] : []), words)
  made.type = "button"
  if (label) made.setAttribute("aria-label", label)
  made.onclick = onclick
  return made
}

function icon(name, kind = "") {
  const made = document.createElementNS(SVG, "svg")
  made.setAttribute("viewBox", "0 0 24 24")
  made.setAttribute("aria-hidden", "true")
  if (kind) made.setAttribute("class", kind)
  const line = document.createElementNS(SVG, "path")
  line.setAttribute("d", ICONS[name])
  made.append(line)
  return made
}
