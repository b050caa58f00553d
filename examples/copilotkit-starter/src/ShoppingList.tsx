import { useAgent, UseAgentUpdate } from "@copilotkit/react-core/v2";
import { type FormEvent, useState } from "react";

type Shared = { items?: string[] };

/** The state that the page shares with the agent. A change made here reaches the agent with the next message. */
export function ShoppingList() {
  const { agent } = useAgent({ updates: [UseAgentUpdate.OnStateChanged] });
  const [draft, setDraft] = useState("");
  const { items = [] } = agent.state as Shared;
  const share = (next: string[]) => agent.setState({ ...agent.state, items: next });
  const add = (event: FormEvent) => {
    event.preventDefault();
    const item = draft.trim();
    if (item && !items.includes(item)) share([...items, item]);
    setDraft("");
  };

  return (
    <section className="list" aria-label="Shopping list">
      <h2>Shopping list</h2>
      <ul>
        {items.map((item) => (
          <li key={item}>
            {item}
            <button type="button" aria-label={`Remove ${item}`} onClick={() => share(items.filter((one) => one !== item))}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={add}>
        <input aria-label="Add to the list" placeholder="Add…" value={draft} onChange={(event) => setDraft(event.target.value)} />
      </form>
    </section>
  );
}
