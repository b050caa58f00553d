import { CopilotKitProvider } from "@copilotkit/react-core/v2";
import { useState } from "react";

import { Chat } from "./Chat";
import { Failure } from "./Failure";
import { ShoppingList } from "./ShoppingList";
import { useThreadId } from "./useThreadId";

export function App() {
  const [threadId, startNew] = useThreadId();
  const [failure, setFailure] = useState<string>();

  return (
    <CopilotKitProvider
      key={threadId}
      runtimeUrl="/api/copilotkit"
      enableInspector={false}
      onError={({ error }) => setFailure(error.message)}
    >
      <div className="page">
        <header>
          <h1>Wakeful and CopilotKit</h1>
          <button type="button" onClick={startNew}>
            New conversation
          </button>
        </header>
        {failure && <Failure message={failure} onDismiss={() => setFailure(undefined)} />}
        <ShoppingList />
        <Chat threadId={threadId} />
      </div>
    </CopilotKitProvider>
  );
}
