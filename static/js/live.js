// The live channel: one socket, resumed by sequence number. Facts only; a page re-reads what it shows over HTTP.

import { clockTime, learnServerTime, say, serverNow, spoken } from "./core.js";

const STALE_AFTER = 10_000; // two missed heartbeats
const GIVE_UP_AFTER = 20_000; // a socket this silent is dead, whatever the browser says
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SIGNED_OUT = new Set([4401, 4403]);

/** Follow the log. `onEvent(fact)` once a seq, in order; `onState({state, at})` on live, stale, connecting, refused. */
export class Feed {
  constructor(path, { after = 0, onEvent = () => {}, onState = () => {} } = {}) {
    this.path = path;
    this.seq = Number.isSafeInteger(Number(after)) ? Math.max(0, Number(after)) : 0; // anything else would be refused
    this.onEvent = onEvent;
    this.onState = onState;
    this.state = "connecting";
    this.heard = serverNow();
    this.wait = FIRST_WAIT;
    this.socket = null;
    this.retry = null;
    this.connect();
    this.watch = setInterval(() => this.check(), 1000);
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = null;
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("after", String(this.seq));
    const socket = new WebSocket(url);
    this.socket = socket;
    this.opened = Date.now();
    socket.addEventListener("message", (message) => socket === this.socket && this.receive(message.data));
    socket.addEventListener("close", (event) => socket === this.socket && this.lost(event.code));
  }

  receive(text) {
    const fact = JSON.parse(text);
    this.heard = serverNow();
    this.arrived = Date.now();
    this.wait = FIRST_WAIT;
    this.become("live");
    if (fact.type === "heartbeat") {
      // Its seq may be ahead of facts still on their way: never skip to it.
      learnServerTime(fact.at);
      this.heard = serverNow();
      if (fact.seq < this.seq) {
        // The log was restored from a backup: what this page shows is from another history.
        this.seq = fact.seq;
        this.onEvent({ type: "LogRestored", seq: fact.seq });
      }
      return;
    }
    if (fact.type === "resume") {
      this.drop();
      return;
    }
    if (typeof fact.seq !== "number" || fact.seq <= this.seq) return;
    this.seq = fact.seq;
    this.onEvent(fact);
    document.dispatchEvent(new CustomEvent("wardline:fact", { detail: fact }));
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.lost(0);
  }

  lost(code) {
    this.socket = null;
    if (SIGNED_OUT.has(code)) {
      this.become("refused");
      this.stop();
      return;
    }
    if (this.retry) return;
    // Full jitter keeps a hundred screens from returning in the same instant.
    this.retry = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  hurry() {
    if (this.watch === null || this.socket) return;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  check() {
    const silent = Date.now() - Math.max(this.arrived ?? 0, this.opened ?? 0);
    if (this.socket && silent > GIVE_UP_AFTER) this.drop();
    if (serverNow() - this.heard > STALE_AFTER) this.become("stale");
    this.onState({ state: this.state, at: this.heard });
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.onState({ state, at: this.heard });
  }

  stop() {
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.watch = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

/** Keep a `.live` mark honest: how old the picture is, and an amber "stopped at" once it is stale. Not announced each second. */
export function liveMark(node) {
  const text = node.querySelector("[data-live-text]") ?? node;
  return ({ state, at }) => {
    const stale = state === "stale" || state === "refused";
    node.classList.toggle("stale", stale);
    const age = Math.max(0, Math.round((serverNow() - at) / 1000));
    const said = stale ? say(state, { time: clockTime(at) }) : say("live", { time: spoken(age) });
    if (text.textContent !== said) text.textContent = said;
  };
}
