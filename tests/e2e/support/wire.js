// Remembers what a client's requests were answered with, byte for byte, without changing it.

export class Wire {
  statuses = [];
  requests = [];
  #text = "";
  #answered = Promise.withResolvers();

  // Hand this to a client as its fetch.
  fetch = async (url, init) => {
    this.requests.push(init?.body ? JSON.parse(init.body) : null);
    const response = await fetch(url, init);
    this.statuses.push(response.status);
    this.#answered.resolve();
    if (!response.ok || !response.body) return response;
    const decoder = new TextDecoder();
    const copied = new TransformStream({
      transform: (bytes, controller) => {
        this.#text += decoder.decode(bytes, { stream: true });
        controller.enqueue(bytes);
      },
    });
    return new Response(response.body.pipeThrough(copied), response);
  };

  // When the first request has its answer.
  get answered() {
    return this.#answered.promise;
  }

  // Every JSON value of the event streams so far; an unfinished last frame is left out.
  get events() {
    return this.#payloads.filter((payload) => payload !== "[DONE]").map((payload) => JSON.parse(payload));
  }

  // How many streams said that they are complete.
  get done() {
    return this.#payloads.filter((payload) => payload === "[DONE]").length;
  }

  get #payloads() {
    const frames = this.#text.split("\n\n").slice(0, -1);
    const lines = frames.flatMap((frame) => frame.split("\n"));
    return lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice("data: ".length));
  }
}
