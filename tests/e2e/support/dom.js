// The window and document that React draws on; to be imported before React.

import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html>", { url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });
