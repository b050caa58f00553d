import { EventType, runHttpRequest, transformHttpEventStream } from "@ag-ui/client";
import { AgentRunner } from "@copilotkit/runtime/v2";
import { catchError, finalize, map, of, pipe } from "rxjs";

/** The code of errors that CopilotKit shows to nobody. */
const PASSED_OVER = "abort";

/**
 * Lets Wakeful remember instead of the CopilotKit runtime: a page that comes back is shown the thread as Wakeful has it,
 * a run in progress included, and survives a restart of this server as well as of Wakeful.
 */
export class WakefulRunner extends AgentRunner {
  #url;

  /** `url` is where Wakeful listens, like http://127.0.0.1:3000. */
  constructor(url) {
    super();
    this.#url = url;
  }

  /** Wakeful's events of a new run. When the page goes away, only the connection ends. */
  run({ agent, input }) {
    return agent.run(input).pipe(finalize(() => agent.abortRun()), shownToUser());
  }

  /** What a page that opens the thread has to know: its messages, then the run in progress. */
  connect({ threadId, headers }) {
    const leaving = new AbortController();
    const request = () => fetch(this.#path("ag-ui", threadId, "stream"), { headers, signal: leaving.signal });
    return transformHttpEventStream(runHttpRequest(request)).pipe(finalize(() => leaving.abort()), shownToUser());
  }

  /** Ends the run itself. Without this only the connection would end, and the run would go on unseen. */
  async stop({ threadId }) {
    const response = await fetch(this.#path("ai-sdk", threadId, "stop"), { method: "POST" });
    return response.ok;
  }

  async isRunning({ threadId }) {
    const response = await fetch(`${this.#url}/v1/threads/${encodeURIComponent(threadId)}/runs/latest`);
    return response.ok && ["queued", "running"].includes((await response.json()).status);
  }

  #path(protocol, threadId, what) {
    return `${this.#url}/v1/${protocol}/threads/${encodeURIComponent(threadId)}/${what}`;
  }
}

/** A run that was stopped is no failure, and a request that fails is one; else the runtime would only end the stream. */
function shownToUser() {
  return pipe(
    map((event) => (event.code === "CANCELLED" ? { ...event, code: PASSED_OVER } : event)),
    catchError((error) => of({ type: EventType.RUN_ERROR, message: error.message })),
  );
}
