// A checkpoint's networks in the visitor's own browser: `openNetwork` and what it gives. It knows nothing of the page.
//
// Files are fetched here, checked by their hashes, and handed to one worker (worker.js) that all networks share.
// Whatever goes wrong is an Error whose `key` says what: blocked (the runtime does not start), damaged (a file is not
// what model.json says), memory, lost (the graphics processor is gone), slow (no answer for long), closed, offline,
// failed (anything else). After blocked, memory, lost, slow and failed the worker is gone; networks are to be opened anew.

import { Generator } from "./chance.js";

const CACHE = "i2i-networks-1";
const MOST_CACHED = 40; // files in the browser's cache; the oldest beyond are removed
const PATIENCE_MS = { start: 60_000, open: 60_000, encode: 8000, decode: 8000, style: 8000 };
const MOST_THREADS = 4;
const OUT_OF_MEMORY = /memory|allocat|bad_alloc|OOM/i;

function failure(key, cause) {
  return Object.assign(new Error(`${key}: ${cause?.message ?? cause ?? ""}`), { key });
}

// ---- files

/** How far loading is: bytes as they come over the line. */
class Progress {
  /** @param tell  (loaded, total) */
  constructor(tell) {
    Object.assign(this, { tell, loaded: 0, total: 0, expected: new Set() });
  }

  /** A file is to be loaded, of which it is known once how large it is. */
  expect(url, bytes) {
    if (this.expected.has(url)) return;
    if (this.loaded === this.total) this.loaded = this.total = 0; // what was loaded before is of no interest any more
    this.expected.add(url);
    this.total += bytes;
    this.tell(this.loaded, this.total);
  }

  add(bytes) {
    this.loaded += bytes;
    this.tell(this.loaded, this.total);
  }
}

/** The bytes of a file of `wanted` as it comes over the line: packed, if it is known how large it is then. */
const weightOf = ({ bytes, packed }) => packed ?? bytes;

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return null; // a page without HTTPS, on another machine than the visitor's
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a stream, unpacked if they begin as gzip does. `onbytes` hears of those that came, and whether packed. */
async function readAll(response, onbytes) {
  const parts = [];
  const reader = response.body.getReader();
  const isPacked = () => parts[0]?.[0] === 0x1f && parts[0][1] === 0x8b;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    onbytes(value.length, isPacked());
  }
  const blob = new Blob(parts);
  if (!isPacked()) return blob.arrayBuffer();
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function fetchFile(url, onbytes = () => {}, options = {}) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw failure("offline", error);
  }
  if (!response.ok) throw failure("offline", response.status);
  try {
    return await readAll(response, onbytes);
  } catch (error) {
    throw failure("damaged", error); // it broke off
  }
}

async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null; // not allowed, or a page without HTTPS
  }
}

async function store(cache, url, data) {
  try {
    await cache.put(url, new Response(data));
    const known = await cache.keys();
    for (const old of known.slice(0, Math.max(known.length - MOST_CACHED, 0))) await cache.delete(old);
  } catch {
    // full: it is fetched again the next time
  }
}

/** The bytes that a file must have, out of the browser's cache or from the server; `progress` is told of each once. */
async function checked(url, wanted, { load, cached, progress }) {
  const weight = weightOf(wanted);
  progress.expect(url, weight);
  let told = 0;
  const onbytes = (count, isPacked) => {
    // Of a file that the browser itself unpacks on the way, more bytes come than went over the line.
    const part = Math.min(Math.round(isPacked ? count : (count * weight) / wanted.bytes), weight - told);
    told += part;
    progress.add(part);
  };
  try {
    const data = await read(url, wanted, load, cached, onbytes);
    progress.add(weight - told);
    return data;
  } catch (error) {
    progress.add(-told);
    throw error;
  }
}

async function read(url, wanted, load, cached, onbytes) {
  const isRight = async (data) => data.byteLength === wanted.bytes && [null, wanted.sha256].includes(await sha256(data));
  if (load) {
    const data = await load(url, wanted);
    if (await isRight(data)) return data;
    throw failure("damaged", url);
  }
  const cache = cached ? await openCache() : null;
  const kept = await cache?.match(url).catch(() => null);
  if (kept) {
    const data = await kept.arrayBuffer();
    if (await isRight(data)) return data;
    await cache.delete(url);
  }
  // What goes into this cache need not lie in the browser's other one, too.
  const data = await fetchFile(url, onbytes, cache ? { cache: "no-store" } : {});
  if (!(await isRight(data))) throw failure("damaged", url);
  if (cache) await store(cache, url, data);
  return data;
}

// ---- the worker, which does one thing after the other

class Runtime {
  static running = new Map(); // by address, backend and threads

  /** The runtime of these settings, started if it does not run yet. */
  static get(url, wanted, threads, files) {
    const found = Runtime.find(url, wanted, threads) ?? new Runtime(url, wanted, threads, files);
    return found.started.then(() => found);
  }

  static find(...settings) {
    return Runtime.running.get(settings.join(" "));
  }

  constructor(url, wanted, threads, files) {
    this.key = [url, wanted, threads].join(" ");
    this.waiting = { live: [], quiet: [] };
    this.current = null;
    this.ended = null;
    this.ids = 0;
    this.opened = new Map(); // url of a graph → promise
    Runtime.running.set(this.key, this);
    this.started = this.start(url, wanted, threads, files).catch((error) => {
      this.end(error.key ? error : failure("blocked", error));
      throw this.ended;
    });
  }

  async start(url, wanted, threads, files) {
    const described = JSON.parse(new TextDecoder().decode(await fetchFile(`${url}runtime.json`)));
    const wasm = await checked(`${url}ort.wasm`, described.files["ort.wasm"], files);
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = (event) => this.end(failure("blocked", event.message));
    const module = new URL("ort.mjs", url).href;
    this.backend = await this.ask("start", { module, wasm, threads, wanted }, { transfer: [wasm] });
  }

  /** Ask the worker; quiet questions wait until nobody waits for a live one. */
  ask(name, args, { quiet = false, transfer = [] } = {}) {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.waiting[quiet ? "quiet" : "live"].push({ name, args, transfer, resolve, reject });
      this.next();
    });
  }

  next() {
    if (this.current || this.ended) return;
    const question = this.waiting.live.shift() ?? this.waiting.quiet.shift();
    if (!question) return;
    this.current = { ...question, id: ++this.ids };
    const patience = PATIENCE_MS[question.name];
    if (patience) this.timer = setTimeout(() => this.end(failure("slow", question.name)), patience);
    this.worker.postMessage({ id: this.ids, name: question.name, args: question.args }, question.transfer);
  }

  heard({ id, value, error, lost }) {
    if (lost) return this.end(failure("lost"));
    if (id !== this.current?.id) return;
    clearTimeout(this.timer);
    const { resolve, reject, name } = this.current;
    this.current = null;
    if (error === undefined) resolve(value);
    else if (OUT_OF_MEMORY.test(error)) this.end(failure("memory", error), reject);
    else if (name === "start") this.end(failure("blocked", error), reject);
    else reject(failure("failed", error));
    this.next();
  }

  /** The worker is of no use any more; whoever waits for it hears why. */
  end(error, also = () => {}) {
    if (this.ended) return;
    this.ended = error;
    clearTimeout(this.timer);
    this.worker?.terminate();
    if (Runtime.running.get(this.key) === this) Runtime.running.delete(this.key);
    const waiting = [this.current, ...this.waiting.live, ...this.waiting.quiet].filter(Boolean);
    this.waiting = { live: [], quiet: [] };
    this.current = null;
    also(error);
    for (const { reject } of waiting) reject(error);
  }
}

// ---- networks

/** Codes of a picture in one direction, to be decoded as often as one likes; `Network.forget` frees them. */
class Codes {
  constructor(number, direction) {
    Object.assign(this, { number, direction });
  }
}

class Network {
  constructor(model, base, runtime, files) {
    Object.assign(this, { model, base, runtime, files, prepared: new Map() });
  }

  /** "webgpu" or "wasm". */
  get backend() {
    return this.runtime.backend;
  }

  /** Whether the worker still runs. */
  get isOpen() {
    return !this.ended;
  }

  /** Why it is of no use any more; null while it is. */
  get ended() {
    return this.runtime.ended;
  }

  urlOf(file) {
    return urlOf(this.model, this.base, file);
  }

  /** Load a graph if it is not loaded yet; its address in the worker, null for no graph. */
  async graph(file) {
    if (!file) return null;
    const { opened } = this.runtime;
    const url = this.urlOf(file);
    if (!opened.has(url)) {
      const loading = checked(url, this.model.files[file], this.files).then((graph) =>
        this.runtime.ask("open", { url, graph: new Uint8Array(graph) }, { transfer: [graph] }));
      opened.set(url, loading);
      loading.catch(() => opened.delete(url));
    }
    await opened.get(url);
    return url;
  }

  /** Load whatever a direction needs, and run it once, which takes longer than any later time. */
  prepare(direction) {
    const { prepared } = this;
    if (!prepared.has(direction)) {
      prepared.set(direction, this.tryOut(direction));
      prepared.get(direction).catch(() => prepared.delete(direction));
    }
    return prepared.get(direction);
  }

  async tryOut(direction) {
    expectGraphs(this.files.progress, this.model, this.base, [direction], this.runtime);
    const { size } = this.model;
    const blank = new ImageData(new Uint8ClampedArray(size * size * 4).fill(255), size, size);
    const codes = await this.encode(blank, direction, { quiet: true });
    await this.decode(codes, { quiet: true });
    this.forget(codes);
  }

  isLabels(domain) {
    return this.model.domains[domain].kind === "labels";
  }

  /** The codes of an ImageData of any size. */
  async encode(picture, direction, options = {}) {
    const encoder = await this.graph(this.model.directions[direction].encoder);
    const args = { picture: plain(picture), side: this.model.size, labels: this.isLabels(direction[0]), encoder };
    return new Codes(await this.runtime.ask("encode", args, options), direction);
  }

  /**
   * The ImageData, of the encoded picture's size, that codes decode to.
   * @param style        numbers, for networks that have styles; null for that of the seed, or the mean
   * @param seed         for the method's chance; null for none
   * @param temperature  scales it where it is Gaussian
   * @param quiet        let live questions go first
   */
  async decode(codes, { style = null, seed = null, temperature = 1, quiet = false } = {}) {
    const { model } = this;
    const { chance, style_dim: dim } = model.abilities;
    const { direction, number } = codes;
    const decoder = await this.graph(model.directions[direction].decoder);
    const args = { number, decoder, labels: this.isLabels(direction[2]), chance, dim, dropout: model.dropout, style, seed, temperature };
    const { data, width, height } = await this.runtime.ask("decode", args, { quiet });
    return new ImageData(data, width, height);
  }

  /** The codes between two pictures' codes; `share` 0 … 1 is the second's part. */
  async mixed(first, second, share) {
    const args = { first: first.number, second: second.number, share };
    return new Codes(await this.runtime.ask("mix", args), first.direction);
  }

  /** The style of an ImageData of domain A or B: numbers. */
  async encodeStyle(picture, domain) {
    const encoder = await this.graph(this.model.style_encoders[domain]);
    return this.runtime.ask("style", { picture: plain(picture), side: this.model.size, labels: this.isLabels(domain), encoder });
  }

  /** The random style of a seed, as the server draws it. */
  sample(seed) {
    return sampleStyle(this.model.abilities.style_dim, seed);
  }

  forget(...codes) {
    this.runtime.ask("forget", { numbers: codes.map((one) => one.number) }).catch(() => {});
  }

  /** Let go of the graphs; the worker stays for other networks. */
  close() {
    const urls = Object.keys(this.model.files).map((file) => this.urlOf(file)).filter((url) => this.runtime.opened.delete(url));
    this.runtime.ask("close", { urls }).catch(() => {});
  }
}

const urlOf = ({ files }, base, file) => `${base}${file}?v=${files[file].sha256.slice(0, 16)}`;

/** Say how much there is to load for directions, before any of it comes. */
function expectGraphs(progress, model, base, directions, runtime) {
  for (const file of directions.flatMap((direction) => Object.values(model.directions[direction]))) {
    const url = file && urlOf(model, base, file);
    if (url && !runtime?.opened.has(url)) progress.expect(url, weightOf(model.files[file]));
  }
}

const plain = ({ data, width, height }) => ({ data, width, height });

/** The style of `dim` numbers that a seed draws from the prior. */
export function sampleStyle(dim, seed) {
  return [...new Generator(seed).normal(dim)];
}

/** How many threads the page may use: more than one only where it is cross-origin isolated. */
export function threadsHere() {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
}

/**
 * Open the networks of an exported checkpoint.
 * @param base        the address of its folder, with "/" at the end
 * @param model       what its model.json says; fetched if it is not given
 * @param runtime     the address of the folder with ONNX Runtime Web
 * @param directions  those to load at once; others are loaded when they are first asked for
 * @param backend     "auto" (WebGPU where there is a real one), "webgpu" or "wasm"
 * @param threads     of WASM
 * @param cached      whether weights may stay in the browser's cache
 * @param load        (url, {bytes, sha256}) → ArrayBuffer: fetches files in place of this module
 * @param onprogress  (bytes loaded, bytes to be loaded), as they come over the line; of what is known at the time
 */
export async function openNetwork({
  base, model, runtime, directions = [], backend = "auto", threads = threadsHere(), cached = true, load, onprogress = () => {},
}) {
  base = new URL(base, location.href).href;
  runtime = new URL(runtime, location.href).href;
  model ??= JSON.parse(new TextDecoder().decode(await fetchFile(`${base}model.json`)));
  if (model.format !== 1) throw failure("damaged", `format ${model.format}`);
  let running = null;
  const open = async (wanted) => {
    const progress = new Progress(onprogress);
    expectGraphs(progress, model, base, directions, Runtime.find(runtime, wanted, threads));
    running = await Runtime.get(runtime, wanted, threads, { load, cached: false, progress });
    const network = new Network(model, base, running, { load, cached, progress });
    for (const direction of directions) await network.prepare(direction);
    return network;
  };
  try {
    return await open(backend);
  } catch (error) {
    if (backend !== "auto" || running?.backend !== "webgpu" || ["damaged", "offline"].includes(error.key)) throw error;
    return open("wasm"); // a graphics processor that cannot do it is no reason to give up
  }
}
