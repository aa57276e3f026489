/**
 * Uses every package as a user would: the tarball of a release, installed by npm into an empty folder, alone, on the
 * oldest Node that the packages promise; then the umbrella; then what a bundler keeps of each; then a new package.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { generatorTest } from '../generator-test.ts'
import { sourceEntries } from '../manifest.ts'
import { packAll, runOrThrow } from '../packing.ts'
import { namespace } from '../umbrella.ts'
import { packages } from '../workspace.ts'

const OLDEST_NODE = '22.13.0'

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
  const node = oldNode()
  const published = packages().filter((each) => !each.private)
  for (const { name, manifest, pattern, folder } of published) {
    const entries = sourceEntries(manifest).map(({ subpath }) => name + subpath.slice(1))
    await step(`${name}: npm install alone, import ${entries.length} entries on Node ${OLDEST_NODE}`, () =>
      importAlone(node, name, entries, optionalPeers(manifest)),
    )
    if (pattern) {
      await step(`${name}: nothing comes with it that it does not declare`, () => {
        const installed = readdirSync(join(work, folder, 'node_modules')).filter(
          (each) => !each.startsWith('.'),
        )
        const declared = Object.keys(Object(manifest['dependencies'] ?? {}))
        if (declared.length === 0 && installed.join() !== '@loadbearing')
          throw new Error(`installed ${installed.join(', ')}`)
      })
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
const tallyFolder = process.env['LOADBEARING_TALLY']
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

/** The path of a Node of the oldest version promised, installed from npm. */
function oldNode(): string {
  const home = join(work, 'node')
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"private":true}')
  runOrThrow(home, 'npm', 'install', '--silent', `node@${OLDEST_NODE}`)
  return join(home, 'node_modules/node/bin/node')
}

function optionalPeers(manifest: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(Object(manifest['peerDependenciesMeta'] ?? {}))
}

function importAlone(node: string, name: string, entries: readonly string[], peers: readonly string[]): void {
  const home = join(work, name.replace('@loadbearing/', ''))
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"private":true,"type":"module"}')
  // npm looks the other workspace packages up in the registry unless their tarballs are named too.
  const needed = [...packed.tarballs].filter(
    ([each]) => each === name || (name === 'loadbearing' && each !== '@loadbearing/harness'),
  )
  runOrThrow(
    home,
    'npm',
    'install',
    '--silent',
    '--no-audit',
    '--no-fund',
    '--omit=peer',
    ...needed.map(([, tarball]) => tarball),
  )
  for (const entry of entries) {
    const script = `const found = await import(${JSON.stringify(entry)}); if (Object.keys(found).length === 0) throw new Error('exports nothing')`
    try {
      runOrThrow(home, node, '--input-type=module', '--eval', script)
    } catch (error) {
      // An entry whose optional peer is absent says so, by name; nothing else may be missing.
      const text = error instanceof Error ? error.message : String(error)
      const missing = /Cannot find package '([^']+)'/.exec(text)?.[1]
      if (missing === undefined || !peers.includes(missing)) throw error
      runOrThrow(home, 'npm', 'install', '--silent', '--no-audit', '--no-fund', missing)
      runOrThrow(home, node, '--input-type=module', '--eval', script)
    }
  }
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
