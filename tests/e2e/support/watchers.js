// Waits for a state instead of for a time, and gives up when it does not come.

const PATIENCE_MS = 10_000;

export class Watchers {
  #looks = new Set();

  // Resolves as soon as the condition holds; it is looked at now and whenever `tell` is called. `words` name it.
  until(condition, words) {
    return new Promise((resolve, reject) => {
      const end = (settle, reason) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        settle(reason);
      };
      const look = () => {
        if (condition()) end(resolve);
      };
      const timer = setTimeout(() => end(reject, new Error(`this did not come true: ${words}`)), PATIENCE_MS);
      this.#looks.add(look);
      look();
    });
  }

  tell() {
    for (const look of [...this.#looks]) look();
  }
}
