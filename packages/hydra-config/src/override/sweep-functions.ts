import type { Bound } from './bound.ts'
import { toFloat } from './casts.ts'
import { type Element, type Glob, isGlob, isList, isSweep, type RangeNumber, type Sweep } from './override.ts'
import { refuse, refuseType, typeName } from './refuse.ts'

const choiceTypes = 'Union[str, int, float, bool, Dict[Any, Any], List[Any], ChoiceSweep]'

/** `choice(a,b,…)`; of one simple choice the explicit form. */
export function choice({ rest }: Bound): Sweep {
  for (const [index, value] of rest.entries()) {
    const fits = value !== null && !isGlob(value) && (!isSweep(value) || value.kind === 'choice')
    if (!fits) refuseType(`args[${index}]`, value, choiceTypes)
  }
  const [first, ...others] = rest
  if (first === undefined) return refuse('empty choice is not legal', 'ValueError')
  if (others.length === 0 && isSweep(first) && first.kind === 'choice') {
    return first.simple
      ? { ...first, simple: false }
      : refuse('nesting choices is not supported', 'ValueError')
  }
  return { kind: 'choice', list: rest, simple: false, shuffle: false, tags: [] }
}

/** `range(stop)`, `range(start,stop)` or `range(start,stop,step)`. */
export function range({ parameters }: Bound): Sweep {
  const first = rangeNumber('start', parameters.get('start'))
  const second = parameters.get('stop') ?? null
  const step = rangeNumber('step', parameters.has('step') ? parameters.get('step') : 1n)
  const [start, stop] =
    second === null ? [0n, first] : [first, rangeNumber('stop', second, 'Optional[Union[int, float]]')]
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
  for (const [index, value] of rest.entries()) {
    if (typeof value !== 'string' && !isSweep(value)) refuseType(`args[${index}]`, value, 'Union[str, Sweep]')
  }
  const named = parameters.get('sweep') ?? null
  if (named !== null && !isSweep(named)) refuseType('sweep', named, 'Optional[Sweep]')
  if (rest.length === 0)
    return refuse('Not enough arguments to tag, must take at least a sweep', 'ValueError')
  const all = named === null ? rest : [...rest, named]
  const sweep = all.at(-1) ?? null
  if (!isSweep(sweep)) {
    return refuse(
      `Last argument to tag() must be a choice(), range() or interval(), got NoneType`,
      'ValueError',
    )
  }
  const tags = new Set<string>()
  for (const value of all.slice(0, -1)) {
    if (typeof value === 'string') tags.add(value)
    else refuse(`tag arguments type must be string, got ${typeName(value)}`, 'ValueError')
  }
  return { ...sweep, tags: [...tags] }
}

/** `glob(include,exclude)`, each one pattern or a list of them. */
export function glob({ parameters }: Bound): Glob {
  const exclude = parameters.get('exclude') ?? null
  return {
    kind: 'glob',
    include: patterns('include', parameters.get('include') ?? null, 'Union[List[str], str]'),
    exclude: exclude === null ? [] : patterns('exclude', exclude, 'Optional[Union[str, List[str]]]'),
  }
}

function patterns(name: string, value: Element, types: string): readonly Element[] {
  if (typeof value === 'string') return [value]
  return isList(value) ? value : refuseType(name, value, types)
}

function rangeNumber(name: string, value: Element | undefined, types = 'Union[int, float]'): RangeNumber {
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return value
  return refuseType(name, value ?? null, types)
}
