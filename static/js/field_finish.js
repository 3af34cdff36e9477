// The finish sheet: a sentence fills it, a voice note goes with it, values are judged as they are typed, the end is asked for.
import { openDialog, send } from "./core.js";
import { offerVoice } from "./field_voice.js";

// --- finish sheet: each value against its limit as it is typed; the server judges again ------------------------------
const sheet = document.getElementById("finish");

function judge() {
  const failed = [];
  for (const input of sheet.querySelectorAll("input[data-limit]")) {
    const said = input.parentElement.querySelector("[data-verdict]");
    const limit = (said.dataset.words ??= said.textContent);
    const value = Number(input.value.trim().replace(",", ".") || NaN);
    const bad = value > Number(input.dataset.limit);
    const judged = !Number.isNaN(value);
    const refused = value < 0; // no measurement: the server does not take it, so it has not passed either
    const verdict = refused ? said.dataset.refused : bad ? said.dataset.bad : said.dataset.good;
    said.textContent = judged ? `${limit} ${verdict}` : limit;
    said.classList.toggle("bad", judged && (bad || refused));
    said.classList.toggle("good", judged && !bad && !refused);
    if (bad) failed.push(limit.replace(/^(\S+) ≤ (\S+)$/, "$2 $1"));
  }
  const blocked = document.getElementById("blocked");
  const words = blocked.querySelector("[data-words]");
  blocked.hidden = !failed.length;
  words.textContent = failed.length ? words.dataset.words.replace("{limit}", failed[0]) : "";
  for (const release of sheet.querySelectorAll("[name=release]:not([value=out_of_use])")) {
    release.closest("label").hidden = failed.length > 0;
    if (failed.length) release.checked = false;
  }
}

sheet.addEventListener("input", judge);
judge();

// --- a sentence: what it names goes into fields that are still empty; nothing is sent on ---------------------------
const say = document.getElementById("say");
const said = say.querySelector("[data-said]");

function put(name, value) {
  const field = sheet.elements[name];
  if (!field) return false;
  if (field instanceof RadioNodeList) {
    const taken = field.value !== "";
    if (!taken) field.value = value;
    return !taken;
  }
  if (field.type === "checkbox") {
    const taken = field.checked;
    field.checked = true;
    return !taken;
  }
  const taken = field.value !== "" && !(name === "part_quantity" && field.value === field.defaultValue);
  if (!taken) field.value = value;
  field.closest("details")?.setAttribute("open", "");
  return !taken;
}

async function fill() {
  const body = new FormData();
  body.set("diagnosis", sheet.elements.diagnosis.value);
  const { fields } = await send(say.dataset.fill, body);
  const filled = Object.entries(fields).filter(([name, value]) => put(name, value)).length;
  said.textContent = filled ? say.dataset.filled.replace("{n}", filled) : say.dataset.none;
  judge();
}

say.querySelector("[data-fill-now]").addEventListener("click", (event) => {
  event.preventDefault();
  fill().catch((refusal) => (said.textContent = refusal.message));
});

offerVoice(say, {
  heard: (text) => {
    const box = sheet.elements.diagnosis;
    box.value = [box.value.trim(), text].filter(Boolean).join(" ").slice(0, box.maxLength);
    fill().catch((refusal) => (said.textContent = refusal.message));
  },
});

// --- the end is a signature and cannot be undone: it is asked for once, with device and verdict ----------------------
const sure = document.getElementById("sure");
let certain = false;

sheet.addEventListener("submit", (event) => {
  const chosen = sheet.querySelector("[name=release]:checked");
  const asked = certain;
  certain = false; // for this one press: what is changed after a press that the network refused is asked for again
  if (asked || !chosen) return; // without a verdict the server says what is missing
  event.preventDefault();
  const lead = sure.querySelector("[data-lead]");
  const word = chosen.closest("label").querySelector(".rtile").firstChild.textContent.trim();
  lead.textContent = lead.dataset.words.replace("{release}", word);
  openDialog(sure);
});

sure.querySelector("[data-sure]").addEventListener("click", () => {
  certain = true;
  sure.close();
  sheet.requestSubmit();
});
