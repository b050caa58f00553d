import { useRenderTool } from "@copilotkit/react-core/v2";
import { z } from "zod";

import { Card } from "./Card";

const Weather = z.object({ sky: z.string(), celsius: z.number() });

/** Shows calls of the agent's `get_weather` as a card instead of plain text. */
export function useWeatherCard() {
  useRenderTool({
    name: "get_weather",
    parameters: z.object({ city: z.string() }),
    render: ({ status, parameters, result }) => {
      if (status !== "complete") return <Card title={`Weather in ${parameters.city ?? "…"}`} status="looking" />;
      return <Report city={parameters.city} result={result} />;
    },
  });
}

function Report({ city, result }: { city: string; result: string }) {
  const weather = Weather.safeParse(parsed(result)).data;
  if (!weather) {
    return (
      <Card title={`Weather in ${city}`} status="failed">
        {result}
      </Card>
    );
  }
  return (
    <Card title={`Weather in ${city}`} status="done">
      <p className="weather">
        {weather.celsius} °C, {weather.sky}
      </p>
    </Card>
  );
}

/** A tool's result is JSON, or the words of its failure. */
function parsed(result: string): unknown {
  try {
    return JSON.parse(result);
  } catch {
    return null;
  }
}
