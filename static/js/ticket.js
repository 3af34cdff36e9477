// The desk's ticket page: reads its parts again when the log tells of this ticket; dialogs keep what is being typed.

import { openDialog, refresh, tick } from "./core.js";
import { Feed, liveMark } from "./live.js";

const ticket = document.getElementById("ticket");
const AT_MOST_EVERY = 250;

// --- parts -------------------------------------------------------------------
function keepsBusy(part) {
  if (part.querySelector("dialog[open], details[open]")) return true;
  const active = document.activeElement;
  return part.contains(active) && active.matches("input, textarea, select");
}

async function reread() {
  const answer = await fetch(ticket.dataset.page, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = page.getElementById(part.id);
    if (!fresh || keepsBusy(part)) continue;
    part.replaceChildren(...document.adoptNode(fresh).childNodes);
    tick(part);
  }
  follow();
  filter();
  await readFragment("assignment");
}

let wanted = false;
let busy = false;
async function again() {
  wanted = true;
  if (busy) return;
  busy = true;
  while (wanted) {
    wanted = false;
    try {
      await reread();
    } catch {
      // The live mark says that the picture is old; the next fact reads again.
    }
    await new Promise((done) => setTimeout(done, AT_MOST_EVERY));
  }
  busy = false;
}

async function readFragment(id) {
  const node = document.getElementById(id);
  if (!node) return;
  try {
    await refresh(node, node.dataset.fragment);
  } catch {
    // What stands there already (a plain list, or an older picture) stays usable.
  }
}

// --- timeline filter ---------------------------------------------------------
let kind = "";
function filter() {
  for (const button of document.querySelectorAll("[data-kind]")) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  for (const line of document.querySelectorAll("[data-line]")) line.hidden = kind !== "" && line.dataset.line !== kind;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-kind]");
  if (button) {
    kind = button.dataset.kind;
    filter();
  }
  if (event.target.closest('[data-open="dialog-assign"]')) readFragment("candidates");
});

// --- photos in the composer --------------------------------------------------
document.addEventListener("change", (event) => {
  if (event.target.id !== "note-photo") return;
  const told = document.getElementById("note-picked");
  const names = [...event.target.files].map((file) => file.name);
  const most = 4; // as many files as one request may carry
  if (names.length > most) event.target.value = "";
  told.textContent = names.length > most ? told.dataset.limit : names.join(", ");
});

// --- dialogs -----------------------------------------------------------------
function openFromAddress() {
  const dialog = location.hash.startsWith("#dialog-") ? document.getElementById(location.hash.slice(1)) : null;
  if (dialog && !dialog.open) {
    if (dialog.id === "dialog-assign") readFragment("candidates");
    openDialog(dialog);
    history.replaceState(null, "", location.pathname);
  }
}

// A refused assignment comes back with the list it was chosen from, and with the choice.
async function listAgain(dialog) {
  const box = dialog.querySelector("#candidates");
  if (!box || box.querySelector(".errt")) return;
  const chosen = box.querySelector("[name=to]").value;
  await readFragment("candidates");
  for (const radio of box.querySelectorAll("[type=radio][name=to]")) radio.checked ||= radio.value === chosen;
}

const refused = document.querySelector("dialog[data-refused]");
if (refused) {
  refused.close();
  openDialog(refused);
  listAgain(refused);
  refused.querySelector("[aria-invalid=true]")?.focus();
}
openFromAddress();
addEventListener("hashchange", openFromAddress);

// --- live --------------------------------------------------------------------
let mark = () => {};
function follow() {
  const node = document.querySelector("[data-live]");
  mark = node ? liveMark(node) : () => {};
}
follow();
readFragment("assignment");
new Feed("/ws/desk/", {
  after: ticket.dataset.after,
  onEvent: (fact) => (fact.type === "LogRestored" || fact.subject === ticket.dataset.subject) && again(),
  onState: (news) => mark(news),
});
document.addEventListener("wardline:overdue", again);
