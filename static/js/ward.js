// The ward's pages get better with scripts, and work without: live summary, honest delivery, live tracking, voice notes.

const OUTBOX = "wardline.outbox"; // reports this phone still owes the server, each with its client_id
const CHOSEN = "wardline.chosen"; // what was chosen when another language was asked for
const MINE = "wardline.mine"; // tracking pages of this phone, for 24 hours
const DAY = 86_400_000;
const RETRY = [2, 4, 8, 16, 30, 60];
const TRY_FOR = 10_000; // a request that hangs on a weak network counts as lost
const SHOUT_AFTER = 15_000;
const REFUSED = new Set([400, 404, 410, 413, 422]); // what Wardline itself never takes; any other 4xx is somebody on the way
const form = document.getElementById("r");
const banner = document.getElementById("undelivered");

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return []; // storage switched off or spoilt: the page works on without it
  }
}

function write(key, list) {
  try {
    localStorage.setItem(key, JSON.stringify(list));
  } catch {
    // private mode: nothing is remembered, nothing else changes
  }
}

// --- what will be sent -------------------------------------------------------------------------------------------
function summarise() {
  const words = [...form.querySelectorAll("input[type=radio]:checked")].map((input) =>
    input.closest(".pick").querySelector("[data-word]").textContent.replace(/\s+/g, " ").trim(),
  );
  document.getElementById("summary").textContent = words.join(" · ");
}

// --- delivery: kept on the phone until the server answers, the same client_id on every try, no tick before ------------
let attempt = 0;
let timer = 0;
let alarm = 0;
let sending = false;
let current = null; // the report of this very page: its receipt is where the page goes next

function asLetter() {
  const body = new FormData(form);
  body.set("client_at", new Date().toISOString());
  return {
    to: location.pathname,
    body: new URLSearchParams(body).toString(),
    device: form.dataset.device,
    asset: form.dataset.asset,
    urgent: body.get("in_use") === "yes" || body.has("danger"),
    at: Date.now(),
  };
}

async function post(letter) {
  const stop = new AbortController();
  const hung = setTimeout(() => stop.abort(), TRY_FOR);
  try {
    return await fetch(letter.to, {
      method: "POST",
      body: letter.body,
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      signal: stop.signal,
    });
  } finally {
    clearTimeout(hung);
  }
}

// A report is known by its client_id: a second tap writes the same report anew while the first is on its way.
const idOf = (letter) => new URLSearchParams(letter?.body).get("client_id");
const without = (letter) => read(OUTBOX).filter((other) => idOf(other) !== idOf(letter));
const forget = (letter) => write(OUTBOX, without(letter));

// The address of the receipt; "" when Wardline has said that it never takes this one.
async function deliver(letter) {
  const answer = await post(letter);
  if (answer.ok && answer.redirected) {
    forget(letter);
    remember(letter, new URL(answer.url).pathname);
    navigator.vibrate?.(80);
    return answer.url;
  }
  if (REFUSED.has(answer.status)) {
    write(OUTBOX, [...without(letter), { ...letter, refused: true }]); // it stays to be seen, below the reports of this phone
    return "";
  }
  throw new Error(String(answer.status));
}

async function flush() {
  if (sending) return;
  sending = true;
  clearTimeout(timer);
  mark("sending");
  try {
    for (const letter of read(OUTBOX).filter((one) => !one.refused && Date.now() - one.at < DAY)) {
      const url = await deliver(letter);
      const here = current !== null && idOf(letter) === idOf(current);
      if (here && url) return location.assign(url);
      if (here) {
        forget(letter);
        return form.submit(); // the server's own page says what is missing and keeps every entry
      }
    }
    const elsewhere = current && read(MINE).find((item) => item.id === idOf(current)); // another tab has delivered it
    if (elsewhere) return location.assign(elsewhere.url);
    settled();
  } catch (error) {
    wait(RETRY[Math.min(attempt++, RETRY.length - 1)], error);
  } finally {
    sending = false;
  }
  return undefined;
}

function mark(state) {
  const button = document.getElementById("send");
  if (!button || !read(OUTBOX).some((one) => !one.refused)) return;
  const label = button.querySelector("[data-label]");
  label.dataset.idle ??= label.textContent;
  label.textContent = state === "sending" ? button.dataset.sending : label.dataset.idle;
}

function settled() {
  clearTimeout(alarm);
  attempt = 0;
  if (banner) banner.hidden = true;
  document.getElementById("shout")?.remove();
  const label = document.querySelector("#send [data-label]");
  if (label?.dataset.idle) label.textContent = label.dataset.idle;
  listMine();
}

function wait(seconds, error) {
  mark("idle");
  let left = seconds;
  const step = () => {
    if (banner) tell(left, error);
    if (left-- <= 0) flush();
    else timer = setTimeout(step, 1000);
  };
  step();
}

function tell(left, error) {
  const [head, body] = banner.querySelectorAll("p");
  banner.hidden = false;
  const words = /^[45]\d\d$/.test(error.message) ? head.dataset.refused : head.dataset.lost;
  if (head.textContent !== words) head.textContent = words;
  body.textContent = body.dataset.retry.replace("{n}", left).replace("{phone}", form.dataset.phone);
}

function shout() {
  if (document.getElementById("shout")) return;
  const screen = document.createElement("a");
  screen.id = "shout";
  screen.className = "shout";
  screen.href = `tel:${form.dataset.phone}`;
  screen.setAttribute("role", "alert");
  const title = document.createElement("h1");
  title.textContent = banner.querySelector("[data-lost]").dataset.lost;
  const number = document.createElement("p");
  number.className = "big";
  number.textContent = form.dataset.phone;
  screen.append(title, number);
  document.body.prepend(screen);
  navigator.vibrate?.([200, 100, 200]);
  scrollTo(0, 0);
}

// --- reports of this phone -----------------------------------------------------------------------------------------
function remember(letter, url) {
  const others = read(MINE).filter((item) => item.url !== url && Date.now() - item.at < DAY);
  const item = { url, id: idOf(letter), device: letter.device, asset: letter.asset, at: letter.at };
  write(MINE, [item, ...others].slice(0, 10));
}

const inTheHospital = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  timeZone: document.documentElement.dataset.tz,
});

function listMine() {
  const box = document.getElementById("mine");
  if (!box) return;
  const fresh = read(MINE).filter((item) => Date.now() - item.at < DAY && String(item.url).startsWith("/t/"));
  const shown = fresh.filter((item) => !box.dataset.device || item.asset === box.dataset.device);
  box.querySelectorAll("a").forEach((link) => link.remove());
  for (const item of shown) {
    const link = document.createElement("a");
    link.className = "btn full mt-2";
    link.href = item.url;
    link.textContent = `${box.dataset.called ?? item.device} ${inTheHospital.format(item.at)}`;
    box.append(link);
  }
  const lost = read(OUTBOX).filter((one) => one.refused && Date.now() - one.at < DAY && String(one.to).startsWith("/q/"));
  for (const letter of lost) {
    const link = document.createElement("a");
    link.className = "btn danger full mt-2";
    link.href = letter.to;
    link.textContent = box.dataset.lost.replace("{device}", letter.device).replace("{time}", inTheHospital.format(letter.at));
    link.addEventListener("click", () => forget(letter));
    box.append(link);
  }
  box.hidden = !(shown.length || lost.length);
}

// --- another language: the page is read anew, what was chosen stays ------------------------------------------------
function keepOverLanguages() {
  const kept = read(CHOSEN);
  if (kept.page === location.pathname) {
    for (const [name, value] of kept.fields) {
      const box = form.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
      if (box && box.type !== "hidden") box.checked = true;
    }
  }
  write(CHOSEN, []);
  document.querySelector("a[href^='?lang=']")?.addEventListener("click", () =>
    write(CHOSEN, { page: location.pathname, fields: [...new FormData(form)] }),
  );
}

if (form) {
  const sentences = [...form.querySelectorAll("[data-missing]")];
  const missing = (line) => !form.querySelector(`[name=${line.dataset.missing}]:checked`);
  form.addEventListener("change", () => {
    sentences.forEach((line) => (line.hidden ||= !missing(line)));
    summarise();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Said here: a page that answers a post is one that "back" cannot open again.
    sentences.forEach((line) => (line.hidden = !missing(line)));
    const first = sentences.find(missing);
    if (first) {
      form.closest("details")?.setAttribute("open", "");
      first.closest("fieldset").scrollIntoView({ block: "center" });
      return first.closest("fieldset").querySelector("input").focus({ preventScroll: true });
    }
    current = asLetter();
    write(OUTBOX, [...without(current), current]);
    if (!read(OUTBOX).length) return form.submit(); // no storage: the plain way
    if (current.urgent) alarm ||= setTimeout(shout, SHOUT_AFTER);
    return flush();
  });
  keepOverLanguages();
  summarise();
}
addEventListener("storage", (event) => event.key === MINE && current && flush());
addEventListener("online", () => attempt && flush());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && attempt && flush());
listMine();
if (read(OUTBOX).some((one) => !one.refused)) flush();

// --- tracking: read the page again while the ticket is open ----------------------------------------------------------
const track = document.getElementById("track");
const REFUSAL_STANDS = 60_000;
const FREE_AFTER = 15_000; // a request that was stopped tells the page nothing
let seen = "";

// One press, one request; without a network nothing leaves, so that what was written stays on the page.
function guard(event) {
  const asked = event.target;
  const offline = document.getElementById("offline");
  offline.hidden = navigator.onLine;
  if (!navigator.onLine || asked.dataset.sent) {
    event.preventDefault();
    if (!navigator.onLine) offline.scrollIntoView({ block: "center" });
    return;
  }
  asked.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(free, FREE_AFTER, asked);
}

function free(asked) {
  delete asked.dataset.sent;
  for (const button of asked.elements) button.removeAttribute("aria-busy");
}

async function reread() {
  const busy = track.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  const written = [...track.querySelectorAll("textarea, input[type=file]")].some((box) => box.value);
  const refused = track.querySelector(".ban.breach:not(#offline)") && performance.now() < REFUSAL_STANDS;
  if (busy || written || refused || track.querySelector("details[open]") || document.visibilityState !== "visible") return;
  const answer = await fetch(location.pathname, { cache: "no-store", headers: seen ? { "If-None-Match": seen } : {} });
  if (!answer.ok) return;
  seen = answer.headers.get("ETag") ?? "";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("track");
  if (page && page.textContent !== track.textContent) {
    track.replaceChildren(...document.adoptNode(page).childNodes);
    track.dataset.poll = page.dataset.poll;
    wire();
  }
}

function wire() {
  const doors = [...track.querySelectorAll(".three > details")];
  doors.forEach((door) =>
    door.addEventListener("toggle", () => {
      if (door.open) doors.forEach((other) => other !== door && (other.open = false));
    }),
  );
  track.querySelectorAll("details:has(> form)").forEach((asks) =>
    asks.addEventListener("toggle", () => asks.open && asks.scrollIntoView({ block: "nearest" })),
  );
  track.querySelectorAll("[data-remember]").forEach((input) => {
    const key = `wardline.${input.dataset.remember}`;
    input.value ||= read(key).toString();
    input.addEventListener("change", () => write(key, input.value));
  });
  track.querySelectorAll("[data-record]").forEach(offerRecording);
}

// --- voice: recorded here where the browser can, at most a minute; the file box stays ------------------------------------
function offerRecording(button) {
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return;
  const idle = button.textContent;
  let recorder = null;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (recorder) return recorder.stop();
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
    if (!stream) return (button.hidden = true);
    recorder = new MediaRecorder(stream);
    const pieces = [];
    let seconds = 0;
    const tick = setInterval(() => {
      button.textContent = button.dataset.stop.replace("{n}", ++seconds);
      if (seconds >= 60) recorder.stop();
    }, 1000);
    button.textContent = button.dataset.stop.replace("{n}", 0);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(tick);
      stream.getTracks().forEach((one) => one.stop());
      const kind = recorder.mimeType || "audio/webm";
      recorder = null;
      button.textContent = idle;
      const given = new DataTransfer();
      given.items.add(new File(pieces, kind.includes("mp4") ? "voice.m4a" : "voice.webm", { type: kind }));
      button.form.elements.file.files = given.files;
      button.form.requestSubmit();
    };
    return recorder.start();
  });
}

if (track) {
  wire();
  track.addEventListener("submit", guard);
  addEventListener("pageshow", () => track.querySelectorAll("form[data-sent]").forEach(free));
  if (location.search) history.replaceState(null, "", location.pathname); // what was done is said once
  setInterval(() => track.dataset.poll && reread().catch(() => {}), 5000);
}
