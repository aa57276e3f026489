/**
 * Uses every package as a user would: the tarball of a release, installed by npm into an empty folder, alone, on the
 * oldest Node that the packages promise; then the umbrella; then what a bundler keeps of each; then a new package.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { minVersion, satisfies } from 'semver'
import { generatorTest } from '../generator-test.ts'
import { sourceEntries } from '../manifest.ts'
import { packAll, runOrThrow } from '../packing.ts'
import { namespace } from '../umbrella.ts'
import { packages } from '../workspace.ts'

const OLDEST_NODE = '22.13.0'
/** The last of the same line, for entries whose optional peer asks for a newer Node than the package does. */
const NEWEST_NODE = '22'

// What is run below must not write to the tally of this run.
const tallyFolder = process.env['LOADBEARING_TALLY']
delete process.env['LOADBEARING_TALLY']

const usage = `usage: pnpm pack-test
Builds and packs every package, installs each tarball alone with npm on Node ${OLDEST_NODE} and imports every entry;
then the umbrella, the size of bundles, and a package fresh from the generator.`

if (process.argv.length > 2) {
  const help = process.argv[2] === '--help' || process.argv[2] === '-h'
  console[help ? 'log' : 'error'](usage)
  process.exit(help ? 0 : 2)
}

runOrThrow(process.cwd(), 'pnpm', 'build')
using packed = packAll()
const work = mkdtempSync(join(tmpdir(), 'loadbearing-use-'))
const tally = { passed: 0, failed: 0, skipped: 0 }
try {
  const nodes = { oldest: nodeOf(OLDEST_NODE), newest: nodeOf(NEWEST_NODE) }
  const published = packages().filter((each) => !each.private)
  for (const { name, manifest } of published) {
    const home = installAlone(name)
    if (Object.keys(Object(manifest['dependencies'] ?? {})).length === 0) {
      await step(`${name}: nothing comes with it`, () => nothingElse(home))
    }
    for (const { subpath } of sourceEntries(manifest)) {
      const entry = name + subpath.slice(1)
      await step(`${entry}: imported on Node ${OLDEST_NODE}`, () => importEntry(home, name, entry, nodes))
    }
  }
  const umbrella = join(work, 'loadbearing')
  for (const { folder, name } of published.filter((each) => each.pattern)) {
    await step(`loadbearing/${folder}: a bundle of one symbol is no larger than through ${name}`, () =>
      sameBundle(umbrella, folder, name),
    )
    await step(`loadbearing: a bundle of ${namespace(folder)} holds no other package`, () =>
      onlyOne(umbrella, folder),
    )
  }
  await step('a new package from the generator passes test and check', () => generatorTest(work))
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (tallyFolder !== undefined) writeFileSync(join(tallyFolder, 'pack-test.json'), JSON.stringify(tally))
process.exitCode = tally.failed === 0 ? 0 : 1

async function step(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body()
    tally.passed++
    console.log(`ok     ${name}`)
  } catch (error) {
    tally.failed++
    console.log(`FAILED ${name}\n${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The path of a Node of that version, installed from npm. */
function nodeOf(version: string): string {
  const home = join(work, `node-${version}`)
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"private":true}')
  npmInstall(home, `node@${version}`)
  return join(home, 'node_modules/node/bin/node')
}

function npmInstall(home: string, ...what: string[]): void {
  runOrThrow(home, 'npm', 'install', '--silent', '--no-audit', '--no-fund', ...what)
}

function installAlone(name: string): string {
  const home = join(work, name.replace('@loadbearing/', ''))
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"private":true,"type":"module"}')
  // npm looks the other workspace packages up in the registry unless their tarballs are named too.
  const needed = [...packed.tarballs].filter(
    ([each]) => each === name || (name === 'loadbearing' && each !== '@loadbearing/harness'),
  )
  npmInstall(home, '--omit=peer', ...needed.map(([, tarball]) => tarball))
  return home
}

function nothingElse(home: string): void {
  const installed = readdirSync(join(home, 'node_modules')).filter((each) => !each.startsWith('.'))
  if (installed.join() !== '@loadbearing') throw new Error(`installed ${installed.join(', ')}`)
}

/**
 * Imports an entry. One whose optional peer is absent has to say so, by name, and is imported again once it is there: on
 * the newest Node where the peer does not run on the oldest, and of a peer with several majors with the oldest version.
 */
function importEntry(
  home: string,
  name: string,
  entry: string,
  { oldest, newest }: { oldest: string; newest: string },
): void {
  const script = `const found = await import(${JSON.stringify(entry)}); if (Object.keys(found).length === 0) throw new Error('exports nothing')`
  const importOn = (node: string) => runOrThrow(home, node, '--input-type=module', '--eval', script)
  try {
    importOn(oldest)
  } catch (error) {
    const missing = /Cannot find package '([^']+)'/.exec(String(error))?.[1]
    const peers = Object.keys(Object(manifestOf(home, name)['peerDependenciesMeta'] ?? {}))
    if (missing === undefined || !peers.includes(missing)) throw error
    const range = String(Object(manifestOf(home, name)['peerDependencies'])[missing])
    // Of several majors the first as well, at its oldest; the newest stays for the entries that come after.
    const least = range.includes('||') ? [minVersion(range)?.version ?? range] : []
    for (const version of [...least, range]) {
      npmInstall(home, `${missing}@${version}`)
      const peer: { engines?: { node?: string } } = manifestOf(home, missing)
      const runsOnOldest = satisfies(OLDEST_NODE, peer.engines?.node ?? '*')
      if (!runsOnOldest)
        console.log(`       (on the newest Node ${NEWEST_NODE}: ${missing} asks for ${peer.engines?.node})`)
      importOn(runsOnOldest ? oldest : newest)
    }
  }
}

/** The manifest of an installed package, as its tarball has it. */
function manifestOf(home: string, name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(home, 'node_modules', name, 'package.json'), 'utf8'))
}

async function bundle(home: string, source: string): Promise<{ bytes: number; inputs: string[] }> {
  const result = await build({
    stdin: { contents: source, resolveDir: home },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const output = Object.values(result.metafile.outputs)[0]
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { bytes: output?.bytes ?? 0, inputs: inputs.map(([path]) => path) }
}

async function sameBundle(home: string, folder: string, name: string): Promise<void> {
  const symbol = await firstExport(home, name)
  const direct = await bundle(home, `import { ${symbol} } from '${name}'; console.log(${symbol})`)
  const through = await bundle(
    home,
    `import { ${symbol} } from 'loadbearing/${folder}'; console.log(${symbol})`,
  )
  if (through.bytes > direct.bytes)
    throw new Error(`${through.bytes} bytes through the umbrella, ${direct.bytes} directly`)
}

async function onlyOne(home: string, folder: string): Promise<void> {
  const space = namespace(folder)
  const symbol = await firstExport(home, `@loadbearing/${folder}`)
  const { inputs } = await bundle(
    home,
    `import { ${space} } from 'loadbearing'; console.log(${space}.${symbol})`,
  )
  const others = inputs.filter(
    (path) =>
      path.includes('node_modules/@loadbearing/') && !path.includes(`node_modules/@loadbearing/${folder}/`),
  )
  if (others.length > 0) throw new Error(`the bundle holds ${others.join(', ')}`)
  if (!inputs.some((path) => path.includes(`node_modules/@loadbearing/${folder}/`)))
    throw new Error('the bundle is empty')
}

async function firstExport(home: string, name: string): Promise<string> {
  const found: object = await import(pathToFileURL(join(home, 'node_modules', name, 'dist/index.js')).href)
  const symbol = Object.keys(found).toSorted()[0]
  if (symbol === undefined) throw new Error(`${name} exports no value`)
  return symbol
}
