import { toFloat } from './casts.ts'
import type { Bound } from './functions.ts'
import { type Element, type Glob, isGlob, isList, isSweep, type RangeNumber, type Sweep } from './override.ts'
import { kindOf, refuse } from './refuse.ts'

/** `choice(a,b,…)`; of one simple choice the explicit form. */
export function choice({ rest }: Bound): Sweep {
  for (const value of rest) {
    const fits = value !== null && !isGlob(value) && (!isSweep(value) || value.kind === 'choice')
    if (!fits) refuse(`a choice cannot be ${kindOf(value)}`)
  }
  const [first, ...others] = rest
  if (first === undefined) return refuse('a choice needs at least one value')
  if (others.length === 0 && isSweep(first) && first.kind === 'choice') {
    return first.simple ? { ...first, simple: false } : refuse('choices cannot be nested')
  }
  return { kind: 'choice', list: rest, simple: false, shuffle: false, tags: [] }
}

/** `range(stop)`, `range(start,stop)` or `range(start,stop,step)`. */
export function range({ parameters }: Bound): Sweep {
  const first = rangeNumber('start', parameters.get('start'))
  const second = parameters.get('stop') ?? null
  const step = rangeNumber('step', parameters.has('step') ? parameters.get('step') : 1n)
  const [start, stop] = second === null ? [0n, first] : [first, rangeNumber('stop', second)]
  return { kind: 'range', start, stop, step, shuffle: false, tags: [] }
}

/** `interval(start,end)`, both as floats. */
export function interval({ parameters }: Bound): Sweep {
  const [start, end] = [
    rangeNumber('start', parameters.get('start')),
    rangeNumber('end', parameters.get('end')),
  ]
  return { kind: 'interval', start: toFloat(start), end: toFloat(end), tags: [] }
}

/** `tag(a,b,sweep)`: the sweep with these tags in place of its own. */
export function tag({ rest, parameters }: Bound): Sweep {
  for (const value of rest)
    if (typeof value !== 'string' && !isSweep(value)) refuse(`a tag must be a string, not ${kindOf(value)}`)
  if (rest.length === 0) return refuse('tag needs a sweep')
  const named = parameters.get('sweep') ?? null
  if (named !== null && !isSweep(named)) refuse(`tag needs a sweep, not ${kindOf(named)}`)
  const all = named === null ? rest : [...rest, named]
  const sweep = all.at(-1) ?? null
  if (!isSweep(sweep)) return refuse('the last argument of tag must be a choice, range or interval')
  const tags = new Set<string>()
  for (const value of all.slice(0, -1)) {
    if (typeof value === 'string') tags.add(value)
    else refuse(`a tag must be a string, not ${kindOf(value)}`)
  }
  return { ...sweep, tags: [...tags] }
}

/** `glob(include,exclude)`, each one pattern or a list of them. */
export function glob({ parameters }: Bound): Glob {
  const exclude = parameters.get('exclude') ?? null
  return {
    kind: 'glob',
    include: patterns('include', parameters.get('include')),
    exclude: exclude === null ? [] : patterns('exclude', exclude),
  }
}

function patterns(name: string, value: Element | undefined): readonly Element[] {
  if (typeof value === 'string') return [value]
  return isList(value ?? null) && isPatterns(value)
    ? value
    : refuse(`${name} must be a pattern or a list of them`)
}

function isPatterns(value: Element | undefined): value is readonly Element[] {
  return Array.isArray(value)
}

function rangeNumber(name: string, value: Element | undefined): RangeNumber {
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return value
  return refuse(`${name} must be a number, not ${kindOf(value ?? null)}`)
}
