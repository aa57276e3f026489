import type { Draw } from './draw.ts'
import { embedded, Ledger, nodes, type Place, type Truth, type TruthMap } from './truth.ts'
import { YamlWriter } from './yaml-writer.ts'

/** A folder of configs and a command line, and what was written where. */
export interface ConfigTree {
  readonly files: Readonly<Record<string, string>>
  readonly overrides: readonly string[]
  readonly truth: Ledger
}

/** A config as it was written. */
interface Written {
  readonly path: string
  readonly body: TruthMap
  /** In the order of composition; `self` is its own body. */
  readonly parts: readonly ('self' | Included)[]
  /** `# @package`, if any. */
  readonly header: string | undefined
}

interface Included {
  readonly written: Written
  /** What follows `@` in the list. */
  readonly at: string | undefined
}

const groups = ['g0', 'g1', 'g2'] as const

/** Draws a tree of configs, composes the truth about it, and writes overrides of what is in it. */
export function drawTree(draw: Draw): ConfigTree {
  const files: Record<string, string> = {}
  const leaves = ['a', 'b'].map((name) => write(draw, files, `g0/sub/${name}`, []))
  const options = groups.flatMap((group) =>
    ['a', 'b'].map((name) => {
      const below = group === 'g0' && draw.once(2) ? leaves.filter(() => draw.once(2)) : []
      return write(draw, files, `${group}/${name}`, below.slice(0, 1))
    }),
  )
  const chosen = groups.flatMap((group) => {
    const ofGroup = options.filter(({ path }) => path.startsWith(group))
    return draw.once(4) ? [] : ofGroup.slice(draw.below(2)).slice(0, 1)
  })
  const primary = write(draw, files, 'config', chosen)
  const truth = new Ledger()
  compose(truth, primary, '', [])
  return { files, overrides: drawOverrides(draw, truth), truth }
}

function write(draw: Draw, files: Record<string, string>, path: string, below: readonly Written[]): Written {
  const writer = new YamlWriter(draw, path)
  const isOption = path !== 'config'
  const header = isOption && draw.once(4) ? draw.one(['_global_', 'p.q', 'g0']) : undefined
  if (header !== undefined) writer.line(`# @package ${header}`)
  else if (draw.once(3)) writer.line('# just a comment')
  const included = below.map((written) => ({
    written,
    at: draw.once(3) ? draw.one(['p', 'p.q', '_global_']) : undefined,
  }))
  let parts: ('self' | Included)[] = ['self']
  let first: Place | undefined
  if (included.length > 0) {
    const selfAt = draw.below(included.length + 1)
    parts = [...included.slice(0, selfAt), 'self', ...included.slice(selfAt)]
    first = writer.here()
    writer.line('defaults:')
    for (const part of parts) writer.line(part === 'self' ? '- _self_' : `- ${itemText(part, path)}`)
  }
  const body = writer.body(first)
  files[`${path}.yaml`] = writer.toString()
  return { path, body, parts, header }
}

function itemText({ written, at }: Included, includer: string): string {
  const steps = written.path.split('/')
  const name = steps.pop() ?? ''
  const group = includer === 'config' ? steps.join('/') : steps.slice(1).join('/')
  return `${group}${at === undefined ? '' : `@${at}`}: ${name}`
}

/** The configs in the order of composition, each below its package. */
function compose(truth: Ledger, written: Written, at: string, trail: readonly string[]): void {
  const via = [...trail, written.path]
  for (const part of written.parts) {
    if (part === 'self') {
      truth.merge(embedded(at === '' ? [] : at.split('.'), written.body), via)
      continue
    }
    const group = part.written.path.split('/').slice(written.path === 'config' ? 0 : 1, -1)
    const own = part.at ?? absolute(part.written.header) ?? group.join('.')
    compose(truth, part.written, packageBelow(at, own), via)
  }
}

function absolute(header: string | undefined): string | undefined {
  return header === undefined || header === '_global_' ? header : `_global_.${header}`
}

function packageBelow(parent: string, own: string): string {
  if (own === '_global_') return ''
  if (own.startsWith('_global_.')) return own.slice('_global_.'.length)
  return parent === '' ? own : `${parent}.${own}`
}

const addressable = /^[a-z][a-z0-9]*$/

/** Overrides of what is there and of what is not, each applied to the truth. */
function drawOverrides(draw: Draw, truth: Ledger): string[] {
  const overrides: string[] = []
  for (let count = draw.below(5); count > 0; count--) {
    const index = overrides.length
    const targets = [...reachable(truth.root, [])]
    const target = targets[draw.below(targets.length)]
    if (target === undefined) break
    const { keys, node } = target
    if (draw.once(5) && keys.length > 1 && node.kind !== 'scalar') {
      const text = `~${keys.join('.')}`
      truth.delete(keys, { kind: 'override', index, start: 0, end: text.length })
      overrides.push(text)
      continue
    }
    const isNew = node.kind === 'map' && draw.once(2)
    const path = isNew ? [...keys, `new${index}`] : keys
    // Alone, the name of a group would choose an option of it.
    if (path.length === 1 && groups.some((group) => group === path[0])) continue
    const prefix = isNew ? draw.one(['+', '++']) : draw.one(['', '++'])
    const start = `${prefix}${path.join('.')}=${draw.one(['', ' '])}`
    const { text, value } = element(draw, { index, at: start.length, kinds: kindsFor(isNew, node, prefix) })
    truth.merge(embedded(path, value), [])
    // White space may follow what has no quotes and no brackets.
    overrides.push(start + text + (/\w$/.test(text) ? draw.one(['', '  ']) : ''))
  }
  return overrides
}

function kindsFor(isNew: boolean, node: Truth, prefix: string): readonly ['scalar', ...('list' | 'map')[]] {
  if (isNew) return ['scalar', 'list', 'map']
  // A plain change may bring no new keys, and a map meets no list.
  if (node.kind === 'map') return prefix === '' ? ['scalar'] : ['scalar', 'map']
  return node.kind === 'list' ? ['scalar', 'list'] : ['scalar', 'list', 'map']
}

/** The entries whose keys an override can spell, outside of lists. */
function* reachable(
  node: Truth | undefined,
  keys: readonly string[],
): Generator<{ readonly keys: readonly string[]; readonly node: Truth }> {
  if (node?.kind !== 'map') return
  for (const [key, item] of node.entries) {
    if (!addressable.test(key)) continue
    yield { keys: [...keys, key], node: item }
    yield* reachable(item, [...keys, key])
  }
}

interface Position {
  readonly index: number
  readonly at: number
  readonly kinds: readonly ['scalar', ...('list' | 'map')[]]
}

const elements: readonly [string, unknown][] = [
  ['7', 7],
  ['1.25', 1.25],
  ['null', null],
  ['true', true],
  ['plain', 'plain'],
  ['two words', 'two words'],
  ["'a, \\'b\\''", "a, 'b'"],
  ['"é😀"', 'é😀'],
  ['a\\,b', 'a,b'],
  ['int(3.7)', 3],
  ['/p/q:r', '/p/q:r'],
]

/** A value of an override, and where it and its parts stand in the text. */
function element(
  draw: Draw,
  { index, at, kinds }: Position,
): { readonly text: string; readonly value: Truth } {
  const kind = draw.one(kinds)
  const placed = (text: string): Place => ({ kind: 'override', index, start: at, end: at + text.length })
  if (kind === 'scalar') {
    const [text, value] = elements[draw.below(elements.length)] ?? ['', '']
    return { text, value: { kind, value, place: placed(text) } }
  }
  let text = kind === 'list' ? draw.one(['[', '[ ']) : draw.one(['{', '{ '])
  const items: Truth[] = []
  const entries = new Map<string, Truth>()
  for (let count = draw.below(4); count > 0; count--) {
    if (items.length + entries.size > 0) text += draw.one([',', ' , '])
    // The name tells the kind, for a map never meets a list.
    const container = draw.one<'list' | 'map'>(['list', 'map'])
    const key = `${container}${entries.size}`
    if (kind === 'map') text += `${key}${draw.one([':', ': '])}`
    const inner = element(draw, { index, at: at + text.length, kinds: ['scalar', container] })
    text += inner.text
    if (kind === 'map') entries.set(key, inner.value)
    else items.push(inner.value)
  }
  text += kind === 'list' ? draw.one([']', ' ]']) : draw.one(['}', ' }'])
  const place = placed(text)
  return { text, value: kind === 'list' ? { kind, items, place } : { kind, entries, place } }
}

/** Every path that holds something at the end. */
export function finalNodes({ truth }: ConfigTree): readonly (readonly [string, Truth])[] {
  return truth.root === undefined ? [] : [...nodes(truth.root, '')]
}
