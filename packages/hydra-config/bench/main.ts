import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CompareOptions,
  type ComparisonResult,
  compare,
  formatTable,
  type Subject,
} from '@loadbearing/harness/bench'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { nameCycles } from './cycles.ts'
import { growthOf, longestTime, rounds } from './linear.ts'
import { findPython, testConfigs, versionsOfPeers } from './python.ts'
import { reloadLatency } from './reload.ts'
import { Report, ratioOf } from './report.ts'
import { type ComposeCase, composeCases, largeYaml, layers, manyOverrides, writeTree } from './tree.ts'
import { chain, thousandStrings, writeLayers } from './workloads.ts'

const home = new URL('..', import.meta.url)
const command = 'pnpm bench hydra-config'
const usage = `usage: ${command}
Composing, reading YAML, overrides, sweeps, interpolations, cycles, growth with the text and reloads, beside c12, config,
convict, js-yaml with defu and, where Python is there, Hydra, OmegaConf and Lerna, which the first run installs.
About five minutes; writes the tables of the README.`
if (process.argv.length > 2) {
  console.log(usage)
  process.exit(process.argv.slice(2).every((argument) => argument === '--help' || argument === '-h') ? 0 : 2)
}
const report = new Report()
const { target, told } = report
const hydra = findPython('Hydra')
const lerna = findPython('Lerna')
for (const { name, missing } of [hydra, lerna]) {
  if (missing !== undefined) report.notes.push(`${name} was not measured: ${missing}`)
}

const tree = writeTree()
const layered = writeLayers(layers())
try {
  await composing()
  await reading()
  await overriding()
  await sweeping()
  await interpolating()
  await naming()
  await parsing()
  await reloading()
} finally {
  for (const folder of [tree, layered]) rmSync(folder, { recursive: true, force: true })
}
const versions = { ...versionsOfPeers(), ...hydra.versions, ...lerna.versions }
const { rows, notes, targets } = report
recordEvidence(home, 'bench', { command, versions, columns: Report.columns, rows, notes })
recordEvidence(home, 'targets', { command, versions, columns: Report.targetColumns, rows: targets })

function ours(name: string): Subject {
  return { name: 'hydra-config', module: new URL('./subjects.ts', import.meta.url), export: name }
}

function peer(name: string, called: string = name): Subject {
  return { name: called, module: new URL('./peers.ts', import.meta.url), export: name }
}

/** Hydra, and Lerna where it has that work, doing it in Python; none where they could not be installed. */
function python(work: string): Subject[] {
  return [hydra, lerna].flatMap(({ name, python: program, works }) =>
    program !== undefined && works.includes(work)
      ? [{ name, command: program, args: [join(import.meta.dirname, 'peer.py'), name.toLowerCase(), work] }]
      : [],
  )
}

async function measured(
  work: string,
  options: Omit<CompareOptions, 'work' | 'baseline' | 'answers'>,
): Promise<ComparisonResult> {
  const result = await compare({
    work,
    baseline: 'hydra-config',
    answers: 'equal',
    timeout: '5m',
    ...options,
  })
  console.log(formatTable(result))
  report.add(result)
  return result
}

async function composing(): Promise<void> {
  const cold = await measured('compose, six compositions of 24 files, read anew', {
    subjects: [ours('composeCold'), ...python('compose')],
    input: tree,
    cases: composeCases,
  })
  target('Cold compose over Hydra', 'at least 5 times as fast', ratioOf(cold, 'Hydra'), (ratio) => ratio >= 5)
  told('Cold compose over Lerna', ratioOf(cold, 'Lerna'))
  if (hydra.python === undefined) {
    report.notes.push("Hydra's own hydra/test_utils/configs were not composed: they are in its package.")
  } else await ofHydrasOwn(hydra.python)
  await again()
  const memory = await measured(
    'compose two layers of 100 keys in memory again, nothing changed; convict loads and checks them anew',
    {
      subjects: [ours('composeMemory'), peer('convict')],
      input: layers(),
      cases: [null],
    },
  )
  told('Compose in memory over convict', ratioOf(memory, 'convict'))
}

/** The folder in Hydra's package as it is, and of its primary configs those that Hydra composes. */
async function ofHydrasOwn(program: string): Promise<void> {
  const { folder, configs, all } = testConfigs(program)
  const own = await measured(
    `compose hydra/test_utils/configs: ${configs.length} of its ${all} primary configs, all that Hydra composes, read anew`,
    {
      subjects: [ours('composeCold'), ...python('compose')],
      input: folder,
      cases: configs.map((config): ComposeCase => ({ config, overrides: [] })),
    },
  )
  const name = 'Cold compose of hydra/test_utils/configs over'
  target(`${name} Hydra`, 'at least 5 times as fast', ratioOf(own, 'Hydra'), (ratio) => ratio >= 5)
  told(`${name} Lerna`, ratioOf(own, 'Lerna'))
}

/** Nothing has changed, and all but c12 with JSON look whether anything has. */
async function again(): Promise<void> {
  const warm = await measured('compose two layers of 100 keys again', {
    subjects: [
      ours('composeWarm'),
      peer('c12', 'c12, JSON'),
      peer('c12OfYaml', 'c12, YAML'),
      peer('nodeConfig', 'node-config'),
    ],
    input: layered,
    cases: [null],
  })
  report.notes.push(
    "c12 takes JSON from Node's cache of modules: it looks for the files again, but reads none again, and does not see that one has changed. YAML it reads each time. Where nothing has changed, hydra-config looks at every file and folder, reads none and gives the composition that it made before.",
  )
  for (const [what, called] of [
    ['c12 loadConfig of JSON', 'c12, JSON'],
    ['c12 loadConfig of YAML', 'c12, YAML'],
    ['node-config Load.scan', 'node-config'],
  ] as const) {
    target(`Warm compose over ${what}`, 'no slower', ratioOf(warm, called), (ratio) => ratio >= 1)
  }
  const varied = await measured('compose the two layers again, another override each time', {
    subjects: [ours('composeVaried'), peer('c12Varied', 'c12, JSON')],
    input: layered,
    cases: [null],
  })
  told('Warm compose with another override over c12 loadConfig of JSON', ratioOf(varied, 'c12, JSON'))
}

async function reading(): Promise<void> {
  const { base, over } = largeYaml()
  const result = await measured('read and merge two YAML texts of 100 groups', {
    subjects: [ours('readAndMerge'), peer('jsYamlAndDefu', 'js-yaml and defu')],
    input: [base, over],
    cases: [null],
  })
  target(
    'Read and merge with places over js-yaml and defu',
    'no slower',
    ratioOf(result, 'js-yaml and defu'),
    (ratio) => ratio >= 1,
  )
  const loaded = await measured('read and merge the same, and write it', {
    subjects: [ours('readMergeWrite'), ...python('load and merge')],
    input: [base, over],
    cases: [null],
  })
  told('Read and merge over OmegaConf', ratioOf(loaded, 'Hydra'))
}

async function overriding(): Promise<void> {
  const result = await measured('parse 10,000 overrides', {
    subjects: [ours('parseOverrides'), ...python('overrides')],
    input: manyOverrides(),
    cases: [null],
    rounds: 5,
  })
  told('Parse 10,000 overrides over Hydra', ratioOf(result, 'Hydra'))
}

async function sweeping(): Promise<void> {
  const input = {
    folder: tree,
    overrides: ['db=mysql,postgresql', 'server.port=range(100)', '+retries=1,2,3,4,5'],
  }
  const result = await measured('plan a sweep of 1,000 jobs', {
    subjects: [ours('planJobs'), ...python('sweep')],
    input,
    cases: [null],
  })
  told('Plan 1,000 jobs over Hydra', ratioOf(result, 'Hydra'))
  const composed = await measured('the same, every job composed', {
    subjects: [ours('sweepJobs')],
    input,
    cases: [null],
    rounds: 3,
  })
  const ms = (composed.measured[0]?.nsPerCall.median ?? Number.NaN) / 1e6
  target('A sweep of 1,000 jobs, each composed', 'under 1 s', ms, (each) => each < 1000, 'ms')
}

async function interpolating(): Promise<void> {
  const strings = await measured('resolve 1,000 strings of two interpolations', {
    subjects: [ours('resolveInterpolations'), ...python('interpolations')],
    input: thousandStrings(),
    cases: [null],
    rounds: 5,
  })
  target(
    '1,000 strings over OmegaConf',
    'at least 50 times as fast',
    ratioOf(strings, 'Hydra'),
    (ratio) => ratio >= 50,
  )
  const times: number[] = []
  for (const length of [50, 500, 5000]) {
    const result = await measured(`resolve a chain of ${length} interpolations`, {
      subjects: [ours('resolveInterpolations')],
      input: chain(length),
      cases: [null],
    })
    times.push(result.measured[0]?.nsPerCall.median ?? Number.NaN)
  }
  const [fifty = 1, fiveHundred = Number.NaN, fiveThousand = Number.NaN] = times
  target(
    'A chain of 500 over one of 50',
    'at most 15 times the time',
    fiveHundred / fifty,
    (ratio) => ratio <= 15,
  )
  told('A chain of 5,000 over one of 50', fiveThousand / fifty)
  const got = await measured('get one value', {
    subjects: [ours('get'), ...python('get')],
    input: largeYaml().base,
    cases: ['group_7', 'group_42', 'group_99'],
  })
  told('Get one value over OmegaConf', ratioOf(got, 'Hydra'))
}

async function naming(): Promise<void> {
  for (const semantics of ['hydra-1.3', 'strict'] as const) {
    for (const { what, median, first } of await nameCycles(semantics)) {
      const cycle = `A cycle of 10,000 ${what} named, ${semantics}`
      target(cycle, 'under 50 ms', median, (ms) => ms < 50, 'ms')
      told(`${cycle}, the first time in a thread`, first, 'ms')
    }
  }
}

async function parsing(): Promise<void> {
  // A third is given out before it is collected, and the longest dict of overrides makes some 200 MB.
  const youngMb = 1024
  report.notes.push(
    'The time of the parsers is measured at sizes that double, from a sixteenth of 1 MB and of 750 kB: V8 makes a Map anew, with twice the room, each time that it is full, which takes the same time of each key on average, but makes steps of sizes between which it happens. At sizes that double it is as full at each.',
  )
  for (const what of ['override', 'YAML'] as const) {
    const { r2, shape } = await growthOf(what, 'doubling', youngMb)
    target(
      `Time of the parser of ${what} up to 1 MB, at sizes that double: of each the least of ${rounds} times, of the shape of text that fits worst (${shape})`,
      'linear, r² over 0.99',
      r2,
      (value) => value > 0.99,
      'r²',
    )
    const stepped = await growthOf(what, 'even', youngMb)
    told(`The same at ten even sizes, between which a Map grows (${stepped.shape})`, stepped.r2, 'r²')
    if (what === 'YAML') {
      const crowded = await growthOf(what, 'even')
      told(`The same where collections of garbage fall into a parse (${crowded.shape})`, crowded.r2, 'r²')
    }
    const longest = longestTime(what, 20_000)
    target(`Longest of 20,000 ${what} texts up to 1 kB`, 'at most 10 ms', longest, (ms) => ms <= 10, 'ms')
  }
}

async function reloading(): Promise<void> {
  const { p95, changes } = await reloadLatency(tree)
  target(
    `Reload after the last write, 95th percentile of ${changes}`,
    'at most 20 ms',
    p95,
    (ms) => ms <= 20,
    'ms',
  )
}
