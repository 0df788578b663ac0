// Where a visitor's pictures are computed: on the server, or here. One for the whole page (`here`), whatever tabs it has.
//
// The visitor's choice is kept in localStorage. Without one, both are measured: the server by the answers that it gives
// anyway, the browser by a few pictures of its own, silently, once the visitor has rested for a while. The result is kept,
// too. While something is loaded or measured, and whenever the browser fails, the server answers.

import { openNetwork } from "./network.js";

const STORAGE = "i2i-here";
const REST_MS = 2000; // without a touch or a question, before anything is loaded or measured unasked
const KNOWN = 4; // answers of the server, before it is compared
const LATELY = 9; // answers of which the median counts
const RUNS = 5; // pictures that the browser is measured by
const BETTER = 0.9; // the share of the server's time that the browser may take to be chosen …
const WORSE = 1.3; // … and the one from which it goes back
const KEPT_MS = 7 * 24 * 3600_000; // how long a measurement holds
const FAILED_MS = 24 * 3600_000; // how long nothing is tried unasked after a failure
const MOST_UNASKED_BYTES = 40_000_000;
const MOST_OPEN = 6; // models whose networks are in memory

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

class Here extends EventTarget {
  constructor() {
    super();
    this.stored = { choice: "auto", found: {} };
    try {
      const { choice, found } = JSON.parse(localStorage.getItem(STORAGE)) ?? {};
      if (["auto", "here", "server"].includes(choice)) this.stored.choice = choice;
      if (found && typeof found === "object") this.stored.found = found;
    } catch {
      // storage is not allowed, or its content is not ours
    }
    this.places = new Map(); // address of a model → Place
    this.touched = performance.now();
    this.pressed = false;
    const touch = (pressed) => () => Object.assign(this, { touched: performance.now(), pressed });
    addEventListener("pointerdown", touch(true), true);
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, touch(false), true);
    addEventListener("keydown", () => (this.touched = performance.now()), true);
  }

  get choice() {
    return this.stored.choice;
  }

  /** The visitor chooses: "here", "server", or "auto" for whatever is quicker. */
  choose(choice) {
    this.stored.choice = choice;
    this.write();
    for (const place of this.places.values()) place.failed = null;
    this.changed();
  }

  write() {
    try {
      localStorage.setItem(STORAGE, JSON.stringify(this.stored));
    } catch {
      // it holds as long as the page
    }
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** A model's place; `address` is its folder's and `runtime` that of ONNX Runtime Web, both relative to the page. */
  place(address, runtime, isPrivate) {
    if (!this.places.has(address)) this.places.set(address, new Place(this, address, runtime, isPrivate));
    return this.places.get(address);
  }

  /** Wait until the visitor has rested, and has used the page at all. */
  async rested() {
    for (;;) {
      const rests = performance.now() - this.touched > REST_MS && !this.pressed;
      const wasUsed = navigator.userActivation?.hasBeenActive ?? true;
      if (rests && wasUsed && document.visibilityState === "visible") return;
      await new Promise((done) => setTimeout(done, 250));
    }
  }

  /** Close the networks that were not used for longest. */
  closeOld() {
    const open = [...this.places.values()].filter((place) => place.network);
    open.sort((a, b) => b.used - a.used);
    for (const place of open.slice(MOST_OPEN)) place.close();
  }
}

/** Whether the visitor's line is one on which megabytes may be loaded unasked. */
function lineIsGood() {
  const line = navigator.connection;
  return !line?.saveData && (line?.effectiveType ?? "4g") === "4g";
}

/** One model: its network, if it is open, and what is known of the times here and on the server. */
class Place {
  constructor(here, address, runtime, isPrivate) {
    Object.assign(this, { here, address, runtime, isPrivate });
    this.network = this.failed = this.loading = null;
    this.loaded = this.total = 0; // bytes of what is being loaded; no total while it is not known
    this.ready = new Set(); // directions
    this.times = {}; // {server, here}: the newest, by kind of question
    this.used = 0;
    this.considering = false;
  }

  get found() {
    const found = this.here.stored.found[this.address];
    const holds = found?.runtime === this.runtime && Date.now() - found.at < (found.failed ? FAILED_MS : KEPT_MS);
    return holds ? found : null;
  }

  note(found) {
    const all = Object.entries(this.here.stored.found).slice(-49);
    this.here.stored.found = { ...Object.fromEntries(all), [this.address]: { ...found, runtime: this.runtime, at: Date.now() } };
    this.here.write();
    this.here.changed();
  }

  /** Whether the browser is to answer, as soon as it can. */
  get isWanted() {
    if (this.failed) return false;
    const { choice } = this.here;
    return choice === "auto" ? Boolean(this.found?.here) : choice === "here";
  }

  /** The network, if it is to answer a question of these directions now; else it may be loaded meanwhile. */
  answering(directions) {
    this.used = performance.now();
    if (this.network && !this.network.isOpen) this.fail(this.network.ended);
    if (!this.isWanted) return null;
    if (this.network && directions.every((direction) => this.ready.has(direction))) return this.network;
    this.load(directions);
    return null;
  }

  /** Load what these directions need; a failure is noted. Where nobody asked for it, the visitor has to rest first. */
  load(directions, unasked = false) {
    this.loading ??= this.open(directions, unasked)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.loading = null;
        this.here.changed();
      });
    return this.loading;
  }

  async open(directions, unasked) {
    if (unasked) await this.here.rested();
    const onprogress = (loaded, total) => {
      Object.assign(this, { loaded, total });
      this.here.changed();
    };
    onprogress(0, 0);
    const at = (address) => new URL(address, document.baseURI).href;
    if (!this.network) {
      const files = { base: at(this.address), runtime: at(this.runtime), cached: !this.isPrivate };
      this.network = await openNetwork({ ...files, directions, onprogress });
    }
    for (const direction of directions) {
      await this.network.prepare(direction);
      this.ready.add(direction);
    }
    this.here.closeOld();
  }

  /** The bytes that loading a direction takes, by what the server says; the runtime's are known. */
  async weight(directions) {
    const response = await fetch(new URL(`${this.address}model.json`, document.baseURI));
    const model = await response.json();
    const files = directions.flatMap((direction) => Object.values(model.directions[direction])).filter(Boolean);
    return files.reduce((sum, file) => sum + model.files[file].bytes, 0);
  }

  /** Note how long an answer took, milliseconds; of the browser it may be too long. */
  took(where, kind, ms, directions) {
    this.here.touched = performance.now();
    const times = ((this.times[where] ??= {})[kind] ??= []);
    times.push(ms);
    if (times.length > LATELY) times.shift();
    if (this.here.choice !== "auto") return;
    const server = this.times.server?.[kind] ?? [];
    if (where === "server" && server.length >= KNOWN && !this.found && !this.failed) this.consider(kind, directions);
    const limit = this.found?.server * WORSE;
    if (where === "here" && times.length === LATELY && median(times) > limit) {
      this.note({ here: false, ms: median(times), server: this.found.server });
      this.close();
    }
  }

  /** Measure the browser once the visitor rests, and decide. */
  async consider(kind, directions) {
    if (this.considering) return;
    this.considering = true;
    try {
      await this.here.rested();
      if (!lineIsGood() || (await this.weight(directions)) > MOST_UNASKED_BYTES) return;
      await this.load(directions, true);
      if (!this.network || this.failed) return;
      const times = await this.measure(kind, directions[0]);
      const server = median(this.times.server[kind]);
      const isBetter = median(times) < server * BETTER;
      if (this.here.choice === "auto") this.note({ here: isBetter, ms: median(times), server, backend: this.network.backend });
      if (!isBetter && this.here.choice !== "here") this.close();
    } catch (error) {
      this.fail(error);
    } finally {
      this.considering = false;
    }
  }

  async measure(kind, direction) {
    const { network } = this;
    const { size } = network.model;
    const blank = new ImageData(new Uint8ClampedArray(size * size * 4).fill(255), size, size);
    const times = [];
    let codes = await network.encode(blank, direction, { quiet: true });
    while (times.length < RUNS) {
      await this.here.rested();
      const start = performance.now();
      if (kind === "translate") {
        network.forget(codes);
        codes = await network.encode(blank, direction, { quiet: true });
      }
      await network.decode(codes, { quiet: true });
      times.push(performance.now() - start);
    }
    network.forget(codes);
    return times;
  }

  /** The browser cannot: the server answers from now on, and nothing is tried unasked for a day. */
  fail(error) {
    if (this.failed) return;
    const { isWanted } = this;
    this.failed = error;
    this.forget();
    if (this.here.choice === "auto") this.note({ here: false, failed: String(error.key ?? error.message).slice(0, 40) });
    // Of what was tried unasked nobody needs to hear.
    if (isWanted) this.here.dispatchEvent(Object.assign(new Event("failure"), { place: this, error }));
    this.here.changed();
  }

  close() {
    this.network?.close();
    this.forget();
    this.here.changed();
  }

  forget() {
    this.network = null;
    this.ready.clear();
  }
}

export const here = new Here();
