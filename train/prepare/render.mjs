// Draws pictures for node.py. A line of standard input is a job, {svg} or {avatar: DiceBear's options}, and
// `node render.mjs SIDE` answers each, in order, with SIDE × SIDE pixels of four bytes (RGBA) on standard output.
import { once } from "node:events";
import { createInterface } from "node:readline";

import * as adventurer from "@dicebear/adventurer";
import { createAvatar } from "@dicebear/core";
import { Resvg } from "@resvg/resvg-js";

const fitTo = { mode: "width", value: Number(process.argv[2]) };
const font = { loadSystemFonts: false }; // finding them takes longer than the drawing

for await (const line of createInterface({ input: process.stdin })) {
  const { svg, avatar } = JSON.parse(line);
  const drawn = new Resvg(svg ?? createAvatar(adventurer, avatar).toString(), { fitTo, font }).render();
  if (!process.stdout.write(drawn.pixels)) await once(process.stdout, "drain");
}
