// What our encoders made of the recorded runs: one list of JSON values per recording, read from the snapshots.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const SNAPSHOTS = join(import.meta.dirname, "../../protocols/snapshots");

export function snapshots(folder) {
  const files = readdirSync(join(SNAPSHOTS, folder)).sort();
  return Object.fromEntries(files.map((file) => [basename(file, ".jsonl"), values(join(SNAPSHOTS, folder, file))]));
}

function values(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line).map((line) => JSON.parse(line));
}
