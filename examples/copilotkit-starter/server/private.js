// CopilotKit's runtime reads this when it is imported; without it, it reports its use to CopilotKit.
process.env.COPILOTKIT_TELEMETRY_DISABLED ??= "true";
