// Shared by every signed-in page: server time, ticking, toasts, dialogs, menus, posting. Data reaches the page as textContent only.

const wordsNode = document.getElementById("words");
const words = wordsNode ? JSON.parse(wordsNode.textContent) : {};

/** Fill a sentence of kernel.words: say("mss", {m: 1, s: 5}) -> "1 分 05 秒". */
export function say(key, given = {}) {
  return (words[key] ?? "").replace(/%\((\w+)\)(0(\d+))?[sd]/g, (_all, name, _pad, width) =>
    String(given[name] ?? "").padStart(width ? Number(width) : 0, "0"),
  );
}

// --- time: the server's clock, not the device's ------------------------------
let offset = 0;

/** Learn the server's time from an ISO string that arrived at `at` on our own clock. */
export function learnServerTime(iso, at = Date.now()) {
  const then = Date.parse(iso);
  if (!Number.isNaN(then)) offset = then - at;
}

export const serverNow = () => Date.now() + offset;

const zone = document.documentElement.dataset.tz;
const timeOfDay = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: zone || undefined });
export const clockTime = (ms) => timeOfDay.format(new Date(ms));

// --- spans of time, the same words as config/kernel/words.py -----------------
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const two = (n) => String(n).padStart(2, "0");

export function clock(total) {
  const sign = total < 0 ? "+" : "";
  const size = Math.abs(total);
  const h = Math.floor(size / HOUR);
  const m = Math.floor((size % HOUR) / MINUTE);
  const s = size % MINUTE;
  return h ? `${sign}${h}:${two(m)}:${two(s)}` : `${sign}${m}:${two(s)}`;
}

export function spoken(total) {
  const size = Math.abs(total);
  const d = Math.floor(size / DAY);
  const h = Math.floor((size % DAY) / HOUR);
  const m = Math.floor((size % HOUR) / MINUTE);
  const s = size % MINUTE;
  if (d) return say(h ? "dh" : "ds", { d, h });
  if (h) return say(m ? "hm" : "hs", { h, m });
  if (m) return say(s ? "mss" : "ms", { m, s });
  return say("ss", { s });
}

export function due(total) {
  const size = Math.abs(total);
  const sign = total < 0 ? "+" : "";
  if (size < 5 * MINUTE) return clock(total);
  if (size < HOUR) return sign + say("ms", { m: Math.floor(size / MINUTE) });
  if (size < DAY) return sign + say("hm", { h: Math.floor(size / HOUR), m: Math.floor((size % HOUR) / MINUTE) });
  return sign + say("ds", { d: Math.floor(size / DAY) });
}

export function ringFigure(total) {
  const size = Math.abs(total);
  const sign = total < 0 ? "+" : "";
  if (total < 0 && size < MINUTE) return [`+${size}`, say("second")];
  if (total >= 0 && size < 5 * MINUTE) return [clock(total), ""];
  if (size < HOUR) return [`${sign}${Math.floor(size / MINUTE)}`, say("minute")];
  if (size < 10 * HOUR) return [`${sign}${Math.floor(size / HOUR)}:${two(Math.floor((size % HOUR) / MINUTE))}`, say("hour")];
  if (size < DAY) return [`${sign}${Math.floor(size / HOUR)}`, say("hour")];
  return [`${sign}${Math.floor(size / DAY)}`, say("day")];
}

// --- ticking -----------------------------------------------------------------
const SVG = "http://www.w3.org/2000/svg";
const RING_LENGTH = 2 * Math.PI * 25;

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function picture(box, css, ...shapes) {
  const node = shape("svg", { viewBox: `0 0 ${box} ${box}`, "aria-hidden": "true" });
  if (css) node.setAttribute("class", css);
  node.append(...shapes);
  return node;
}

function ringPictures(status, share) {
  if (status === "breach") return [picture(56, "", shape("circle", { class: "disc", cx: 28, cy: 28, r: 27 }))];
  const common = { cx: 28, cy: 28, r: 25, fill: "none", "stroke-width": status === "warn" ? 6 : 4 };
  const arc = { ...common, class: "arc", "stroke-linecap": "round", "stroke-dasharray": `${(share * RING_LENGTH).toFixed(1)} 200` };
  const drawn = [picture(56, "", shape("circle", { ...common, class: "trk" }), shape("circle", { ...arc, transform: "rotate(-90 28 28)" }))];
  if (status === "warn") {
    drawn.push(
      picture(
        22,
        "tri",
        shape("path", { d: "M11 2 20.5 19h-19z", fill: "var(--warn)", stroke: "var(--warn-arc)", "stroke-width": 1.6, "stroke-linejoin": "round" }),
        shape("path", { d: "M11 8.4v4.4M11 15.9v.2", stroke: "var(--on-warn)", "stroke-width": 2.2, "stroke-linecap": "round" }),
      ),
    );
  }
  return drawn;
}

function tickRing(ring, left) {
  const total = Number(ring.dataset.total);
  const share = total ? Math.min(Math.max(left / total, 0), 1) : null;
  let status = ["ok", "warn", "breach"].find((name) => ring.classList.contains(name)) ?? "ok";
  if (left < 0) status = "breach";
  else if (share !== null) status = share <= 0.2 ? "warn" : "ok";
  if (share !== null || (status === "breach" && !ring.classList.contains("breach"))) {
    ring.classList.remove("ok", "warn", "breach");
    ring.classList.add(status);
    for (const old of ring.querySelectorAll(":scope > svg")) old.remove();
    ring.prepend(...ringPictures(status, share ?? 0));
  }
  const [value, unit] = ringFigure(left);
  put(ring.querySelector("b"), value);
  let small = ring.querySelector("small");
  if (unit && !small) {
    small = document.createElement("small");
    ring.querySelector(".v").append(small);
  }
  if (small) put(small, unit);
  // The name follows by the minute; a screen reader must not hear each second.
  if (left % MINUTE === 0) ring.closest("[role=img]")?.setAttribute("aria-label", say(left < 0 ? "over" : "left", { target: ring.dataset.target, time: spoken(left) }));
}

function put(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/** What a wall shows: hours and minutes are enough from afar, seconds only below an hour. */
export const far = (total) => (Math.abs(total) < HOUR ? clock(total) : clock(total).slice(0, -3));

const FORMS = { clock, due, far, words: spoken };

function tickOne(node, now) {
  const left = Math.trunc((Date.parse(node.dataset.due) - now) / 1000);
  const form = node.dataset.form;
  if (form === "ring") tickRing(node, left);
  else if (form in FORMS) put(node, FORMS[form](left));
  if (left >= 0) {
    node.dataset.seen = node.dataset.due;
    return;
  }
  node.closest(".due, .cd")?.classList.add("breach");
  // Only a limit that passes before our eyes is news; the page then reads the truth from the server.
  if (node.dataset.seen === node.dataset.due) {
    delete node.dataset.seen;
    node.dispatchEvent(new CustomEvent("wardline:overdue", { bubbles: true }));
  }
}

/** Bring every countdown below `root` up to date now. */
export function tick(root = document) {
  const now = serverNow();
  for (const node of root.querySelectorAll("[data-due]")) tickOne(node, now);
}

function tickForever() {
  tick();
  setTimeout(tickForever, 1000 - (serverNow() % 1000) + 5);
}

// --- toast -------------------------------------------------------------------
/** Say a result. With `undo`, a button stands for `seconds`; errors belong to the field or a banner, not here. It takes the
 *  place of the last one of its `kind`: an alarm that arrives never hides the answer to what somebody just did. */
export function toast(text, { undo = null, label = "", seconds = 10, kind = "answer" } = {}) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const box = document.createElement("div");
  box.className = "toast";
  box.dataset.kind = kind;
  const said = document.createElement("span");
  said.className = "grow";
  said.textContent = text;
  box.append(said);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn sm";
    button.textContent = label;
    button.addEventListener("click", () => {
      box.remove();
      undo();
    });
    box.append(button);
  }
  region.querySelector(`div.toast[data-kind="${kind}"]`)?.remove(); // a bar that the page itself brought, such as undo, stays
  region.append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}

// --- dialogs and menus -------------------------------------------------------
/** Open a native dialog; focus enters its title, and the browser gives it back to the opener. */
export function openDialog(dialog) {
  dialog.showModal();
  const title = dialog.querySelector("h1, h2");
  if (title) {
    title.tabIndex = -1;
    title.focus();
  }
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.open);
    if (dialog) {
      event.preventDefault();
      opener.closest("details.menu")?.removeAttribute("open");
      openDialog(dialog);
    }
  }
  const closer = event.target.closest("[data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
  }
  if (event.target.closest("[data-print]")) window.print();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && slashIsOn()) {
    const search = document.querySelector(".srch input");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

// A single-key shortcut must be possible to turn off (WCAG 2.1.4).
const SLASH = "wardline.slash";
const slashIsOn = () => localStorage.getItem(SLASH) !== "off";
for (const box of document.querySelectorAll("input[data-slash]")) {
  box.checked = slashIsOn();
  box.addEventListener("change", () => localStorage.setItem(SLASH, box.checked ? "on" : "off"));
}

// --- forms -------------------------------------------------------------------
// One press, one request; the button says that it is busy. Coming back by the back button frees it again, and so does
// time: a request that was stopped tells the page nothing.
const FREE_AFTER = 15_000;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (!navigator.onLine) {
    event.preventDefault(); // the browser's own page would take what was typed with it
    toast(say("offline"));
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(free, FREE_AFTER, form);
});
function free(form) {
  delete form.dataset.sent;
  for (const button of form.elements) button.removeAttribute("aria-busy");
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free));

/** A refusal or failure of the server, as a sentence. `status` 0 is no network. */
export class Refusal extends Error {
  constructor(message, status, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

const token = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";

/** Send JSON (or FormData) and read JSON; throws Refusal with the server's own sentence. */
export async function send(url, body = null, { method = "POST", headers = {}, key = null } = {}) {
  const form = body instanceof FormData;
  const given = { Accept: "application/json", "X-CSRFToken": token(), ...headers };
  if (body !== null && !form) given["Content-Type"] = "application/json";
  if (key) given["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(url, { method, headers: given, body: body === null || form ? body : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Refusal(say("offline"), 0);
  }
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const read = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Refusal(read.detail ?? read.title ?? say("failed"), answer.status, read);
  return read;
}

/** Re-read a fragment of this site into `target`. The markup is rendered and escaped by the server. */
export async function refresh(target, url) {
  const answer = await fetch(url, { headers: { Accept: "text/html", "X-Fragment": "1" }, credentials: "same-origin" });
  if (!answer.ok) throw new Refusal(say("failed"), answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = target.id ? (page.getElementById(target.id) ?? page.body) : page.body;
  markChanges(target, fresh);
  target.replaceChildren(...document.adoptNode(fresh).childNodes);
  tick(target);
}

// Rows carry data-key and data-version; a row that is new or newer fades once.
function markChanges(old, fresh) {
  const before = new Map([...old.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row.dataset.version]));
  if (before.size === 0) return;
  for (const row of fresh.querySelectorAll("[data-key]")) {
    if (before.get(row.dataset.key) !== row.dataset.version) row.classList.add("flash");
  }
}

// The page was written when its first byte came, not when this module ran.
const arrival = performance.getEntriesByType("navigation")[0]?.responseStart || performance.now();
learnServerTime(document.querySelector("meta[name=server-time]")?.content ?? "", performance.timeOrigin + arrival);
tickForever();
