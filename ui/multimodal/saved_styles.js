// The styles that a visitor saved, in this browser only. None is sent to the server but as the style of a request.

const STORAGE_KEY = "i2i-kept-styles"; // as it was when the first visitors saved some
const MOST_SAVED = 60;

class SavedStyles {
  constructor() {
    this.items = this.read();
  }

  /** The styles that the browser stores; anything else in there is left out. */
  read() {
    let stored = [];
    try {
      stored = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    } catch {
      // storage is not allowed, or its content is not ours
    }
    const good = (item) =>
      item && ["name", "checkpoint", "domain", "picture"].every((key) => typeof item[key] === "string") &&
      item.picture.startsWith("data:image/") && Array.isArray(item.style) && item.style.every(Number.isFinite);
    return Array.isArray(stored) ? stored.filter(good) : [];
  }

  write() {
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.items));
    } catch {
      // storage is full or not allowed: the styles last as long as the page
    }
  }

  /** The styles of a model's target domain that have `length` numbers, as its network takes them. */
  of({ checkpoint, direction }, length) {
    const fits = (item) =>
      item.checkpoint === checkpoint && item.domain === direction[2] && item.style.length === length;
    return this.items.filter(fits);
  }

  add({ checkpoint, direction }, style, picture, name) {
    const item = { name, checkpoint, domain: direction[2], style: [...style], picture };
    this.items = [...this.items, item].slice(-MOST_SAVED);
    this.write();
    return item;
  }

  rename(item, name) {
    item.name = name;
    this.write();
  }

  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.write();
  }
}
