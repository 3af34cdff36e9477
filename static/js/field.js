// The engineer's phone: the list follows the log, the camera reads codes where it can.
import { clockTime, refresh, serverNow } from "./core.js";
import { Feed } from "./live.js";

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
  if (mark) mark.textContent = mark.textContent.replace(/\d\d:\d\d$/, clockTime(serverNow()).slice(0, 5));
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

// --- scanner: the browser's own detector; the box beside it always works ---------------------------------------------
const scanner = document.getElementById("scanner");
const step = document.getElementById("step");
const box = document.querySelector("input[name=scan]");

async function watch() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  const video = scanner.querySelector("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  scanner.hidden = false;
  scanner.scrollIntoView({ block: "center" });
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code", "data_matrix", "code_128"] });
  const look = async () => {
    const [code] = await detector.detect(video).catch(() => []);
    if (!code) return requestAnimationFrame(look);
    box.value = code.rawValue;
    return (box.form ?? step).requestSubmit();
  };
  look();
  return true;
}

if (scanner && !step) watch().catch(() => {}); // no camera or not allowed: the box is there

// "Arrived, scan" with nothing scanned yet opens the camera, or else leads to the box; without scripts the server asks.
step?.addEventListener("submit", async (event) => {
  const reason = document.querySelector("input[name=reason]");
  if (!scanner || box.value.trim() || reason?.value.trim() || !scanner.hidden) return;
  event.preventDefault();
  const sees = await watch().catch(() => false);
  if (!sees) box.focus();
});
