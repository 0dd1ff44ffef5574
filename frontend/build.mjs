/**
 * Build the static files: `node build.mjs [folder]` (default ../build/static).
 *
 * Every file gets a name that holds a hash of its bytes, so it can be cached for a year, and
 * manifest.json tells the templates which name is the current one. Beside each file are `.br` and `.gz`, as
 * small as they get, for the front server. Files are written before the manifest that names them, and what an
 * earlier build left is removed last.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";
import { po } from "gettext-parser";
import { drawAppIcon, drawSprite } from "./icons.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "../build/static"));

const COMMON = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  write: false,
  logLevel: "warning",
};

const ENTRIES = [
  ...["design", "site"].map((name) => `src/css/${name}.css`),
  ...["arriving", "collection", "design", "library", "poster", "progress", "share", "site"].map(
    (name) => `src/js/${name}.js`,
  ),
];
/** Others import it by its address, only when they need it. */
const FIRST_ENTRIES = ["src/js/upload.js"];
/** These import some of what they need only when they need it; it becomes a file of its own. */
const SPLIT_ENTRIES = ["src/js/watch.js"];

/** Bundle and minify entry points. */
async function bundle(entryPoints, files, { splitting }) {
  const result = await build({
    ...COMMON,
    entryPoints,
    outdir: target,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    format: "esm",
    splitting,
    plugins: [addresses(files)],
    metafile: true,
  });
  const logical = new Map();
  for (const [output, { entryPoint, imports }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint) logical.set(basename(output), basename(entryPoint));
    if (!entryPoints.includes(entryPoint)) continue;
    // What an entry shares with its parts is called after it, so that a page can load both at once.
    const shared = imports.filter(({ kind }) => kind === "import-statement");
    if (shared.length > 1)
      throw new Error(`${entryPoint} needs ${shared.length} more files before it can run`);
    for (const { path } of shared)
      logical.set(basename(path), basename(entryPoint).replace(".js", "-shared.js"));
  }
  return result.outputFiles.map((file) => {
    const hashed = basename(file.path);
    return { name: logical.get(hashed) ?? hashed, hashed, bytes: file.contents };
  });
}

/**
 * `import url from "static:icons.svg"` gives a script the address of another static file, and
 * `url("static:backdrop.svg")` gives it to a sheet.
 */
function addresses(files) {
  const known = new Map(files.map((file) => [file.name, `/static/${file.hashed}`]));
  return {
    name: "addresses",
    setup(esbuild) {
      esbuild.onResolve({ filter: /^static:/ }, ({ path, kind }) => {
        const name = path.slice(7);
        if (kind === "url-token" && known.has(name)) return { path: known.get(name), external: true };
        return { path: name, namespace: "static" };
      });
      esbuild.onLoad({ filter: /.*/, namespace: "static" }, ({ path }) =>
        known.has(path)
          ? { contents: known.get(path), loader: "text" }
          : { errors: [{ text: `there is no static file ${path}` }] },
      );
    },
  };
}

/** Give a file that esbuild does not know a hashed name of the same shape. */
function hashed(name, text) {
  const bytes = Buffer.from(text);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const ending = extname(name);
  return { name, hashed: `${basename(name, ending)}-${hash}${ending}`, bytes };
}

const TRANSLATIONS = join(here, "../translations");

/** The languages that pages can be in, besides English. */
async function languages() {
  const entries = await readdir(TRANSLATIONS, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Read the translations of what scripts say. */
async function readCatalogue(language) {
  const { headers, translations } = po.parse(
    await readFile(join(TRANSLATIONS, language, "LC_MESSAGES/scripts.po")),
  );
  const messages = {};
  for (const { msgid, msgid_plural, msgstr } of Object.values(translations[""] ?? {})) {
    if (msgid !== "" && msgstr.every(Boolean)) messages[msgid] = msgid_plural ? msgstr : msgstr[0];
  }
  return { forms: pluralForms(language, headers["Plural-Forms"]), messages };
}

/** Make a script of each language's sentences, which pages load before the others: `js/i18n.js`. */
async function catalogues(names) {
  return Promise.all(
    names.map(async (language) => {
      const catalogue = JSON.stringify(await readCatalogue(language));
      return hashed(`messages-${language}.js`, `globalThis.matineeMessages=${catalogue};`);
    }),
  );
}

/** Say which form of a catalogue each category of `Intl.PluralRules` takes. */
function pluralForms(language, header) {
  // The header holds an expression in C, which reads the same in JavaScript.
  const form = new Function("n", `return Number(${/plural=([^;]+)/.exec(header)[1]})`);
  const rules = new Intl.PluralRules(language);
  const forms = {};
  for (const n of [...Array(201).keys(), 1_000_000]) {
    const category = rules.select(n);
    forms[category] ??= form(n);
    if (forms[category] !== form(n))
      throw new Error(`${language}: ${n} has another plural form than expected`);
  }
  return forms;
}

/** An .ico file that holds one PNG of 32 x 32 pixels. */
function drawFavicon(png) {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2); // an icon,
  head.writeUInt16LE(1, 4); // one picture,
  head.writeUInt8(32, 6); // its width and height,
  head.writeUInt8(32, 7);
  head.writeUInt16LE(1, 10); // planes, bits per pixel,
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(png.length, 14); // its length, and where it begins
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, png]);
}

/** The service worker, with the names of the files that its offline page shows. */
async function serviceWorker(files) {
  const result = await build({
    ...COMMON,
    entryPoints: ["src/js/service-worker.js"],
    format: "iife",
    define: { STATIC_FILES: JSON.stringify(files.map((file) => `/static/${file.hashed}`)) },
  });
  return result.outputFiles[0].contents;
}

/** A file as it is, and, if it is a text, compressed. */
async function encodings({ hashed, bytes }) {
  if (![".css", ".js", ".json", ".svg"].includes(extname(hashed))) return [[hashed, bytes]];
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  return [
    [hashed, bytes],
    [`${hashed}.br`, br],
    [`${hashed}.gz`, gz],
  ];
}

/** Refuse to tidy up a folder that an earlier build did not make. */
async function listEarlier(folder) {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes("manifest.json")) {
    throw new Error(`${folder} is not empty and holds no manifest.json: not ours to clean`);
  }
  return names;
}

/** Read a file of src. */
async function source(name) {
  return readFile(join(here, "src", name));
}

async function main() {
  const earlier = await listEarlier(target);
  const mark = await source("icons/mark.svg").then(String);
  const pictures = ["icon-192.png", "icon-512.png", "maskable-512.png", "touch-icon.png"];
  const others = [
    hashed("favicon.svg", drawAppIcon(mark)),
    ...(await Promise.all(pictures.map(async (name) => hashed(name, await source(`icons/${name}`))))),
    ...(await catalogues(await languages())),
    hashed("icons.svg", await drawSprite(mark, await source("pictures/lost.svg").then(String))),
    hashed("backdrop.svg", await source("pictures/backdrop.svg")),
  ];
  const first = await bundle(FIRST_ENTRIES, others, { splitting: false });
  const bundles = [
    ...first,
    ...(await bundle(ENTRIES, [...others, ...first], { splitting: false })),
    ...(await bundle(SPLIT_ENTRIES, others, { splitting: true })),
  ];
  const files = [...bundles, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
  const offline = files.filter(({ name }) =>
    ["site.css", "site.js", "icons.svg", "favicon.svg"].includes(name),
  );
  // Browsers ask for these by their names, so they have no hash; the front servers let nothing keep them.
  const fixed = [
    ["favicon.ico", drawFavicon(await source("icons/favicon-32.png"))],
    ["robots.txt", await source("robots.txt")],
    ["sw.js", await serviceWorker(offline)],
  ];

  const written = (await Promise.all(files.map(encodings))).flat();
  await Promise.all(written.map(([name, bytes]) => writeFile(join(target, name), bytes)));
  await Promise.all(fixed.map(([name, bytes]) => writeFile(join(target, name), bytes)));
  const manifest = Object.fromEntries(files.map((file) => [file.name, file.hashed]));
  await writeFile(join(target, ".manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(join(target, ".manifest.json"), join(target, "manifest.json"));

  const kept = new Set(["manifest.json", ...written.map(([name]) => name), ...fixed.map(([name]) => name)]);
  const stale = earlier.filter((name) => !kept.has(name) && name !== ".manifest.json");
  await Promise.all(stale.map((name) => rm(join(target, name), { recursive: true })));
  for (const file of files) console.log(`${file.bytes.length.toString().padStart(7)}  ${file.hashed}`);
}

await main();
