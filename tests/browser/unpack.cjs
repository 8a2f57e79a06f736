// Unpacks the browser, the libraries and the fonts that @sparticuz/chromium packs, without running its code.
const { createReadStream, createWriteStream, chmodSync, mkdirSync, rmSync } = require("node:fs");
const { execFileSync } = require("node:child_process");
const { join } = require("node:path");
const { pipeline } = require("node:stream/promises");
const { createBrotliDecompress } = require("node:zlib");

const packed = join(__dirname, "node_modules", "@sparticuz", "chromium", "bin");
const folder = join(__dirname, "node_modules", ".chromium");

async function unpack(name, to) {
  const path = join(folder, to);
  await pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), createWriteStream(path));
  return path;
}

async function main() {
  mkdirSync(folder, { recursive: true });
  for (const name of ["al2023", "swiftshader", "fonts"]) {
    const tar = await unpack(`${name}.tar.br`, `${name}.tar`);
    execFileSync("tar", ["-xf", tar, "-C", folder]);
    rmSync(tar);
  }
  chmodSync(await unpack("chromium.br", "chromium"), 0o755);
}

main();
