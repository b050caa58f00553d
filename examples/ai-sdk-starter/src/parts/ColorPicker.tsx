import type { ChatAddToolOutputFunction } from "ai";

import { COLORS, type ChatMessage } from "../messages";

type Props = { callId: string; question?: string; onAnswer: ChatAddToolOutputFunction<ChatMessage> };

/** Carries the front-end tool `pick_color` out: the button that is pressed is the call's output. */
export function ColorPicker({ callId, question = "Which color do you like?", onAnswer }: Props) {
  const call = { tool: "pick_color", toolCallId: callId } as const;

  return (
    <div className="choices" role="group" aria-label={question}>
      <p>{question}</p>
      {COLORS.map((color) => (
        <button key={color} type="button" className="swatch" data-color={color} onClick={() => onAnswer({ ...call, output: color })}>
          {color}
        </button>
      ))}
      <button
        type="button"
        onClick={() => onAnswer({ ...call, state: "output-error", errorText: "The user did not pick a color." })}
      >
        None
      </button>
    </div>
  );
}
