// The palette of kept styles: in this browser only, never sent anywhere but as the style of a question.

const KEPT = "i2i-kept-styles";
const MOST_KEPT = 60;

class Kept {
  constructor() {
    this.items = this.read();
  }

  /** What the browser stores; whatever in it is no kept style is left out. */
  read() {
    let stored = [];
    try {
      stored = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    } catch {
      // no storage allowed, or not ours: begin with none
    }
    const good = (item) =>
      item && ["name", "checkpoint", "domain", "picture"].every((key) => typeof item[key] === "string") &&
      item.picture.startsWith("data:image/") && Array.isArray(item.style) && item.style.every(Number.isFinite);
    return Array.isArray(stored) ? stored.filter(good) : [];
  }

  write() {
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.items));
    } catch {
      // full or forbidden: they last as long as the page
    }
  }

  /** Those of a model's target domain, of so many numbers; styles of other networks mean nothing to it. */
  of({ checkpoint, direction }, length) {
    const fits = (item) =>
      item.checkpoint === checkpoint && item.domain === direction[2] && item.style.length === length;
    return this.items.filter(fits);
  }

  add({ checkpoint, direction }, style, picture, name) {
    const item = { name, checkpoint, domain: direction[2], style: [...style], picture };
    this.items = [...this.items, item].slice(-MOST_KEPT);
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
