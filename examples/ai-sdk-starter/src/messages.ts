import type { DynamicToolUIPart, ToolUIPart, UIDataTypes, UIMessage } from "ai";

export const COLORS = ["teal", "plum", "amber"] as const;
export type Color = (typeof COLORS)[number];

/** The tools of agents.py, as the page sees them. */
export type Tools = {
  get_weather: { input: { city: string }; output: { city: string; sky: string; celsius: number } };
  send_email: { input: { to: string; body: string }; output: { sent: boolean; to: string; body: string } };
  pick_color: { input: { question?: string }; output: Color };
};

/** What Wakeful tells about an answer. */
export type Metadata = { runId?: string; model?: string; usage?: { totalTokens: number } };

export type ChatMessage = UIMessage<Metadata, UIDataTypes, Tools>;
export type ChatPart = ChatMessage["parts"][number];
export type ToolPart = ToolUIPart<Tools> | DynamicToolUIPart;

export function textOf(message: ChatMessage): string {
  return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Not so an answer that failed before it began. */
export function showsSomething(message: ChatMessage): boolean {
  return message.parts.some((part) => part.type !== "step-start");
}

/** The color picked last, which the page wears. */
export function pickedColor(messages: ChatMessage[]): Color | undefined {
  return messages
    .flatMap((message) => message.parts)
    .map((part) => (part.type === "tool-pick_color" && part.state === "output-available" ? part.output : undefined))
    .findLast((color) => color !== undefined);
}
