// Messages to the visitor.

const TOAST_MS = 9000;

class Toasts {
  /**
   * @param root   the element in which the messages appear
   * @param texts  by key, in the visitor's language
   */
  constructor(root, texts) {
    Object.assign(this, { root, texts });
  }

  /** Show a message for a while; it replaces the one before. */
  show(message) {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(Object.assign(document.createElement("span"), { textContent: message }));
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    close.setAttribute("aria-label", this.texts.close);
    close.onclick = () => toast.remove();
    toast.append(close);
    this.root.replaceChildren(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
  }
}
