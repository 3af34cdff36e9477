// The engineer's phone: the list follows the log, the camera reads codes where it can, fragments arrive by themselves.
import { refresh, toast } from "./core.js";
import { Feed } from "./live.js";

for (const node of document.querySelectorAll("[data-fragment]")) {
  refresh(node, node.dataset.fragment).catch(() => {});
}

// --- today's list: read again on each fact, at most twice a second ------------------------------------------------
const list = document.getElementById("today");
let waiting = 0;

function soon() {
  waiting ||= setTimeout(() => {
    waiting = 0;
    refresh(list, location.pathname).then(synced, () => {});
  }, 500);
}

function synced() {
  const mark = document.querySelector("#sync span");
  if (mark) mark.textContent = mark.textContent.replace(/\d\d:\d\d$/, new Date().toTimeString().slice(0, 5));
}

if (list) {
  new Feed("/ws/desk/", { after: list.dataset.seq, onEvent: soon });
}

// --- undo: the bar counts down what the server has left, then goes; the server judges the press itself ----------------
const undo = document.getElementById("undo");

if (undo) {
  const words = undo.querySelector("[data-words]");
  const ends = performance.now() + Number(undo.dataset.left) * 1000;
  const count = () => {
    const left = Math.ceil((ends - performance.now()) / 1000);
    if (left <= 0) return undo.remove();
    words.textContent = words.dataset.words.replace("{n}", left);
    return setTimeout(count, 250);
  };
  count();
}

// --- scanner: the browser's own detector; the box below always works -----------------------------------------------
const scanner = document.getElementById("scanner");

async function watch() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  const video = scanner.querySelector("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  scanner.hidden = false;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code", "data_matrix", "code_128"] });
  const look = async () => {
    const [code] = await detector.detect(video).catch(() => []);
    if (!code) return requestAnimationFrame(look);
    const form = document.getElementById("scanform");
    form.elements.scan.value = code.rawValue;
    form.requestSubmit();
    return undefined;
  };
  look();
}

if (scanner) watch().catch(() => toast(scanner.dataset.denied ?? ""));

// --- finish sheet: each value against its limit as it is typed; the server judges again ------------------------------
const sheet = document.getElementById("finish");

function judge() {
  const failed = [];
  for (const input of sheet.querySelectorAll("[data-limit]")) {
    const said = input.parentElement.querySelector("[data-verdict]");
    const limit = (said.dataset.limit ??= said.textContent);
    const value = Number(input.value.trim().replace(",", ".") || NaN);
    const bad = value > Number(input.dataset.limit);
    const judged = !Number.isNaN(value);
    said.textContent = judged ? `${limit} ${bad ? said.dataset.bad : said.dataset.good}` : limit;
    said.classList.toggle("bad", judged && bad);
    said.classList.toggle("good", judged && !bad);
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

if (sheet) {
  sheet.addEventListener("input", judge);
  judge();
}
