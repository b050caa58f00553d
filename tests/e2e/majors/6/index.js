// The AI SDK's major 6 and its React hook: one build of `ai` under both.

export * from "ai";
export { useChat } from "@ai-sdk/react";
