#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { bench } from './cli/bench.ts'
import { expandPaths } from './cli/expand-paths.ts'
import type { ExplanationFormat } from './cli/explained.ts'
import { lint } from './cli/lint.ts'
import { graph, typed } from './cli/model.ts'
import { modelDiff } from './cli/model-diff.ts'
import { openSpace, type Space } from './cli/open-space.ts'
import {
  type Answer,
  checkAnswer,
  contextOf,
  expandAnswer,
  listAnswer,
  listUsersAnswer,
  whyAnswer,
} from './cli/questions.ts'
import { serve } from './cli/serve.ts'
import { testStores } from './cli/test-stores.ts'
import { toldError } from './cli/told-error.ts'
import { exported, importInto } from './cli/transfer.ts'
import { tellChanges } from './cli/watch.ts'
import { isZanzibarError, ZanzibarError } from './errors.ts'
import type { Semantics } from './model/type-system.ts'
import type { QueryOptions } from './zanzibar.ts'

const usage = `zanzibar: relationship-based access control with OpenFGA's language and API

Usage: zanzibar COMMAND [option…]

  serve   speaks OpenFGA's HTTP API  [--store memory] [--host 127.0.0.1] [--port 8080] [--public-url URL]
                                     [--oidc-issuer URL --oidc-audience NAME] [--semantics openfga-v2]
                                     [--closure-index]: nested groups are looked up, not walked
  check   whether a user has it      USER RELATION OBJECT [--context JSON]
  why     the same, and how          USER RELATION OBJECT [--context JSON] [--format text|dot|json]
  list    objects of a user          USER RELATION TYPE [--context JSON]
          users of an object         OBJECT RELATION TYPE --users [--context JSON]
  expand  what a relation is made of OBJECT RELATION [--depth 1]
  test    runs store files           FILE.fga.yaml…
  lint    what is wrong with models  FILE… [--semantics openfga-v2]: then also what v2 may answer otherwise
  model diff  what a model changes   BEFORE AFTER, or AFTER --store URL [--name NAME] or --file FILE: then also which
                                     stored tuples stop counting, and which answers become others
  model graph a model in DOT         FILE
  codegen a model in TypeScript      FILE
  import  a store file, tuples, or SpiceDB's validation file    FILE --store URL [--name NAME]
  export  a store as a store file
  watch   changes, as they come      [--from POSITION]
  bench   how long checks take       [--seconds 5]

check, why, list, expand, export, watch and bench take --store URL [--name NAME] or --file FILE (a store file, or a
model), and the first four --semantics openfga-v2. A FILE of a model is in the DSL, in JSON, fga.mod or a store file.
URL: sqlite:path, postgres://…; also in ZANZIBAR_STORE. Preshared keys of serve, with commas between them, are taken from
ZANZIBAR_PRESHARED_KEYS. It exits with 1 where the answer is no or something is wrong, with 2 on wrong use.
`

const options = {
  store: { type: 'string' },
  name: { type: 'string' },
  file: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'public-url': { type: 'string' },
  'oidc-issuer': { type: 'string' },
  'oidc-audience': { type: 'string' },
  'closure-index': { type: 'boolean' },
  context: { type: 'string' },
  users: { type: 'boolean' },
  depth: { type: 'string' },
  semantics: { type: 'string' },
  seconds: { type: 'string' },
  format: { type: 'string' },
  from: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']
type Command = (values: Values, words: readonly string[]) => Promise<Answer>

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', serving],
  ['check', asking(checkAnswer)],
  [
    'why',
    inSpace((space, values, words) =>
      whyAnswer(space, words, queryOf(values), formatOf(values.format ?? 'text')),
    ),
  ],
  ['list', (values, words) => asking(values.users === true ? listUsersAnswer : listAnswer)(values, words)],
  [
    'expand',
    inSpace((space, values, words) => expandAnswer(space, words, whole('--depth', values.depth, 1))),
  ],
  ['test', async (_, words) => testStores(await expandPaths(words))],
  ['lint', async (values, words) => lint(await expandPaths(words), semanticsOf(values))],
  ['model', (values, [what, ...words]) => ofModel(what)(values, words)],
  ['import', (values, [path]) => importInto({ name: values.name, store: storeOf(values) }, path)],
  ['export', inSpace((space) => exported(space))],
  ['watch', inSpace(watching)],
  ['codegen', (_, words) => typed(words)],
  ['bench', inSpace((space, values) => bench(space, 1000 * whole('--seconds', values.seconds, 5)))],
])

async function main(args: string[]): Promise<void> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [name, ...words] = positionals
    if (values.help === true) {
      process.stdout.write(usage)
      return
    }
    const command = commands.get(name ?? '')
    if (command === undefined) throw wrong(`name a command: ${[...commands.keys()].join(', ')}`)
    const { lines, failed = false } = await command(values, words)
    for (const line of lines) say(line)
    if (failed) process.exitCode = 1
  } catch (error) {
    process.stderr.write(`zanzibar: ${toldError(error)}\n`)
    process.exitCode = isWrongUse(error) ? 2 : 1
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function serving(values: Values): Promise<Answer> {
  const started = {
    store: storeOf(values) ?? 'memory',
    host: values.host ?? '127.0.0.1',
    port: whole('--port', values.port, 8080),
    keys: process.env['ZANZIBAR_PRESHARED_KEYS'],
    issuer: values['oidc-issuer'],
    audience: values['oidc-audience'],
    publicUrl: values['public-url'],
    semantics: semanticsOf(values),
    closureIndex: values['closure-index'] ?? false,
  }
  await serve(started, say)
  return { lines: [] }
}

function inSpace(work: (space: Space, values: Values, words: readonly string[]) => Promise<Answer>): Command {
  return async (values, words) => {
    await using space = await openSpace({
      ...values,
      store: storeOf(values),
      semantics: semanticsOf(values),
    })
    return await work(space, values, words)
  }
}

function asking(
  answer: (space: Space, words: readonly string[], options: QueryOptions) => Promise<Answer>,
): Command {
  return inSpace((space, values, words) => answer(space, words, queryOf(values)))
}

function queryOf(values: Values): QueryOptions {
  const context = contextOf(values.context)
  return context === undefined ? {} : { context }
}

function formatOf(format: string): ExplanationFormat {
  if (format === 'text' || format === 'dot' || format === 'json') return format
  throw wrong(`--format must be text, dot or json, not ${format}`)
}

async function watching(space: Space, values: Values): Promise<Answer> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  await tellChanges(space, whole('--from', values.from, 0), say, stop.signal)
  return { lines: [] }
}

function ofModel(what: string | undefined): Command {
  if (what === 'graph') return (_, words) => graph(words)
  if (what !== 'diff') throw wrong(`say model diff or model graph, not model ${what ?? ''}`)
  return ({ name, file, store }, words) => modelDiff({ name, file, store: storeOf({ store }) }, words)
}

function storeOf({ store }: { readonly store?: string | undefined }): string | undefined {
  return store ?? process.env['ZANZIBAR_STORE']
}

function semanticsOf({ semantics }: Values): Semantics | undefined {
  if (semantics === undefined || semantics === 'openfga-v1' || semantics === 'openfga-v2') return semantics
  throw wrong(`--semantics must be openfga-v1 or openfga-v2, not ${semantics}`)
}

function whole(name: string, given: string | undefined, preset: number): number {
  if (given === undefined) return preset
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw wrong(`${name} must be a whole number, not ${given}`)
}

function wrong(message: string): ZanzibarError {
  return new ZanzibarError('invalid_option', message)
}

function isWrongUse(error: unknown): boolean {
  if (isZanzibarError(error)) return error.code === 'invalid_option'
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

await main(process.argv.slice(2))
