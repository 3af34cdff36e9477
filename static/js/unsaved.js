// A session that ended takes nothing with it: what was typed comes back after signing in, on the same page, for the same
// person. It lives in this tab only (sessionStorage) and no longer than an hour; files have to be chosen again.
import { say, toast } from "./core.js";

const SENT = "wardline.sent"; // what was posted last; the sign-in page tells that it was not taken
const UNSAVED = "wardline.unsaved";
const HOUR = 3600000;
const OWN = new Set(["csrfmiddlewaretoken", "op_id", "version"]); // of one page view, never of another
const who = document.documentElement.dataset.user;

function read(key) {
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  return kept && Date.now() - kept.at < HOUR ? kept : null;
}

const pathOf = (form) => new URL(form.action, location.href).pathname;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || !who) return;
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !OWN.has(name));
  sessionStorage.setItem(SENT, JSON.stringify({ path: pathOf(form), who, at: Date.now(), fields }));
});

function fill(form, fields) {
  const typed = [...form.elements].filter((box) => box.name && !["hidden", "file", "submit", "button"].includes(box.type));
  const given = new Set();
  for (const [name, value] of fields) {
    for (const box of typed.filter((one) => one.name === name)) {
      if (box.type === "radio" || box.type === "checkbox") box.checked = box.value === value || (given.has(box) && box.checked);
      else box.value = value;
      given.add(box);
      box.closest("details")?.setAttribute("open", "");
    }
  }
  for (const box of typed) {
    if (box.type === "checkbox" && !given.has(box)) box.checked = false;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  return given.size;
}

const gate = document.getElementById("unsaved");
if (gate) {
  const sent = read(SENT);
  if (sent) sessionStorage.setItem(UNSAVED, JSON.stringify(sent));
  gate.hidden = !read(UNSAVED);
}
if (who) {
  const lost = read(UNSAVED);
  const form = lost && [...document.forms].find((one) => one.method === "post" && pathOf(one) === lost.path);
  if (lost?.who !== who) sessionStorage.removeItem(UNSAVED);
  else if (form) {
    sessionStorage.removeItem(UNSAVED);
    if (fill(form, lost.fields)) toast(say("unsaved"));
  }
}
if (gate || who) sessionStorage.removeItem(SENT); // it arrived, or it is remembered as unsaved
