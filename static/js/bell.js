// The unread bell: read again when a page hears a fact that tells people, otherwise every 20 s. Urgent ones are heard once.

import { refresh, toast } from "./core.js";

const EVERY = 20_000;
const AFTER_A_FACT = 600; // the message is written with the fact; one short wait gathers a burst
const TELLS = new Set(["TicketAssigned", "EscalationRaised", "SlaBreached", "TicketReopened", "VerificationRequested", "NobodyAvailable", "WorkInterrupted", "TicketNudged", "CommentAdded"]);
const HEARD = "wardline.heard";
const SOUND = "wardline.sound"; // "off" keeps this browser quiet; the words stay

const bells = [...document.querySelectorAll("[data-bell]")];
const silent = document.querySelector("meta[name=bell]")?.content; // a page without a bell still hears
const plainTitle = document.title;
let soon = null;

/** Two short tones; silent until the person has touched the page once, as browsers ask. */
function ring() {
  if (localStorage.getItem(SOUND) === "off") return;
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  try {
    const sound = new AudioContext();
    for (const [start, pitch] of [[0, 880], [0.18, 1175]]) {
      const tone = sound.createOscillator();
      const volume = sound.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.2, sound.currentTime + start);
      volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + start + 0.16);
      tone.connect(volume).connect(sound.destination);
      tone.start(sound.currentTime + start);
      tone.stop(sound.currentTime + start + 0.16);
    }
    setTimeout(() => sound.close(), 600);
  } catch {
    // A page without sound still shows the number.
  }
  navigator.vibrate?.([120, 80, 120]);
}

async function look() {
  soon = null;
  const holder = bells[0] ?? document.createElement("span");
  try {
    await refresh(holder, bells[0]?.dataset.bell ?? silent);
  } catch {
    return; // signed out or offline: the frame says so elsewhere
  }
  const n = holder.querySelector("[data-unread]")?.dataset.unread;
  document.title = n ? `(${n}) ${plainTitle}` : plainTitle;
  const loud = holder.querySelector("[data-loud]");
  if (loud && Number(loud.dataset.loud) > Number(localStorage.getItem(HEARD) ?? 0)) {
    localStorage.setItem(HEARD, loud.dataset.loud); // one sound for all windows of this browser
    if (!("news" in loud.dataset)) return;
    ring();
    toast(loud.textContent, { kind: "alarm" });
  }
}

for (const box of document.querySelectorAll("input[data-sound]")) {
  box.checked = localStorage.getItem(SOUND) !== "off";
  box.addEventListener("change", () => localStorage.setItem(SOUND, box.checked ? "on" : "off"));
}

if (bells.length || silent) {
  look();
  setInterval(() => document.visibilityState === "visible" && look(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
  document.addEventListener("wardline:fact", (event) => {
    if (TELLS.has(event.detail.type) && soon === null) soon = setTimeout(look, AFTER_A_FACT);
  });
}
