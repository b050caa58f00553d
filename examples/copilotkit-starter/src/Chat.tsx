import { CopilotChat, useConfigureSuggestions } from "@copilotkit/react-core/v2";

import { useApproval } from "./tools/approval";
import { useEmailCard } from "./tools/email";
import { usePageColor } from "./tools/pageColor";
import { useWeatherCard } from "./tools/weather";

const SUGGESTIONS = [
  { title: "Weather in Paris", message: "weather in Paris" },
  { title: "Send an email", message: "email bob@example.com See you at noon" },
  { title: "Buy milk", message: 'use add_to_list {"item":"milk"}' },
  { title: "A calmer page", message: 'use change_color {"color":"lavender"}' },
  { title: "Think about time", message: "think about time" },
  { title: "Count slowly", message: "count to 200 every 50 ms" },
];

/** One conversation. `CopilotChat` asks the server for what the thread already holds. */
export function Chat({ threadId }: { threadId: string }) {
  useWeatherCard();
  useEmailCard();
  useApproval();
  usePageColor();
  useConfigureSuggestions({ suggestions: SUGGESTIONS, available: "before-first-message" });

  return (
    <main>
      <CopilotChat
        threadId={threadId}
        labels={{ chatInputPlaceholder: "Ask for the weather, an email, a colour…" }}
      />
    </main>
  );
}
