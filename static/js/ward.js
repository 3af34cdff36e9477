// The ward's pages get better with scripts, and work without: live summary, honest delivery, live tracking.

const form = document.getElementById("r");
const RETRY = [2, 4, 8, 16, 30, 60];

// --- what will be sent -------------------------------------------------------
function summarise() {
  const words = [...form.querySelectorAll("input[type=radio]:checked")].map((input) =>
    input.closest(".pick").querySelector("[data-word]").textContent.replace(/\s+/g, " ").trim(),
  );
  document.getElementById("summary").textContent = words.join(" · ");
}

// --- delivery: text first, the same client_id on every try, no tick before the server's answer -------------------
let attempt = 0;
let timer = 0;
let firstTry = 0;

async function deliver() {
  const button = document.getElementById("send");
  const label = button.querySelector("[data-label]");
  const idle = label.dataset.idle ?? (label.dataset.idle = label.textContent);
  clearTimeout(timer);
  firstTry ||= Date.now();
  label.textContent = button.dataset.sending;
  try {
    const answer = await fetch(form.action || location.href, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "follow" });
    if (answer.ok && answer.redirected) {
      navigator.vibrate?.(80);
      remember(answer.url);
      location.assign(answer.url);
      return;
    }
    if (answer.status === 422) {
      form.submit(); // the server's own page says what is missing and keeps every entry
      return;
    }
    throw new Error(String(answer.status));
  } catch {
    label.textContent = idle;
    wait(RETRY[Math.min(attempt++, RETRY.length - 1)]);
  }
}

function wait(seconds) {
  const banner = document.getElementById("undelivered");
  const [head, body] = banner.querySelectorAll("p");
  banner.hidden = false;
  head.textContent = head.dataset.lost;
  let left = seconds;
  const step = () => {
    body.textContent = body.dataset.retry.replace("{n}", left).replace("{phone}", form.dataset.phone);
    if (left-- <= 0) deliver();
    else timer = setTimeout(step, 1000);
  };
  step();
  const urgent = form.querySelector("input[name=in_use][value=yes]:checked") || form.querySelector("input[name=danger]:checked");
  if (urgent && Date.now() - firstTry > 15000) shout();
}

function shout() {
  if (document.getElementById("shout")) return;
  const screen = document.createElement("a");
  screen.id = "shout";
  screen.className = "shout";
  screen.href = `tel:${form.dataset.phone}`;
  const title = document.createElement("h1");
  title.textContent = document.querySelector("[data-lost]").dataset.lost;
  const number = document.createElement("p");
  number.className = "big";
  number.textContent = form.dataset.phone;
  screen.append(title, number);
  document.body.prepend(screen);
  scrollTo(0, 0);
}

function remember(url) {
  const mine = JSON.parse(localStorage.getItem("wardline.mine") ?? "[]").filter((item) => item.url !== url);
  mine.unshift({ url, device: form.dataset.device, at: Date.now() });
  localStorage.setItem("wardline.mine", JSON.stringify(mine.slice(0, 10)));
}

if (form) {
  form.addEventListener("change", summarise);
  form.addEventListener("submit", (event) => {
    if (!form.checkValidity()) return; // the server answers with the sentences
    event.preventDefault();
    deliver();
  });
  addEventListener("online", () => attempt && deliver());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && attempt && deliver());
  summarise();
}

// --- tracking: read the page again while the ticket is open ----------------------------------------------------------
const track = document.getElementById("track");

async function reread() {
  const busy = track.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (busy || track.querySelector("details[open]") || document.visibilityState !== "visible") return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("track");
  if (page && page.textContent !== track.textContent) {
    track.replaceChildren(...document.adoptNode(page).childNodes);
    track.dataset.poll = page.dataset.poll;
    wire();
  }
}

function wire() {
  const panels = [...track.querySelectorAll("[data-panel]")];
  const doors = [...track.querySelectorAll(".three > details")];
  panels.forEach((panel) => (panel.hidden = !panel.querySelector("textarea")?.value));
  doors.forEach((door, index) =>
    door.addEventListener("toggle", () => {
      if (panels[index]) panels[index].hidden = !door.open;
      if (door.open) doors.forEach((other) => other !== door && (other.open = false));
    }),
  );
  track.querySelectorAll("[data-remember]").forEach((input) => {
    input.value ||= localStorage.getItem(`wardline.${input.dataset.remember}`) ?? "";
    input.addEventListener("change", () => localStorage.setItem(`wardline.${input.dataset.remember}`, input.value));
  });
}

if (track) {
  wire();
  setInterval(() => track.dataset.poll && reread().catch(() => {}), 5000);
}
