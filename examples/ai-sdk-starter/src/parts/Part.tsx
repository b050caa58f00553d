import { isToolUIPart, type ChatAddToolApproveResponseFunction, type ChatAddToolOutputFunction } from "ai";

import type { ChatMessage, ChatPart } from "../messages";
import { Approval } from "./Approval";
import { Attachment } from "./Attachment";
import { ColorPicker } from "./ColorPicker";
import { Reasoning } from "./Reasoning";
import { Source } from "./Source";
import { ToolCard } from "./ToolCard";

/** How the user answers what the assistant asks for. */
export type ToolAnswers = {
  onApproval: ChatAddToolApproveResponseFunction;
  onOutput: ChatAddToolOutputFunction<ChatMessage>;
};

/** `open`: the conversation has not moved on, so that the part can still be answered. */
type Props = ToolAnswers & { part: ChatPart; open: boolean };

/** One part of a message. */
export function Part({ part, open, onApproval, onOutput }: Props) {
  if (isToolUIPart(part)) {
    return (
      <ToolCard part={part} open={open}>
        {open && part.state === "approval-requested" && <Approval id={part.approval.id} onAnswer={onApproval} />}
        {open && part.type === "tool-pick_color" && part.state === "input-available" && (
          <ColorPicker callId={part.toolCallId} question={part.input.question} onAnswer={onOutput} />
        )}
      </ToolCard>
    );
  }
  switch (part.type) {
    case "text":
      return <p className="text">{part.text}</p>;
    case "reasoning":
      return <Reasoning text={part.text} streaming={part.state === "streaming"} />;
    case "file":
      return <Attachment url={part.url} mediaType={part.mediaType} name={part.filename} />;
    case "source-url":
      return <Source title={part.title ?? part.url} url={part.url} />;
    case "source-document":
      return <Source title={part.title} />;
    default:
      return null;
  }
}
