// The board and the wall: each fact of the log makes the page read its fragments again, at most four times a second.

import { refresh, serverNow } from "./core.js";
import { Feed, liveMark } from "./live.js";

const AT_MOST_EVERY = 250;
const WALL_STALE_AFTER = 60_000;
const ROSTER = new Set(["RosterChanged", "TicketAssigned", "TicketUnassigned", "TicketAccepted", "TicketResolved", "TicketClosed", "TicketCancelled", "TicketReopened", "WorkInterrupted", "WorkPaused", "WorkResumed"]);
const ALERTS = new Set(["NobodyAvailable", "SuggestionMade", "TicketAssigned", "TicketUnassigned", "TicketAccepted", "TicketCancelled", "TicketRejected", "TicketClosed"]);

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Run `work` soon, never twice at once and never more often than every 250 ms. */
function coalesced(work) {
  let wanted = false;
  let busy = false;
  async function run() {
    if (busy) return;
    busy = true;
    while (wanted) {
      wanted = false;
      try {
        await work();
      } catch {
        // The live mark already says that the picture is old; the next fact or reconnection reads again.
      }
      await pause(AT_MOST_EVERY);
    }
    busy = false;
  }
  return () => {
    wanted = true;
    run();
  };
}

const board = document.querySelector("[data-board]");

const HAND_RESTS_AFTER = 1500;
const HAND_HOLDS_AT_MOST = 4000;
let handMoved = 0;

// Rows do not jump under a hand that is on its way to one; a hand that rests, or stays too long, does not hold news back.
async function handOffRows() {
  const until = Date.now() + HAND_HOLDS_AT_MOST;
  while (Date.now() - handMoved < HAND_RESTS_AFTER && Date.now() < until && board.querySelector("tr[data-key]:hover")) await pause(200);
}

const FADE = 600;
const faded = new Map(); // data-key -> when its fade began

// Facts come in bursts: the next reading of the page must not cut a fade short.
function keepFading() {
  const now = Date.now();
  for (const [key, began] of faded) if (now - began > FADE) faded.delete(key);
  for (const row of board.querySelectorAll(".flash[data-key]")) faded.set(row.dataset.key, now);
  for (const [key, began] of faded) {
    const row = board.querySelector(`[data-key="${CSS.escape(key)}"]`);
    row?.classList.add("flash");
    for (const fade of row?.getAnimations({ subtree: true }) ?? []) fade.currentTime = now - began;
  }
}

// A person inside an open menu, or on a row with the keyboard, must not lose the place.
async function readBoard() {
  await handOffRows();
  while (board.querySelector("details[open]")) await pause(200);
  const held = document.activeElement?.closest("[data-key]")?.dataset.key;
  const kept = [...board.querySelectorAll("[data-fragment]")].map((node) => [node.id, [...node.childNodes]]);
  await refresh(board, board.dataset.board);
  for (const [id, nodes] of kept) document.getElementById(id)?.replaceChildren(...nodes);
  keepFading();
  if (held) board.querySelector(`[data-key="${CSS.escape(held)}"] a`)?.focus({ preventScroll: true });
}

async function readFragment(id) {
  const node = document.getElementById(id);
  if (node && !node.contains(document.activeElement)) await refresh(node, node.dataset.fragment);
}

const again = coalesced(readBoard);
const rosterAgain = coalesced(() => readFragment("roster"));
const alertsAgain = coalesced(() => readFragment("alerts"));
const everything = () => {
  again();
  rosterAgain();
  alertsAgain();
};

const wallClock = document.querySelector("[data-wall-clock]");
const wallHead = document.querySelector(".wall-hd");
const mark = document.querySelector("[data-live]");
const said = mark ? liveMark(mark) : () => {};
let before = "connecting";

function onState(news) {
  said(news);
  wallHead?.classList.toggle("stale", serverNow() - news.at > WALL_STALE_AFTER);
  if (news.state === "live" && before === "stale") everything();
  before = news.state;
}

if (board) {
  board.addEventListener("wardline:overdue", again);
  board.addEventListener("pointermove", () => {
    handMoved = Date.now();
  });
  new Feed("/ws/desk/", {
    after: board.dataset.after,
    onEvent(fact) {
      again();
      if (ROSTER.has(fact.type)) rosterAgain();
      if (ALERTS.has(fact.type)) alertsAgain();
    },
    onState,
  });
}

if (wallClock) {
  const form = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: document.documentElement.dataset.tz });
  const show = () => {
    wallClock.textContent = form.format(new Date(serverNow()));
  };
  show();
  setInterval(show, 1000);
  setInterval(everything, 60_000); // shares of today and duty hours move without a fact
}
