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
  "src/css/site.css",
  ...["arriving", "collection", "progress", "share", "site", "upload"].map((name) => `src/js/${name}.js`),
];
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

/** `import url from "static:icons.svg"` gives a script the address of another static file. */
function addresses(files) {
  const known = new Map(files.map((file) => [file.name, `/static/${file.hashed}`]));
  return {
    name: "addresses",
    setup(esbuild) {
      esbuild.onResolve({ filter: /^static:/ }, ({ path }) => ({ path: path.slice(7), namespace: "static" }));
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

/** Make a script of each language's sentences, which pages load before the others: `js/i18n.js`. */
async function catalogues() {
  const folder = join(here, "../translations");
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return Promise.all(
    names.map(async ({ name: language }) => {
      const parsed = po.parse(await readFile(join(folder, language, "LC_MESSAGES/scripts.po")));
      const messages = {};
      for (const { msgid, msgid_plural, msgstr } of Object.values(parsed.translations[""] ?? {})) {
        if (msgid !== "" && msgstr.every(Boolean)) messages[msgid] = msgid_plural ? msgstr : msgstr[0];
      }
      const catalogue = { forms: pluralForms(language, parsed.headers["Plural-Forms"]), messages };
      return hashed(`messages-${language}.js`, `globalThis.matineeMessages=${JSON.stringify(catalogue)};`);
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

/** What a phone needs to keep Matinee on its home screen. */
function describeApp(favicon, tile) {
  return JSON.stringify({
    name: "Matinee",
    short_name: "Matinee",
    start_url: "/stream",
    scope: "/",
    display: "minimal-ui",
    background_color: "#0e1014",
    theme_color: "#0e1014",
    icons: [
      { src: favicon.hashed, sizes: "any", type: "image/svg+xml" },
      { src: tile.hashed, sizes: "any", type: "image/svg+xml", purpose: "maskable" },
    ],
  });
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

async function main() {
  const earlier = await listEarlier(target);
  const mark = await readFile(join(here, "src/icons/mark.svg"), "utf8");
  const favicon = hashed("favicon.svg", drawAppIcon(mark, { rounded: true }));
  const tile = hashed("tile.svg", drawAppIcon(mark, { rounded: false }));
  const others = [
    favicon,
    tile,
    ...(await catalogues()),
    hashed("icons.svg", await drawSprite(mark)),
    hashed("webapp.json", describeApp(favicon, tile)),
  ];
  const bundles = [
    ...(await bundle(ENTRIES, others, { splitting: false })),
    ...(await bundle(SPLIT_ENTRIES, others, { splitting: true })),
  ];
  const files = [...bundles, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));

  const written = (await Promise.all(files.map(encodings))).flat();
  await Promise.all(written.map(([name, bytes]) => writeFile(join(target, name), bytes)));
  const manifest = Object.fromEntries(files.map((file) => [file.name, file.hashed]));
  await writeFile(join(target, ".manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(join(target, ".manifest.json"), join(target, "manifest.json"));

  const kept = new Set(["manifest.json", ...written.map(([name]) => name)]);
  const stale = earlier.filter((name) => !kept.has(name) && name !== ".manifest.json");
  await Promise.all(stale.map((name) => rm(join(target, name), { recursive: true })));
  for (const file of files) console.log(`${file.bytes.length.toString().padStart(7)}  ${file.hashed}`);
}

await main();
